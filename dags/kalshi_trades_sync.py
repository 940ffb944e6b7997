"""# Kalshi public trades

Reads the public trades of the configured series' markets into `kalshi_trade`, including block trades, which are marked.

* Every hour it reads the trades since its last run, with an hour of overlap; a trade is stored once, by its
  `trade_id`. After a pause of more than seven days it reads the last seven first; the older days are gaps
  (`kalshi_gap`), which this run and the next ones fill, some by each.
* With `date_from` and `date_to` it reads those days (UTC, inclusive), from both tiers. Complete days are skipped unless
  `force` is set.
* `series` may be `["*"]`: the tape of the whole exchange, in one task and a request per thousand trades; markets that
  are new to the warehouse are looked up on the way. It also fills what runs of single series left missing. Trades of
  multivariate combinations (`KXMVE…`) are left out: name their series. For a handful of series, name them: their
  markets then cost a request each, not the exchange's whole tape.
* The catalog of named series is synced first, so that every trade has its market. After a task is killed, its retry
  resumes with the market where it stopped.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import CronDataIntervalTimetable, dag

from kalshi.operators.common import dag_defaults, force_param, optional_day_param, series_param
from kalshi.operators.runs import PlanOperator, report_task
from kalshi.operators.trades import TradesSyncOperator
from kalshi.reports.trades import TRADES

PARAMS = {
    "series": series_param(or_everything=True),
    "date_from": optional_day_param("First day", "UTC. Empty: the trades since the last run."),
    "date_to": optional_day_param("Last day", "UTC, inclusive. Required with the first day."),
    "force": force_param(),
}


@dag(
    description="Public trades since the last run, or of a range of days",
    schedule=CronDataIntervalTimetable("@hourly", timezone="UTC"),
    start_date=datetime(2025, 9, 29, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    tags=["kalshi", "trades"],
    doc_md=__doc__,
    **dag_defaults(),
)
def kalshi_trades_sync() -> None:
    plan = PlanOperator(task_id="plan", job=TRADES.job, series="{{ params.series }}")
    synced = TradesSyncOperator.partial(
        task_id="sync_trades",
        date_from="{{ params.date_from }}",
        date_to="{{ params.date_to }}",
        force="{{ params.force }}",
        map_index_template="{{ task.planned.scope }}",
    ).expand(planned=plan.output)
    synced >> report_task(TRADES, "kalshi_trade")


kalshi_trades_sync()
