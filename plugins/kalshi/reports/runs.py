"""The report of one DAG run: how each series went, and what the job adds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa
from tabulate import tabulate

from kalshi.cells import Table, cell
from kalshi.reports.files import SYNTHETIC, write_files
from kalshi.settings import load_settings
from kalshi.sync.report import Field, JobReport, Outcome, State, columns, row_of, together, worst
from kalshi.text import one_line
from kalshi.warehouse import sql
from kalshi.warehouse.exchanges import is_synthetic
from kalshi.warehouse.ledger import PLAN, runs_of

if TYPE_CHECKING:
    import altair as alt

MOST_SERIES = 50
"""A page has no more series than this, the worst ones; report.json has all."""
MOST_ROWS = 200
"""The same for the rows of a table."""
Series = TypeVar("Series", bound=Outcome)
Job = TypeVar("Job", bound=JobReport)
Row = TypeVar("Row", bound=msgspec.Struct)


class Verdicts(msgspec.Struct, Generic[Series], kw_only=True):
    """What every ``report.json`` says."""

    job: Annotated[str, Field("as in `kalshi_sync_run`")]
    dag_run_id: Annotated[str, Field("the Airflow run")]
    cause: Annotated[str | None, Field("what started it: `manual`, `scheduled`, `asset_triggered`, `backfill` …")] = (
        None
    )
    began_at_utc: Annotated[datetime | None, Field("when it began")] = None
    is_synthetic: Annotated[bool, Field("whether the data comes from the sandbox or another exchange that makes it up")]
    verdict: Annotated[
        State,
        Field(
            "`success`; `warning`: something was left out on purpose or looks odd, or a person asked for a time in "
            "which no market was open; `failed`: a series is not complete"
        ),
    ]
    failed: Annotated[list[str], Field("the series that failed (portfolio: subaccounts)")]
    warned: Annotated[list[str], Field("those with warnings")]
    series: Annotated[list[Series], Field("one entry per series, see below")]


class Totals(msgspec.Struct):
    """Rows of all series together."""

    inserted: Annotated[int, Field("new rows")]
    updated: Annotated[int, Field("rows that changed")]
    unchanged: Annotated[int, Field("rows that were the same")]
    rejected: Annotated[int, Field("records that could not be stored")]


class RunReport(Verdicts[Job], Generic[Job], kw_only=True):
    """The report of a DAG that runs a job for each series."""

    totals: Annotated[Totals, Field("over all series")]


Report = TypeVar("Report", bound=RunReport[Any])


def section(title: str, intro: str, kind: type[Row], rows: Sequence[Row], **others: Any) -> Table:
    """A table that shows these rows, as their fields declare; of many only the first ones."""
    names = columns(kind)
    if len(rows) > MOST_ROWS:
        intro = f"{intro} The first {MOST_ROWS} of {len(rows):,} rows; report.json has all.".lstrip()
    return Table(title, intro, list(names.values()), [row_of(row, names) for row in rows[:MOST_ROWS]], **others)


def worst_of(series: Sequence[Series]) -> Sequence[Series]:
    """The series that a page shows: all of them, or, of many, the worst."""
    if len(series) <= MOST_SERIES:
        return series
    return sorted(series, key=lambda each: ("failed", "warning", "success").index(each.state))[:MOST_SERIES]


@dataclass(frozen=True)
class RunPage(Generic[Report]):
    """How the runs of one job are reported.

    ``report``: what is reported, with ``series`` as the report of a series; ``details``: its further fields, queried
    from the warehouse for these series and runs; ``sections``, ``chart`` and ``summary`` (one line, or empty) are built
    from the finished report; ``hidden``: fields of a series' report that the run table doesn't show; ``failure``: the
    words for a series that failed.
    """

    job: str
    title: str
    intro: str
    report: type[Report]
    series: type[JobReport]
    chart: Callable[[Report], alt.Chart | alt.VConcatChart | None]
    chart_title: str
    chart_intro: str
    details: Callable[[sa.Connection, list[str], list[int]], dict[str, Any]] = lambda connection, wanted, runs: {}
    sections: Callable[[Report], list[Table]] = lambda report: []
    summary: Callable[[Report], str] = lambda report: ""
    state: Callable[[Any], State] = lambda series: series.state
    hidden: Collection[str] = ()
    failure: str = "not complete"

    def build(self, connection: sa.Connection, dag_run_id: str, wanted: list[str]) -> Report:
        """The report of one DAG run. A wanted series without a finished run counts as failed."""
        by_scope: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for run in runs_of(connection, self.job, dag_run_id):
            by_scope[run["scope"]].append(run)
        series = [self._series_report(ticker, by_scope) for ticker in wanted]
        for each in series:
            each.state = self.state(each)
        return self.report(
            job=self.job,
            dag_run_id=dag_run_id,
            is_synthetic=is_synthetic(connection),
            verdict=worst(each.state for each in series),
            failed=[each.scope for each in series if each.state == "failed"],
            warned=[each.scope for each in series if each.state == "warning"],
            totals=Totals(*(sum(getattr(each, name) for each in series) for name in Totals.__struct_fields__)),
            series=series,
            **self.details(connection, wanted, [run["run_id"] for ticker in wanted for run in by_scope[ticker]]),
        )

    def _series_report(self, ticker: str, by_scope: dict[str, list[dict[str, Any]]]) -> JobReport:
        """The combined report of all tasks of one series."""
        runs = by_scope.get(ticker, [])
        if not runs:
            plan = by_scope[PLAN][-1]["report"] if by_scope.get(PLAN) else None
            why = (plan or {}).get("error") or "See the log of the task plan."
            return self.series(scope=ticker, error=f"Its task never started. {why}")
        killed = {"scope": ticker, "error": "Its task was killed."}
        return together([msgspec.convert(run["report"] or killed, self.series) for run in runs])

    def run_table(self, series: Sequence[JobReport]) -> Table:
        """What the run did, a line per series."""
        names = {name: heading for name, heading in columns(self.series).items() if name not in self.hidden}
        shown = worst_of(series)
        rows = [row_of(each, names) for each in shown]
        for each, row in zip(shown, rows, strict=True):
            if each.run_id is None:  # it has no figures
                row[2:] = [cell(None)] * len(row[2:])
        cut = f" The {len(shown)} worst of {len(series):,} series; report.json has all." * (len(shown) < len(series))
        return Table("What this run did", self.intro + cut, list(names.values()), rows)

    def table(self, series: Sequence[JobReport]) -> str:
        """What the run did, as an aligned text table, with errors and warnings below it."""
        did = self.run_table(series)
        notes = [f"{each.scope}: {one_line(note)}" for each in worst_of(series) for note in each.notes]
        cut = [f"The worst of {len(series):,} series; report.json has all."] * (len(worst_of(series)) < len(series))
        return "\n".join([_aligned(did), *cut, *notes])

    def text(self, report: Report) -> str:
        """The whole report as aligned text tables."""
        parts = [SYNTHETIC] if report.is_synthetic else []
        parts += [summary] if (summary := self.summary(report)) else []
        parts += [f"What this run did\n\n{self.table(report.series)}"]
        parts += [f"{found.title}\n\n{_aligned(found)}{_cut(found)}" for found in self.sections(report) if found.rows]
        return "\n\n".join(parts)

    def write(self, report: Report, folder: Path, template: str = "run.html.jinja", **more: Any) -> Path:
        """Write ``report.json``, ``plot.png`` and ``index.html`` below ``folder``; returns the page."""
        return write_files(
            folder,
            report,
            template,
            self.chart(report),
            keep=load_settings().reports.keep,
            spec=self,
            run_table=self.run_table(report.series),
            worst=worst_of(report.series),
            most=MOST_SERIES,
            sections=self.sections(report),
            **more,
        )


def _cut(table: Table) -> str:
    return "\nreport.json has all rows." if len(table.rows) == MOST_ROWS else ""


def _aligned(table: Table) -> str:
    """A text table, one line per row."""
    lines = [[one_line(cell.text) for cell in row] for row in table.rows]
    sides = ["right" if number in table.numbers else "left" for number in range(len(table.headers))] if lines else None
    return tabulate(lines, headers=list(map(str, table.headers)), colalign=sides, disable_numparse=True)


def rows_of(connection: sa.Connection, name: str, kind: type[Row], /, **values: Any) -> list[Row]:
    """The rows of ``include/sql/reports/<name>.sql``."""
    found = sql.run_file(connection, "reports", name, **values).mappings()
    return [msgspec.convert(dict(row), kind, strict=False) for row in found]
