"""The structure of every sync DAG: a plan, one task per series, a report."""

from __future__ import annotations

import heapq
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import sqlalchemy as sa
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException

from kalshi.exchange import Exchange
from kalshi.hooks.kalshi import KalshiHook
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.operators.common import KalshiOperator, describe_run, failing_for_good, whereabouts
from kalshi.reports.runs import RunPage
from kalshi.settings import MOST_TASKS, load_settings
from kalshi.sync.cutoff import find_cutoff
from kalshi.sync.report import JobReport
from kalshi.text import first_few
from kalshi.warehouse.checkpoints import EVERYTHING
from kalshi.warehouse.migrate import migrate

_PLANS = "ti.xcom_pull(task_ids='plan') | default([], true)"
PLANNED = (
    f"{{{{ {_PLANS} | map(attribute='series', default=[]) | sum(start=[]) | unique | list "
    f"or {_PLANS} | map(attribute='scope') | unique | list or params.series }}}}"
)
"""A template: the series that were planned, or, where the plan failed, those that were asked for."""
PARTS = 16
"""So many tasks share the series of the whole exchange: each has some minutes of work, however many there are."""
MOST_NAMED = 20
"""An error names no more series than this."""


def planned_series(planned: Mapping[str, Any]) -> list[str]:
    """The series of an element of a plan. A task may be run again with the plan of an earlier release."""
    return planned.get("series") or [planned["scope"]]


def as_utc(moment: Any) -> Any:
    """A plain datetime in UTC; Airflow's are a subclass that reports can't encode."""
    return datetime.fromtimestamp(moment.timestamp(), UTC) if moment else None


