"""Where our jobs are in Airflow: their DAGs, their runs, and the pages that start them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from urllib.parse import quote

from fastapi import Request

from kalshi.reports.files import folder_name
from kalshi.settings import DAGS, MOST_TASKS, load_settings
from kalshi.ui.rendering import address, root
from kalshi.warehouse.checkpoints import EVERYTHING

CANDLES = ("kalshi_candles_daily", "kalshi_candles_backfill")
DAGS_OF = {
    "catalog": ("kalshi_catalog_sync",),
    "settlements": ("kalshi_settlements_sync",),
    "trades": ("kalshi_trades_sync",),
    "snapshots": ("kalshi_price_snapshots",),
    "candles": CANDLES,
    "candles_from_trades": CANDLES,
    "candles_dense": CANDLES,
    "portfolio": ("kalshi_portfolio_sync",),
    "reconciliation": ("kalshi_reconciliation",),
    "quality": ("kalshi_data_quality",),
    "retention": ("kalshi_retention",),
}
"""By job, the DAGs that run it; the last one reads any days."""
WITHOUT_SERIES = {"portfolio", "retention"}
WITH_DAYS = {"kalshi_trades_sync", "kalshi_candles_backfill", "kalshi_reconciliation", "kalshi_data_quality"}
"""The DAGs that can be asked for days."""


def our_dags() -> list[str]:
    return sorted(file.stem for file in DAGS.glob("kalshi_*.py"))


def airflow_address(request: Request, *parts: str) -> str:
    """The path of a page of Airflow itself: ``dags``, a DAG's id, ``runs``, a run's id."""
    return "/".join([root(request).rpartition("/")[0], *(quote(part, safe="") for part in parts)])


def run_address(request: Request, job: str, dag_run_id: str | None) -> str:
    """A run in Airflow, or else its DAG; "" for a job that isn't ours."""
    if (dag := dag_of(job, dag_run_id)) is None:
        return ""
    return airflow_address(request, "dags", dag, *(("runs", dag_run_id) if dag_run_id else ()))


def report_address(request: Request, job: str, dag_run_id: str | None) -> str:
    """The report of a run; "" if this machine has none."""
    dag = dag_of(job, dag_run_id)
    if not dag or not dag_run_id or not _has_report(dag, dag_run_id):
        return ""
    return address(request, "reports", dag, folder_name(dag_run_id))


def dag_of(job: str, dag_run_id: str | None) -> str | None:
    """The DAG of a run. Of those that run the same job, it is the one that has written its report, or else the one
    that runs are scheduled or started by hand of."""
    dags = DAGS_OF.get(job, ())
    if len(dags) < 2:
        return dags[0] if dags else None
    found = [dag for dag in dags if dag_run_id and _has_report(dag, dag_run_id)]
    by_hand = (dag_run_id or "").startswith("manual")
    return found[0] if len(found) == 1 else dags[-1 if by_hand else 0]


def _has_report(dag: str, dag_run_id: str) -> bool:
    return (load_settings().reports.path / dag / folder_name(dag_run_id) / "index.html").exists()


def form_address(
    request: Request, job: str, series: str = "", first: datetime | None = None, end: datetime | None = None
) -> str:
    """The form that runs a job, filled in: these series (comma-separated; of more than a DAG takes, the whole
    exchange), from ``first`` to before ``end``."""
    series = EVERYTHING if series.count(",") >= MOST_TASKS else series
    last = max(first, end - timedelta(microseconds=1)) if first and end else None
    days = (first.date(), last.date()) if first and last else (None, None)
    sources = "trades" if job == "candles_from_trades" else ""
    return dag_form(request, DAGS_OF[job][-1], "" if job in WITHOUT_SERIES else series, *days, sources=sources)


def dag_form(
    request: Request, dag: str, series: str, first: date | None = None, last: date | None = None, **others: str
) -> str:
    """The form that runs a DAG, filled in; days, both included, only if it can be asked for them."""
    days = {"date_from": first, "date_to": last} if dag in WITH_DAYS else {}
    return address(request, "run", dag, series=series, **others, **days)
