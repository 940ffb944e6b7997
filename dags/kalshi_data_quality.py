"""# Kalshi data quality

Looks at the warehouse after the candles came, says what is there, what is missing and what is suspicious, and whether
a backtest would find prices when it decides. It asks the exchange nothing and changes no data.

* **Coverage**: minutes with a candle and minutes in which a quote was known, of every market and day, and the quotes at
  each decision time. `kalshi_coverage` and `kalshi_decision_coverage` keep every run's, so that progress shows.
* **Expectations**: what must hold of each table, checked in the database over the days asked for and no others.
  `include/kalshi.toml` says which broken rule is an error and which a warning.
* **Readiness**: a small backtest over the latest settled events, `kalshi_readiness`.
* The report is written first. Then the run fails where an error was found, or where there was nothing to check;
  a warning doesn't fail it.

Without dates it looks at the days that the candles DAGs just read.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import Param, dag

from kalshi.operators.common import dag_defaults, series_param
from kalshi.operators.quality import QualityCheckOperator, QualityPlanOperator
from kalshi.operators.runs import report_task, table_asset
from kalshi.reports.quality import QUALITY

DAYS = "UTC. Give both days or neither; without them, the days that the candles DAGs read last."
PARAMS = {
    "series": series_param(),
    "date_from": Param(None, type=["null", "string"], format="date", title="First day", description=DAYS),
    "date_to": Param(None, type=["null", "string"], format="date", title="Last day, included", description=DAYS),
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
        map_index_template="{{ task.planned.series_ticker }}",
    ).expand(planned=plan.output)
    checked >> report_task(QUALITY, "kalshi_quality_result")


kalshi_data_quality()
