"""# Kalshi portfolio

Reads your own positions, fills, settlements and balance, signed with the API key of `kalshi_default`; a key with the
scope `read` is enough. Without a key its tasks are skipped.

* Fills are read since the last one, with an hour of overlap; the first sync reads them all, including archived ones.
* A position that the exchange no longer lists is closed, once every page of positions was read. If it reappears, it is
  reopened with a new `opened_at_utc`.
* `kalshi_pnl_market` and `kalshi_pnl_event` show the P&L (first in, first out, fees separate);
  `kalshi_pnl_reconciliation` lists where it differs from the exchange's own figures.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import CronDataIntervalTimetable, dag

from kalshi.operators.common import dag_defaults
from kalshi.operators.portfolio import (
    PortfolioPlanOperator,
    PortfolioReportOperator,
    PortfolioSyncOperator,
    subaccounts_param,
)
from kalshi.operators.runs import table_asset
from kalshi.reports.portfolio import PORTFOLIO

SUBACCOUNTS = "{{ params.subaccounts | map('string') | list }}"


@dag(
    description="Your positions, fills, settlements and balance; skips without an API key",
    schedule=CronDataIntervalTimetable("@hourly", timezone="UTC"),
    start_date=datetime(2025, 9, 29, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={"subaccounts": subaccounts_param()},
    tags=["kalshi", "portfolio"],
    doc_md=__doc__,
    **dag_defaults(),
)
def kalshi_portfolio_sync() -> None:
    plan = PortfolioPlanOperator(task_id="plan", job=PORTFOLIO.job, series=SUBACCOUNTS)
    synced = PortfolioSyncOperator.partial(
        task_id="sync_subaccount", map_index_template="subaccount {{ task.planned.scope }}"
    ).expand(planned=plan.output)
    synced >> PortfolioReportOperator(
        task_id="report",
        report=PORTFOLIO,
        series=SUBACCOUNTS,
        outlets=[table_asset("kalshi_position"), table_asset("kalshi_fill")],
    )


kalshi_portfolio_sync()
