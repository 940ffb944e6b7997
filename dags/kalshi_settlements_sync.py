"""# Kalshi settlements

Fills `kalshi_settlement` from settled markets, and keeps the markets' own status and result up to date. It doesn't
depend on other DAGs: it creates missing markets and events.

* The first run of a series reads every settled market of both tiers. Later runs read those settled since, with a day of
  overlap. Every run reads the markets that are closed but not settled yet, and looks up those that should be.
* `series` may be `["*"]`: the whole exchange in one task, from the live tier (about three months). What settled earlier
  is read when its series is named.
* A known result is never erased. A result that the exchange amends is updated, and `kalshi_settlement_change` keeps the
  old one.
* The report lists what settled, what was amended, and what looks wrong: settled without a result, long past its close,
  events that don't have exactly one YES.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import Param, dag

from kalshi.operators.common import dag_defaults, max_pages_param, series_param
from kalshi.operators.runs import PlanOperator, report_task
from kalshi.operators.settlements import SettlementsSyncOperator
from kalshi.reports.settlements import SETTLEMENTS

PARAMS = {
    "series": series_param(or_everything=True),
    "max_pages": max_pages_param(),
    "full": Param(
        False,
        type="boolean",
        title="Reread everything",
        description="Read every settled market of both tiers, as the first run does.",
    ),
}


@dag(
    description="Results and payouts of settled markets; lists what is overdue or odd",
    schedule="@hourly",
    start_date=datetime(2025, 9, 29, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    tags=["kalshi", "settlements"],
    doc_md=__doc__,
    **dag_defaults(),
)
def kalshi_settlements_sync() -> None:
    plan = PlanOperator(task_id="plan", job=SETTLEMENTS.job, series="{{ params.series }}")
    synced = SettlementsSyncOperator.partial(
        task_id="sync_settlements",
        max_pages="{{ params.max_pages }}",
        full="{{ params.full }}",
        map_index_template="{{ task.planned.scope }}",
    ).expand(planned=plan.output)
    synced >> report_task(SETTLEMENTS, "kalshi_settlement")


kalshi_settlements_sync()
