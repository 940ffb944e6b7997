"""# Kalshi health check

Looks every hour at what the other DAGs need, on a worker as they do, and fails where something is wrong, so that the
notifiers of `include/kalshi.toml` tell you before the data is missing:

* the warehouse: connection, TLS, version and settings of the server, schema, rights, clock;
* tables that are **stale** by `kalshi_freshness`: no good run for three times as long as `kalshi_freshness_rule`
  allows (a table whose DAG never ran is left out);
* the exchange: address, clock, API key, and whether the account allows as many requests as are configured;
* free disk space, settings, the notifiers themselves.

`python -m kalshi doctor` prints the same.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import dag

from kalshi.operators.common import dag_defaults
from kalshi.operators.health import HealthCheckOperator


@dag(
    description="Connections, rights, clocks, disk and stale tables; fails where something is wrong",
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
