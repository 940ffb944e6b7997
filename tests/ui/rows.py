"""Rows of the ledger and of data quality, as the jobs would have written them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

SERIES = ("KXHIGHNY", "KXHIGHCHI")
RULE = "candle_prices_in_range"
WINDOW = {"start": "2026-09-20", "end": "2026-09-22"}
QUERY = "SELECT market_ticker FROM kalshi_candle_1m WHERE market_ticker IN :markets AND bucket_start_utc >= :start"


def insert(engine: sa.Engine, table: str, *rows: Mapping[str, Any]) -> None:
    for row in rows:
        values = ", ".join(f":{name}" for name in row)
        with engine.begin() as connection:
            connection.execute(sa.text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"), dict(row))


def run(number: int, job: str, scope: str, state: str = "success", minutes: int = 1, **others: Any) -> dict[str, Any]:
    """A run of a job that began so many minutes ago."""
    return {"run_id": number, "job": job, "scope": scope, "state": state, "minutes": minutes, **others}


def record(engine: sa.Engine, *runs: Mapping[str, Any]) -> None:
    """Store runs; their times are counted back from now by the server."""
    for each in runs:
        values = {"dag_run_id": f"manual__{each['job']}", "report": "{}", "requests": 0, **each, **WINDOW}
        with engine.begin() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO kalshi_sync_run (run_id, job, scope, dag_run_id, state, report, requests, "
                    "window_start_utc, window_end_utc, started_at_utc, heartbeat_at_utc, ended_at_utc) "
                    "VALUES (:run_id, :job, :scope, :dag_run_id, :state, :report, :requests, :start, :end, "
                    "UTC_TIMESTAMP(6) - INTERVAL :minutes MINUTE, UTC_TIMESTAMP(6) - INTERVAL :minutes MINUTE, "
                    "IF(:state = 'running', NULL, UTC_TIMESTAMP(6) - INTERVAL :minutes MINUTE))"
                ),
                values,
            )


def result(number: int, series: str, check: str = RULE, state: str = "passed", **others: Any) -> dict[str, Any]:
    """What a quality run found of a rule."""
    violations = 2 if state == "failed" else 0
    return {
        "run_id": number,
        "check_name": check,
        "series_ticker": series,
        "table_name": "kalshi_candle_1m",
        "window_start_utc": WINDOW["start"],
        "window_end_utc": WINDOW["end"],
        "severity": "error",
        "state": state,
        "about": "Candle prices are between 0 and 1 dollar.",
        "checked": 100,
        "violations": violations,
        "mostly": 1,
        "query": QUERY,
        **others,
    }
