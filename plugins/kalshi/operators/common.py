"""What the DAGs share: defaults, params, and which failures a retry can't fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from airflow.sdk import BaseOperator, BaseOperatorLink, Param
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from kalshi.exchange import RequestRefused
from kalshi.hooks.errors import BadConnection
from kalshi.operations.alerts import failure_callbacks
from kalshi.reports.files import folder_name
from kalshi.reports.runs import Verdicts
from kalshi.settings import POOL, load_settings
from kalshi.sync.snapshots import FutureSnapshot
from kalshi.warehouse.capabilities import UnfitServer
from kalshi.warehouse.exchanges import ForeignData
from kalshi.warehouse.export import ExportFailed
from kalshi.warehouse.migrate import LongMigration
from kalshi.warehouse.retention import MonthsNotDroppable
from kalshi.warehouse.server import InsecureServer, error_of

WAREHOUSE_REFUSED = {1044, 1045, 1049, 1142}
"""Error numbers: database access denied, wrong user or password, unknown database, table access denied."""


def dag_defaults() -> dict[str, Any]:
    """The arguments of every DAG: templates that keep a param's type, ``default_args``, and the callbacks that alert
    people when a run fails."""
    callbacks = failure_callbacks()
    return {
        "render_template_as_native_obj": True,
        "default_args": task_defaults(),
        **({"on_failure_callback": callbacks} if callbacks else {}),
    }


def task_defaults() -> dict[str, Any]:
    """``default_args`` of every DAG."""
    settings = load_settings()
    return {
        "retries": settings.tasks.retries,
        "retry_delay": timedelta(seconds=settings.tasks.retry_delay_seconds),
        "retry_exponential_backoff": True,
        "pool": POOL,
    }


def series_param(*, or_everything: bool = False) -> Param:
    """The param ``series``: a list of series tickers, by default the configured ones; ``*`` only if allowed."""
    star, hint = (r"|^\*$", " * alone: the whole exchange.") if or_everything else ("", "")
    return Param(
        load_settings().series_tickers,
        type="array",
        items={"type": "string", "pattern": rf"^[A-Za-z0-9][A-Za-z0-9._-]*\*?${star}"},
        minItems=1,
        uniqueItems=True,
        title="Series",
        description="Series tickers, such as KXHIGHNY, or patterns, such as KXHIGH*. Default: the series in "
        f"include/kalshi.toml.{hint}",
    )


def max_pages_param() -> Param:
    """The param ``max_pages``."""
    return Param(
        None,
        type=["null", "integer"],
        minimum=1,
        title="Page cap",
        description="Stop each list after this many pages, for a quick look. If the cap is hit, the run ends with a "
        "warning.",
    )


def force_param() -> Param:
    """The param ``force``."""
    return Param(
        False,
        type="boolean",
        title="Reread complete days",
        description="Read the days again even if they are complete.",
    )


def optional_day_param(title: str, description: str) -> Param:
    """A param ``date_from`` or ``date_to`` that may stay empty; ``day_range`` checks the pair."""
    return Param(None, type=["null", "string"], format="date", title=title, description=description)


def day_range(date_from: Any, date_to: Any, *, is_required: bool = False) -> tuple[date, date]:
    """The params ``date_from`` and ``date_to``, checked. ``is_required``: whether there are no days without them.

    Raises:
        AirflowFailException: one is missing, or they are in the wrong order or in the future.
    """
    if not (date_from and date_to):
        hint = ", such as 2026-09-01 and 2026-09-07." if is_required else ", or neither."
        raise AirflowFailException(f"Give both date_from and date_to{hint}")
    first, last = date.fromisoformat(str(date_from)), date.fromisoformat(str(date_to))
    if first > last:
        raise AirflowFailException(f"date_from ({first}) is after date_to ({last}): swap them.")
    if first > datetime.now(UTC).date():
        raise AirflowFailException(f"date_from ({first}) is in the future: choose a past day or today.")
    return first, last


def describe_run(report: Verdicts[Any], context: Any) -> None:
    """Tell a report what started its DAG run, and when it began (aware UTC)."""
    run = context["dag_run"]
    # `airflow dags test DAG DATE` starts a run on its logical date; no run starts before it may.
    began = run.start_date and datetime.fromtimestamp(max(run.start_date, run.run_after).timestamp(), UTC)
    report.cause, report.began_at_utc = str(getattr(run.run_type, "value", run.run_type)), began


class ReportLink(BaseOperatorLink):
    """A task's button to the report of its DAG run."""

    @property
    def name(self) -> str:
        return "Report"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:
        return report_address(_base_url(), operator.dag_id, ti_key.run_id)


class KalshiOperator(BaseOperator):
    """What the operators of all DAGs have in common: a button to the report."""

    operator_extra_links = (ReportLink(),)


def whereabouts(page: Path) -> str:
    """Where to find a report: its page in Airflow, or, if Airflow's own address isn't configured, its file."""
    base = _base_url()
    return in_airflow(base, f"reports/{page.parents[1].name}/{page.parent.name}") if base else str(page)


def report_address(base_url: str, dag_id: str, dag_run_id: str) -> str:
    """The address of the report of a DAG run. Without a base URL it begins at the root of Airflow's own server."""
    return in_airflow(base_url, f"reports/{dag_id}/{folder_name(dag_run_id)}")


def _base_url() -> str:
    """Airflow's own address, or empty if it isn't configured."""
    return str(conf.get("api", "base_url", fallback="")).rstrip("/")


def in_airflow(base_url: str, page: str) -> str:
    """The address of one of our pages with Airflow's menu around it.

    Airflow 3.3 appends the page's own path, from the root of the server, to the path of its menu entry.
    """
    return f"{base_url}/plugin/kalshi{urlsplit(base_url).path}/kalshi/{page}"


@contextmanager
def failing_for_good() -> Iterator[None]:
    """Fail the task without retries if retrying won't help: a refused request, a bad connection, another
    exchange's data, a future date."""
    try:
        yield
    except AirflowNotFoundException as error:
        raise AirflowFailException(
            f"{error}. Define it in Airflow, or as AIRFLOW_CONN_KALSHI_DEFAULT or AIRFLOW_CONN_KALSHI_WAREHOUSE."
        ) from error
    except (
        *(RequestRefused, BadConnection, InsecureServer, UnfitServer),
        *(LongMigration, MonthsNotDroppable, ExportFailed, ForeignData, FutureSnapshot),
    ) as error:
        raise AirflowFailException(str(error)) from error
    except sa.exc.OperationalError as error:
        code, words = error_of(error)
        if code not in WAREHOUSE_REFUSED:
            raise
        raise AirflowFailException(
            f"kalshi_warehouse refused access: {words}. Check its user, password and database."
        ) from error
