"""# Kalshi price snapshots

Writes one row per open market and run into `kalshi_price_snapshot`: bid, ask, last price, sizes, volume and open
interest, at the end of the data interval. Rerunning an interval adds nothing.

* `series` may be `["*"]`: every open market of the exchange, multivariate combinations only with `include_combos`.
* Markets and events that no catalog sync has seen get placeholder rows in the same transaction.
* `observed_at_utc` records when the prices were read. A run that is more than five minutes late warns, because the
  exchange only serves current prices.
* `retention_days` prunes older snapshots; while `prune_dry_run` is set, it only reports how many there are.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import Param, dag

from kalshi.operators.common import dag_defaults, series_param
from kalshi.operators.runs import PlanOperator, report_task
from kalshi.operators.snapshots import PriceSnapshotOperator, PruneSnapshotsOperator
from kalshi.reports.snapshots import SNAPSHOTS
from kalshi.settings import load_settings

PARAMS = {
    "series": series_param(or_everything=True),
    "include_combos": Param(
        False,
        type="boolean",
        title="Include combinations",
        description="With series *: also multivariate ones, hundreds of thousands of markets.",
    ),
    "retention_days": Param(
        load_settings().snapshots.keep_days or None,
        type=["null", "integer"],
        minimum=1,
        title="Days to keep",
        description="Older snapshots are pruned. Empty: keep all. Default: snapshots.keep_days.",
    ),
    "prune_dry_run": Param(
        not load_settings().snapshots.keep_days,
        type="boolean",
        title="Only count them",
        description="Off: delete the older ones. Default: on, unless kalshi.toml says how long to keep.",
    ),
}


@dag(
    description="Top of the book of every open market",
    schedule="*/5 * * * *",
    start_date=datetime(2025, 9, 29, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    tags=["kalshi", "prices"],
    doc_md=__doc__,
    **dag_defaults(),
)
def kalshi_price_snapshots() -> None:
    plan = PlanOperator(task_id="plan", job=SNAPSHOTS.job, series="{{ params.series }}")
    taken = PriceSnapshotOperator.partial(
        task_id="snapshot_series",
        include_combos="{{ params.include_combos }}",
        map_index_template="{{ task.planned.scope }}",
    ).expand(planned=plan.output)
    report = report_task(SNAPSHOTS, "kalshi_price_snapshot")
    prune = PruneSnapshotsOperator(
        task_id="prune",
        retention_days="{{ params.retention_days }}",
        prune_dry_run="{{ params.prune_dry_run }}",
    )
    taken >> [report, prune]


kalshi_price_snapshots()
