"""# Kalshi one-minute candles, any range of days

Reads the one-minute candles from `date_from` to `date_to` (UTC, both included) into `kalshi_candle_1m` in one run. The
range is cut into chunks, a task each; several series run side by side within the one request budget.

* `sources`: the exchange's own candles, or candles made from public trades, or both. `kalshi_candle_1m_dense` then has
  every minute of a market's life (`candles.dense` in `include/kalshi.toml`).
* A chunk that is complete is not read again unless `force`; days that the daily DAG completed count too. A task that
  was killed goes on at the events that it hadn't finished.
* A chunk that fails is marked so in `kalshi_checkpoint` and fails its task, and the others go on. Run it again to read
  just that one.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import Param, dag

from kalshi.operators.candles import CandleChunksOperator, CandleChunkSyncOperator, sources_param
from kalshi.operators.common import dag_defaults, force_param, series_param
from kalshi.operators.runs import report_task
from kalshi.reports.candles import CANDLES

PARAMS = {
    "series": series_param(),
    "date_from": Param(type="string", format="date", title="First day", description="UTC."),
    "date_to": Param(type="string", format="date", title="Last day", description="UTC, included."),
    "chunk_days": Param(
        30,
        type="integer",
        minimum=1,
        maximum=366,
        title="Days per task",
        description="How many days one task reads. Fewer days make more tasks, each with Airflow's own cost.",
    ),
    "sources": sources_param(),
    "force": force_param(),
}


@dag(
    description="1-minute candles of any range of days, in chunks",
    schedule=None,
    start_date=datetime(2025, 9, 29, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    tags=["kalshi", "candles"],
    doc_md=__doc__,
    **dag_defaults(),
)
def kalshi_candles_backfill() -> None:
    plan = CandleChunksOperator(
        task_id="plan",
        series="{{ params.series }}",
        date_from="{{ params.date_from }}",
        date_to="{{ params.date_to }}",
        chunk_days="{{ params.chunk_days }}",
    )
    synced = CandleChunkSyncOperator.partial(
        task_id="sync_chunk",
        sources="{{ params.sources }}",
        force="{{ params.force }}",
        map_index_template="{{ task.planned.series_ticker }} {{ task.planned.start[:10] }}",
    ).expand(planned=plan.output)
    synced >> report_task(CANDLES, "kalshi_candle_1m")


kalshi_candles_backfill()
