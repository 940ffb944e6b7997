"""# Kalshi one-minute candles, day by day

Reads the one-minute candles of its data interval (a UTC day) into `kalshi_candle_1m`, for every market that was open
at any time in it, from both tiers. Catchup fills the days since `candles.start_date` in `include/kalshi.toml`;
`airflow backfill create --dag-id kalshi_candles_daily --from-date … --to-date …` fills others.

* `airflow dags test kalshi_candles_daily 2026-09-20` and a run triggered with that logical date read 2026-09-20, like
  the scheduled run of that date. Triggered for today, or without a date, it reads the last complete day; a date before
  `candles.start_date` is refused, because Airflow would run no tasks.
* Minutes without changes have no candle: the exchange sends none, and we don't invent any. `kalshi_candle_1m_dense` has
  every minute of a market's life, with the last quotes carried forward (`candles.dense` in `include/kalshi.toml`).
* The source `trades` also builds candles from public trades, without quotes.
* A scheduled run starts ten minutes after its day has ended (`tolerances.grace_minutes`), when the exchange has
  published all of it. A complete day is skipped unless `force` is set. After a task is killed, its retry resumes with
  the events that were not complete.
* What is missing of earlier days (`kalshi_gap`) is read again, oldest first, within a bounded share of the run.
* `series` may be `["*"]`: the whole exchange in one task, up to a hundred markets in a request: some 20,000 requests
  for a day of 100,000 open markets, and one more for each market that has closed since without a candle in that day.
  Multivariate combinations (`KXMVE…`) are left out, and dense minutes are built for named series only. It also fills
  what runs of single series left missing. A day that the exchange has archived in part meanwhile is left to the runs of
  its series, unless the catalog of the whole exchange was read all the while.
* The catalog of the series is synced first unless it is complete up to that day.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import dag

from kalshi.operators.candles import CandlesSyncOperator, sources_param
from kalshi.operators.common import dag_defaults, force_param, series_param
from kalshi.operators.runs import PlanOperator, report_task
from kalshi.reports.candles import CANDLES
from kalshi.settings import load_settings
from kalshi.timetables import DayOfDate

START = load_settings().candles.start
GRACE = timedelta(minutes=load_settings().tolerances.grace_minutes)
PARAMS = {
    "series": series_param(or_everything=True),
    "sources": sources_param(),
    "force": force_param(),
}


@dag(
    description="1-minute candles of each day, from both tiers or made from trades",
    schedule=DayOfDate(START, GRACE),
    start_date=START,
    catchup=True,
    max_active_runs=2,
    params=PARAMS,
    tags=["kalshi", "candles"],
    doc_md=__doc__,
    **dag_defaults(),
)
def kalshi_candles_daily() -> None:
    plan = PlanOperator(task_id="plan", job=CANDLES.job, series="{{ params.series }}")
    synced = CandlesSyncOperator.partial(
        task_id="sync_candles",
        sources="{{ params.sources }}",
        force="{{ params.force }}",
        map_index_template="{{ task.planned.scope }}",
    ).expand(planned=plan.output)
    synced >> report_task(CANDLES, "kalshi_candle_1m")


kalshi_candles_daily()
