"""# Kalshi catalog: series → events → markets

Reads the configured series, their events and their markets (live and historical tier) from Kalshi and
keeps `kalshi_series`, `kalshi_event` and `kalshi_market` up to date. Run it as often as you like: if
nothing changed on the exchange, a run changes nothing, and a known settlement is never erased.

* **plan** migrates the warehouse's schema and asks where the historical tier ends.
* **sync_catalog**, one task per series: a failing series doesn't block the others. Each page is committed
  atomically; after a task is killed, its retry keeps what was committed.
* **report** writes JSON and a page to the reports folder, even if a series failed, and then fails the
  run if one did. The same figures are in `kalshi_sync_run`.

`series` may be `["*"]`: all series, and the events and markets of the live tier (about three months), in one task.
Later runs read what has not closed before the last one, and all of the live tier once a week. The historical tier is
read series by series, when one is named, and kept up to date from then on. Multivariate combinations (`KXMVE…`) are
left out: name their series.

Open markets are read every time. The historical tier is read until it is complete, then skipped unless
`full` is set.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import Param, dag

from kalshi.operators.catalog import CatalogSyncOperator
from kalshi.operators.common import dag_defaults, max_pages_param, series_param
from kalshi.operators.runs import PlanOperator, report_task
from kalshi.reports.catalog import CATALOG

PARAMS = {
    "series": series_param(or_everything=True),
    "max_pages": max_pages_param(),
    "include_historical": Param(
        True,
        type="boolean",
        title="Historical tier",
        description="Also read archived markets, until all of them are in the warehouse.",
    ),
    "full": Param(
        False,
        type="boolean",
        title="Reread everything",
        description="Read the historical tier even if it is complete.",
    ),
}


@dag(
    description="Series, events and markets, open and archived",
    schedule="@hourly",
    start_date=datetime(2025, 9, 29, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params=PARAMS,
    tags=["kalshi", "catalog"],
    doc_md=__doc__,
    **dag_defaults(),
)
def kalshi_catalog_sync() -> None:
    plan = PlanOperator(task_id="plan", job=CATALOG.job, series="{{ params.series }}")
    synced = CatalogSyncOperator.partial(
        task_id="sync_catalog",
        max_pages="{{ params.max_pages }}",
        include_historical="{{ params.include_historical }}",
        full="{{ params.full }}",
        map_index_template="{{ task.planned.scope }}",
    ).expand(planned=plan.output)
    synced >> report_task(CATALOG, "kalshi_market")


kalshi_catalog_sync()
