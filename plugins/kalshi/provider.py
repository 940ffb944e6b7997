"""The connection type Kalshi: the fields of Airflow's connection form, and the hook behind its Test button."""

from __future__ import annotations

from typing import Any

from kalshi.exchange.config import BASE_URLS, BASIC_REQUESTS_PER_SECOND, RetryPolicy


def get_provider_info() -> dict[str, Any]:
    """The provider, shaped like Airflow's ``provider.yaml``; the entry point is ``apache_airflow_provider``."""
    return {
        "package-name": "kalshi-warehouse",
        "name": "Kalshi",
        "description": "Kalshi's prediction markets in your own MySQL or MariaDB.",
        "hooks": [{"integration-name": "Kalshi", "python-modules": ["kalshi.hooks.kalshi"]}],
        "connection-types": [
            {
                "connection-type": "kalshi",
                "hook-class-name": "kalshi.hooks.kalshi.KalshiHook",
                "hook-name": "Kalshi",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema"],
                    "relabeling": {
                        "host": "Base URL",
                        "login": "API key id",
                        "password": "Private key (PEM)",
                    },
                    "placeholders": {
                        "host": f"empty, or {BASE_URLS['prod']}",
                        "login": "empty: public data only",
                        "password": "-----BEGIN PRIVATE KEY-----",
                        # A base URL includes its port. Airflow 3.3.2 compares an empty port with 0 and refuses to test:
                        # https://github.com/apache/airflow/pull/73298
                        "port": "443: the Test button of Airflow up to 3.3.2 needs one",
                    },
                },
                "conn-fields": {
                    "env": {
                        "label": "Environment",
                        "description": "Which of Kalshi's exchanges to read. A base URL takes precedence.",
                        "schema": {"type": ["string", "null"], "enum": [*BASE_URLS], "default": "prod"},
                    },
                    "private_key_path": {
                        "label": "Private key file",
                        "description": "On the workers, instead of the private key; then Airflow never stores the key.",
                        "schema": {"type": ["string", "null"]},
                    },
                    "requests_per_second": {
                        "label": "Requests per second",
                        "description": "The rate limit that all tasks share. "
                        f"Empty: {BASIC_REQUESTS_PER_SECOND:g}, which the Basic tier allows.",
                        "schema": {"type": ["number", "null"], "exclusiveMinimum": 0},
                    },
                    "attempts": {
                        "label": "Attempts",
                        "description": "How often a request is tried before its task fails. "
                        f"Empty: {RetryPolicy.attempts}, about half a minute.",
                        "schema": {"type": ["integer", "null"], "minimum": 1},
                    },
                },
            }
        ],
    }
