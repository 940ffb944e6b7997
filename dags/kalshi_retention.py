"""# Kalshi retention

Drops whole months (UTC) of minutes, snapshots, trades or candles that are older than you want to keep, and says what it
would drop while `dry_run` is on, as it is by default.

* How many months to keep of each table: `retention` in `include/kalshi.toml`, or the params. Empty: all of them. The
  current month is kept anyway.
* A month of `kalshi_candle_1m`, `kalshi_candle_1m_dense` or `kalshi_price_snapshot` is a partition, dropped in one
  statement; one of `kalshi_trade` is deleted in batches.
* With `export`, each month is first written to a Parquet file, which is read again and compared with the table.
* What was read of a dropped month is forgotten: it counts as never read, no run fills it by itself, quality runs and
  reconciliation leave it out, and a backfill reads it again. `kalshi_dropped_month` lists what was dropped.
* A month that a run may be reading is kept, with those after it and a warning, until the next time.

`retention.schedule` in `include/kalshi.toml` runs it by schedule, and `retention.dry_run` lets those runs drop. The
warehouse's user needs the privileges ALTER and DROP on the partitioned tables: `python -m kalshi grants` shows them.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import dag

from kalshi.operators.common import dag_defaults
from kalshi.operators.retention import RetentionOperator, retention_params
from kalshi.operators.runs import ReportOperator
from kalshi.reports.retention import RETENTION
from kalshi.settings import load_settings
from kalshi.warehouse.retention import TABLES


@dag(
    description="Drops months that are older than configured; only counts them by default",
    schedule=load_settings().retention.schedule or None,
    start_date=datetime(2025, 9, 29, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params=retention_params(),
    tags=["kalshi", "operations"],
    doc_md=__doc__,
    **dag_defaults(),
)
def kalshi_retention() -> None:
    dropped = RetentionOperator(task_id="drop_months", asked="{{ params }}")
    dropped >> ReportOperator(task_id="report", report=RETENTION, series=list(TABLES))


kalshi_retention()
