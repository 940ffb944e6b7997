"""The report of one DAG run: the result of each series, and what the job adds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.reports.files import SYNTHETIC, write_files
from kalshi.settings import load_settings
from kalshi.text import one_line
from kalshi.warehouse import sql
from kalshi.warehouse.exchanges import is_synthetic
from kalshi.warehouse.ledger import PLAN, runs_of

if TYPE_CHECKING:
    import altair as alt

ENDING = {
    "inserted": "inserted",
    "updated": "updated",
    "unchanged": "unchanged",
    "rejected": "rejected",
    "requests": "requests",
    "retries": "retries",
    "throttled_seconds": "waited s",
    "duration_seconds": "took s",
}
STATES = ("success", "warning", "failed")
"""From best to worst."""
Details = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """A table on the page, with a sentence above it."""

    title: str
    intro: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class RunReport:
    """How the runs of one job are reported.

    ``columns``: headings of the run table, by field of a series' report; ``details``: further fields of the report,
    queried from the warehouse; ``sections``, ``chart`` and ``summary`` (one line, or empty) are built from the
    finished report; ``failure``: the words for a series that failed.
    """

    job: str
    title: str
    intro: str
    columns: dict[str, str]
    details: Callable[[sa.Connection, list[str]], Details]
    chart: Callable[[Details], alt.Chart | alt.VConcatChart | None]
    chart_title: str
    chart_intro: str
    sections: Callable[[Details], list[Section]] = field(default=lambda report: [])
    summary: Callable[[Details], str] = field(default=lambda report: "")
    failure: str = "not complete"

    def build(self, connection: sa.Connection, dag_run_id: str, wanted: list[str]) -> Details:
        """The report of one DAG run. A wanted series without a finished run counts as failed."""
        by_scope: dict[str, list[Details]] = defaultdict(list)
        for run in runs_of(connection, self.job, dag_run_id):
            by_scope[run["scope"]].append(run)
        series = [_series_report(ticker, by_scope) for ticker in wanted]
        failed = [s["scope"] for s in series if s["state"] == "failed"]
        warned = [s["scope"] for s in series if s["state"] == "warning"]
        counts = ("inserted", "updated", "unchanged", "rejected")
        return {
            "job": self.job,
            "dag_run_id": dag_run_id,
            "is_synthetic": is_synthetic(connection),
            "verdict": "failed" if failed else "warning" if warned else "success",
            "failed": failed,
            "warned": warned,
            "totals": {name: sum(s.get(name, 0) for s in series) for name in counts},
            "series": series,
            **self.details(connection, wanted),
        }

    def table(self, series: list[Details]) -> str:
        """What the run did, as an aligned text table, with errors and warnings below it."""
        lines = _aligned(cells(series, self.columns), list(self.columns.values()), floatfmt=".1f")
        notes = [(s["scope"], note) for s in series for note in [s.get("error"), *s.get("warnings", [])] if note]
        return "\n".join([lines, *(f"{scope}: {one_line(note)}" for scope, note in notes)])

    def text(self, report: Details) -> str:
        """The whole report as aligned text tables."""
        parts = [SYNTHETIC] if report["is_synthetic"] else []
        parts += [summary] if (summary := self.summary(report)) else []
        parts += [f"What this run did\n\n{self.table(report['series'])}"]
        parts += [
            f"{section.title}\n\n{_aligned(section.rows, section.headers)}"
            for section in self.sections(report)
            if section.rows
        ]
        return "\n\n".join(parts)

    def write(self, report: Details, folder: Path) -> Path:
        """Write ``report.json``, ``plot.png`` and ``index.html`` below ``folder``; returns the page."""
        return write_files(
            folder,
            report,
            "run.html.jinja",
            self.chart(report),
            keep=load_settings().reports.keep,
            spec=self,
            run_table=Section("", "", list(self.columns.values()), cells(report["series"], self.columns)),
            sections=self.sections(report),
        )


def _aligned(rows: Sequence[Sequence[Any]], headers: Sequence[str], floatfmt: str = "g") -> str:
    """A text table, one line per row."""
    lines = [[one_line(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    return tabulate(lines, headers=list(headers), floatfmt=floatfmt)


def rows_of(connection: sa.Connection, name: str, /, **values: Any) -> list[Details]:
    """The rows of ``include/sql/reports/<name>.sql``."""
    return [dict(row) for row in sql.run_file(connection, "reports", name, **values).mappings()]


def cells(records: list[Details], columns: dict[str, str]) -> list[list[Any]]:
    """The records as rows of cells: a list shows its length, a close time its day, other times their minute."""
    return [[_cell(name, record.get(name, "")) for name in columns] for record in records]


def _cell(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return len(value)
    if name.endswith("_close_time_utc"):
        return str(value or "")[:10]
    return str(value)[:16].replace("T", " ") if name.endswith("_utc") else value


def _series_report(ticker: str, by_scope: dict[str, list[Details]]) -> Details:
    """The combined report of all tasks of one series."""
    runs = by_scope.get(ticker, [])
    if not runs:
        plan = by_scope[PLAN][-1]["report"] if by_scope.get(PLAN) else None
        why = (plan or {}).get("error") or "See the log of the task plan."
        return {"scope": ticker, "state": "failed", "error": f"Its task never started. {why}"}
    killed = {"scope": ticker, "state": "failed", "error": "Its task was killed.", "warnings": []}
    return _together([run["report"] or killed for run in runs])


def _together(reports: list[Details]) -> Details:
    """One report from those of a series' windows: the worst state, sums, the widest window."""
    merged = dict(reports[0])
    for report in reports[1:]:
        for name, value in report.items():
            before = merged.get(name)
            if before is None or value is None:
                merged[name] = before if value is None else value
            elif name == "state":
                merged[name] = max(before, value, key=STATES.index)
            elif name.startswith(("from_", "earliest_", "run_id")):
                merged[name] = min(before, value)
            elif isinstance(value, str) and name.endswith("_utc"):
                merged[name] = max(before, value)
            elif isinstance(value, int | float | list) and not isinstance(value, bool):
                merged[name] = before + value
    return merged
