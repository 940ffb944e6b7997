"""# Kalshi reconciliation

Proves what is stored by the exchange's own figures. For every settled market it compares the exchange's volume with the
sum of `kalshi_trade` and of the exchange's candles in `kalshi_candle_1m`, and keeps the verdicts in
`kalshi_reconciliation`:

* **proven**: the volume agrees, and trades and candles agree minute by minute. A checksum remembers the rows: one that
  is added, changed or deleted later makes the market unproven.
* **short**, **over**: fewer or more contracts than the exchange's volume.
* **unread**: not all of the market's life was read, a gap lies in it, or its rows have changed since they were proven.

With `repair` it reads what isn't proven again, market by market from both tiers, and deletes rows that the exchange
doesn't have. It only deletes if the answers are certain and add up to the exchange's own volume. A market that then
still differs is named by every run and read again once a week (`reconciliation.wait_days` in `include/kalshi.toml`).
Days that were never read are left to the DAGs of trades and candles.

`series` may be `["*"]`: all series with settled markets, in 16 tasks; without days, the markets that settled in the
last seven days or weren't proven before, as far as a job ever read their time. The report sums up by category.

A run that leaves a market unproven ends with a warning that names it; the report lists them all.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import Param, dag

from kalshi.operators.common import dag_defaults, optional_day_param, series_param
from kalshi.operators.reconciliation import ReconciliationOperator, ReconciliationPlanOperator
from kalshi.operators.runs import report_task
from kalshi.reports.reconciliation import RECONCILIATION

PARAMS = {
    "series": series_param(or_everything=True),
    "date_from": optional_day_param(
        "First day", "When markets closed, UTC. Empty: all of them; of * those that settled lately."
    ),
    "date_to": optional_day_param("Last day", "Inclusive. Required with the first day."),
    "repair": Param(
        True,
        type="boolean",
        title="Read again what differs",
        description="Off: only compare, without a request to the exchange.",
    ),
}


@dag(
    description="Settled markets against the exchange's own volume; reads again what differs",
    schedule="0 3 * * *",
    start_date=datetime(2025, 9, 29, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    tags=["kalshi", "quality"],
    doc_md=__doc__,
    **dag_defaults(),
)
def kalshi_reconciliation() -> None:
    plan = ReconciliationPlanOperator(
        task_id="plan",
        series="{{ params.series }}",
        date_from="{{ params.date_from }}",
        date_to="{{ params.date_to }}",
    )
    compared = ReconciliationOperator.partial(
        task_id="reconcile_series",
        repair="{{ params.repair }}",
        map_index_template="{{ task.planned.scope }}",
    ).expand(planned=plan.output)
    compared >> report_task(RECONCILIATION, "kalshi_reconciliation")


kalshi_reconciliation()
