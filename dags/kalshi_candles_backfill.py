"""# Kalshi one-minute candles, any date range

Reads the one-minute candles from `date_from` to `date_to` (UTC, inclusive) into `kalshi_candle_1m` in one run. The
range is split into chunks, one task each; several series run in parallel and share the request budget.

* `sources`: the exchange's own candles, candles built from public trades, or both.
* `dense`: whether `kalshi_candle_1m_dense` then has every minute of a market's life; `candles.dense` in
  `include/kalshi.toml` if you leave it. Without them a long backfill takes as long as its requests; another run of the
  same days builds them later, without reading anything again. What earlier runs left unfinished is built all the same.
  Of `["*"]` none are built.
* `series` may be `["*"]`, as in `kalshi_candles_daily`: a task for each chunk of days.
* A complete chunk is skipped unless `force` is set; days that the daily DAG completed count too. After a task is
  killed, its retry resumes with the events that were not complete.
* A failed chunk is marked FAILED in `kalshi_checkpoint` and fails its task; the others continue. Trigger the run again
  to read only that chunk.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import Param, dag

from kalshi.operators.candles import CandleChunksOperator, CandleChunkSyncOperator, dense_param, sources_param
from kalshi.operators.common import dag_defaults, force_param, optional_day_param, series_param
from kalshi.operators.runs import report_task
from kalshi.reports.candles import CANDLES

PARAMS = {
    "series": series_param(or_everything=True),
    "date_from": optional_day_param("First day", "UTC. Both days are required."),
    "date_to": optional_day_param("Last day", "UTC, inclusive."),
    "chunk_days": Param(
        30,
        type="integer",
        minimum=1,
        maximum=366,
        title="Days per task",
        description="Fewer days mean more tasks, each with Airflow's overhead.",
    ),
    "sources": sources_param(),
    "dense": dense_param(),
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
        dense="{{ params.dense }}",
        force="{{ params.force }}",
        map_index_template="{{ task.planned.scope }} {{ task.planned.start[:10] }}",
    ).expand(planned=plan.output)
    synced >> report_task(CANDLES, "kalshi_candle_1m")


kalshi_candles_backfill()
