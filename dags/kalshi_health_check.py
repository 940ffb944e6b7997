"""# Kalshi health check

Checks every hour what the other DAGs depend on, on a worker like theirs, and fails if something is wrong, so that the
notifiers in `include/kalshi.toml` alert you before data goes missing:

* the warehouse: connection, TLS, server version and settings, schema, privileges, clock;
* tables that are **stale** according to `kalshi_freshness`: no successful run for three times as long as
  `kalshi_freshness_rule` allows (tables whose DAG never ran are skipped);
* **gaps**: what the jobs know to be missing, as a warning, and what a person accepted;
* the exchange: address, clock, API key, and whether the account's rate limit allows the configured rate;
* free disk space, settings, the notifiers themselves.

`python -m kalshi doctor` prints the same checks.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import dag

from kalshi.operators.common import dag_defaults
from kalshi.operators.health import HealthCheckOperator


@dag(
    description="Connections, rights, clocks, disk, stale tables, gaps; fails where something is wrong",
    schedule="45 * * * *",
    start_date=datetime(2025, 9, 29, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["kalshi", "operations"],
    doc_md=__doc__,
    **dag_defaults(),
)
def kalshi_health_check() -> None:
    HealthCheckOperator(task_id="check")


kalshi_health_check()