class PlanOperator(KalshiOperator):
    """Migrates the warehouse, asks once where the historical tier ends, and plans one task per series.

    ``series`` may hold patterns (:func:`named_series`) of what the exchange lists.

    XCom: a list of ``{"scope", "series", "cutoff", "trades_cutoff", "planned_at"}``: the name of the task, the series
    that it is about, and times in ISO 8601.
    """

    template_fields: Sequence[str] = ("series",)

    def __init__(self, *, job: str, series: list[str] | str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job = job
        self.series = series

    def execute(self, context: Any) -> list[dict[str, Any]]:
        if EVERYTHING in self.series and len(self.series) > 1:
            raise AirflowFailException("The series * means the whole exchange: pass it alone.")
        with failing_for_good(), WarehouseHook().connected() as engine:
            self.log.info("The warehouse is at schema version %s.", migrate(engine))
            with KalshiHook().get_conn(engine) as exchange:
                found = find_cutoff(exchange, engine, self.job, context["dag_run"].run_id)
                scopes = named_series(self.series, lambda: _listed(exchange))
        cutoff = found.markets_settled.isoformat()
        trades = found.trades_created.isoformat() if found.trades_created else None
        self.log.info("Markets settled before %s and trades before %s are in the historical tier.", cutoff, trades)
        plan = {"cutoff": cutoff, "trades_cutoff": trades, "planned_at": datetime.now(UTC).isoformat()}
        return [{"scope": scope, "series": [scope], **plan} for scope in scopes]


def parts_of_everything(sizes: Mapping[str, int]) -> list[tuple[str, list[str]]]:
    """Divide series into at most PARTS tasks of about the same size, each with its name and its series."""
    parts: list[tuple[int, list[str]]] = [(0, []) for _ in range(min(PARTS, len(sizes)))]
    for series, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        lightest, others = heapq.heappop(parts)
        heapq.heappush(parts, (lightest + size, [*others, series]))
    return [
        (f"{EVERYTHING} {number} of {len(parts)}", sorted(each)) for number, (_, each) in enumerate(sorted(parts), 1)
    ]


def _listed(exchange: Exchange) -> list[str]:
    return [found.record.ticker for found in exchange.all_series().records]


def named_series(asked: Sequence[str], listed: Callable[[], Iterable[str]]) -> list[str]:
    """The series that are asked for; a pattern, such as KXHIGH*, stands for those ``listed`` that match it.

    Raises:
        AirflowFailException: nothing matches a pattern, or all of them come to more than MOST_TASKS.
    """
    patterns = [each for each in asked if EVERYTHING in each and each != EVERYTHING]
    if not patterns:
        return list(asked)
    known = sorted(listed())
    named = {pattern: [name for name in known if fnmatchcase(name, pattern)] for pattern in patterns}
    if nothing := [pattern for pattern, names in named.items() if not names]:
        raise AirflowFailException(f"No known series matches {', '.join(nothing)}.")
    series = list(dict.fromkeys(name for each in asked for name in named.get(each, [each])))
    if len(series) > MOST_TASKS:
        raise AirflowFailException(
            f"{', '.join(patterns)}: {len(series)} series, each a task of its own, but at most {MOST_TASKS} are "
            "planned. Choose a narrower pattern, or * alone for the whole exchange, where the DAG has it."
        )
    return series


class SeriesSyncOperator(KalshiOperator):
    """Runs one job for one series, or for the whole exchange. ``planned`` is an element of the plan's XCom."""

    template_fields: Sequence[str] = ("planned",)
    report: RunPage[Any]

    def __init__(self, *, planned: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.planned = planned

    def execute(self, context: Any) -> None:
        with (
            failing_for_good(),
            WarehouseHook().connected(loads=True) as engine,
            KalshiHook().get_conn(engine) as exchange,
        ):
            reports = self.sync(exchange, engine, context)
        self.log.info("\n%s", self.report.table(reports))

    @abstractmethod
    def sync(self, exchange: Exchange, engine: sa.Engine, context: Any) -> Sequence[JobReport]:
        """Run the job for what is planned, and return the report of each series."""

    def about(self, context: Any) -> dict[str, Any]:
        """The run's part of every request. The data interval of a run without one is its own time."""
        asked_at = as_utc(context["dag_run"].run_after)
        return {
            "scope": self.planned["scope"],
            "tolerated_share": load_settings().tolerances.rejected_share,
            "dag_run_id": context["dag_run"].run_id,
            "window_start": as_utc(context.get("data_interval_start")) or asked_at,
            "window_end": as_utc(context.get("data_interval_end")) or asked_at,
            "asked_at": asked_at,
            "planned_at": self._planned_time("planned_at"),
            "by_hand": context["dag_run"].run_type == "manual",
        }

    @property
    def cutoff(self) -> datetime:
        """Markets settled earlier are in the historical tier."""
        return datetime.fromisoformat(self.planned["cutoff"])

    @property
    def trades_cutoff(self) -> datetime | None:
        """Older trades are in the historical tier; None if the exchange doesn't report it."""
        return self._planned_time("trades_cutoff")

    def _planned_time(self, name: str) -> datetime | None:
        """A time of the plan; None if it has none. A task may be run again with the plan of an earlier release."""
        planned = self.planned.get(name)
        return datetime.fromisoformat(planned) if planned else None


class ReportOperator(KalshiOperator):
    """Writes the report of this DAG run, then fails if a series or a task failed."""

    template_fields: Sequence[str] = ("series",)

    def __init__(self, *, report: RunPage[Any], series: list[str] | str, **kwargs: Any) -> None:
        super().__init__(trigger_rule="all_done", **kwargs)
        self.report = report
        self.series = series

    def execute(self, context: Any) -> str:
        with failing_for_good(), WarehouseHook().connected() as engine, engine.connect() as connection:
            found = self.report.build(connection, context["dag_run"].run_id, list(self.series))
        describe_run(found, context)
        page = self.report.write(found, load_settings().reports.path / self.dag_id)
        self.log.info("\n%s\n\nThe report: %s", self.report.text(found), whereabouts(page))
        if found.failed:
            raise AirflowFailException(
                f"{self.report.title}: {first_few(found.failed, MOST_NAMED)} {self.report.failure}; the report says "
                f"why: {whereabouts(page)}"
            )
        if unfinished := self._unfinished(context):
            raise AirflowFailException(f"{self.report.title}: {', '.join(unfinished)} failed; their logs say why.")
        return str(page)

    def _unfinished(self, context: Any) -> list[str]:
        """The upstream tasks that failed. The report already names the series that failed."""
        states = context["ti"].get_task_states(
            dag_id=self.dag_id, task_ids=sorted(self.upstream_task_ids), run_ids=[context["dag_run"].run_id]
        )
        return sorted(task for run in states.values() for task, state in run.items() if state == "failed")


def table_asset(table: str) -> Asset:
    """The asset that represents a table of the warehouse."""
    return Asset(name=table, uri=f"x-kalshi://warehouse/{table}")


def report_task(report: RunPage[Any], table: str, series: str = PLANNED) -> ReportOperator:
    """The task ``report`` of a DAG, which updates the asset of ``table``. ``series``: a template, those to report on.

    It is retried if the warehouse is unavailable, but not when it fails because another task failed.
    """
    return ReportOperator(task_id="report", report=report, series=series, outlets=[table_asset(table)])
