"""# Kalshi data quality

Checks the warehouse after the candles arrive: what is there, what is missing, what is suspicious, and whether a
backtest would find prices at its decision times. It sends no requests to the exchange and changes no data.

* **Gaps**: what the jobs know to be missing in these days, and times that no job ever read.
* **Coverage**: minutes with a candle and minutes with a known quote, for every market and day, and the quotes at each
  decision time. `kalshi_coverage` and `kalshi_decision_coverage` keep the results of every run, so that progress is
  visible.
* **Expectations**: the rules for each table, checked in the database over exactly the requested days.
  `include/kalshi.toml` sets which rules are errors and which are warnings.
* **Readiness**: a small backtest over the latest settled events, in `kalshi_readiness`.
* The report is written first. Then the run fails if there were errors or nothing to check; warnings don't fail it.

After candles it checks exactly the series and days that those runs read: a task for each series, and for days that
adjoin. By hand and without dates it checks, for each series, the days that were read last. Of the whole exchange
(`series: ["*"]`) it checks every series that had an open market, in 16 tasks; the report sums up by category and shows
the worst series.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import dag

from kalshi.operators.common import dag_defaults, optional_day_param, series_param
from kalshi.operators.quality import QualityCheckOperator, QualityPlanOperator
from kalshi.operators.runs import report_task, table_asset
from kalshi.reports.quality import QUALITY

PARAMS = {
    "series": series_param(or_everything=True),
    "date_from": optional_day_param("First day", "UTC. Empty: the days that the candles DAGs read last."),
    "date_to": optional_day_param("Last day", "UTC, inclusive. Required with the first day."),
}


@dag(
    description="Coverage, rules and a small backtest over the latest candles; fails on an error",
    schedule=table_asset("kalshi_candle_1m"),
    start_date=datetime(2025, 9, 29, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    tags=["kalshi", "quality"],
    doc_md=__doc__,
    **dag_defaults(),
)
def kalshi_data_quality() -> None:
    plan = QualityPlanOperator(
        task_id="plan",
        series="{{ params.series }}",
        date_from="{{ params.date_from }}",
        date_to="{{ params.date_to }}",
    )
    checked = QualityCheckOperator.partial(
        task_id="check_series",
        map_index_template="{{ task.planned.scope }} {{ task.planned.start[:10] }}",
    ).expand(planned=plan.output)
    checked >> report_task(QUALITY, "kalshi_quality_result")


kalshi_data_quality()
