"""# Kalshi one-minute candles, day by day

Reads the one-minute candles of its data interval (a UTC day) into `kalshi_candle_1m`, for every market that was open
at some time in it, from both tiers. Catchup fills the days since `candles.start_date` in `include/kalshi.toml`;
`airflow backfill create --dag-id kalshi_candles_daily --from-date … --to-date …` fills others.

* `airflow dags test kalshi_candles_daily 2026-09-20` and a run triggered with that logical date read 2026-09-20, as the
  scheduled run of that date does. Triggered for today, or without a date, it reads the last whole day; a date
  before `candles.start_date` is refused, as Airflow would run nothing.
* Minutes without news have no candle: the exchange sends none, and none is made up.
* A day that is complete is not read again unless `force`. A task that was killed goes on at the events that it hadn't
  finished.
* The catalog of the series is synced first where it doesn't reach as far as the day.
"""

from __future__ import annotations

from airflow.sdk import Asset, Param, dag

from kalshi.operators.candles import CandlesSyncOperator
from kalshi.operators.common import series_param, task_defaults
from kalshi.operators.runs import PlanOperator, ReportOperator
from kalshi.reports.candles import CANDLES
from kalshi.settings import load_settings
from kalshi.timetables import DayOfDate

START = load_settings().candles_start
PARAMS = {
    "series": series_param(),
    "force": Param(
        False,
        type="boolean",
        title="Read complete days again",
        description="Read the day even where it is complete.",
    ),
}


@dag(
    schedule=DayOfDate(START),
    start_date=START,
    catchup=True,
    max_active_runs=2,
    params=PARAMS,
    render_template_as_native_obj=True,
    default_args=task_defaults(),
    tags=["kalshi", "candles"],
    doc_md=__doc__,
)
def kalshi_candles_daily() -> None:
    plan = PlanOperator(task_id="plan", job=CANDLES.job, series="{{ params.series }}")
    synced = CandlesSyncOperator.partial(
        task_id="sync_series",
        force="{{ params.force }}",
        map_index_template="{{ task.planned.series_ticker }}",
    ).expand(planned=plan.output)
    synced >> ReportOperator(
        task_id="report",
        report=CANDLES,
        series="{{ params.series }}",
        retries=0,
        outlets=[Asset(name="kalshi_candle_1m", uri="x-kalshi://warehouse/kalshi_candle_1m")],
    )


kalshi_candles_daily()
