"""The catalog report: what each series holds, what the run changed, what it cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.reports.files import write_files

if TYPE_CHECKING:
    import altair as alt

COLUMNS = {
    "scope": "series",
    "state": "state",
    "markets": "markets",
    "events": "events",
    "earliest": "earliest close",
    "latest": "latest close",
    "inserted": "inserted",
    "updated": "updated",
    "unchanged": "unchanged",
    "rejected": "rejected",
    "requests": "requests",
    "retries": "retries",
    "throttled_seconds": "waited s",
    "duration_seconds": "took s",
}


def _flat(series: dict[str, Any]) -> list[Any]:
    day = {
        "earliest": str(series.get("earliest_close_time_utc") or "")[:10],
        "latest": str(series.get("latest_close_time_utc") or "")[:10],
    }
    values = {**series, **day}
    return [values.get(name, "") for name in COLUMNS]


def table(series: list[dict[str, Any]]) -> str:
    """The series as an aligned text table, with what went wrong below it."""
    lines = tabulate([_flat(s) for s in series], headers=list(COLUMNS.values()), floatfmt=".1f")
    notes = [f"{s['scope']}: {note}" for s in series for note in [s.get("error"), *s.get("warnings", [])] if note]
    return "\n".join([lines, *notes])


def build(connection: sa.Connection, dag_run_id: str, wanted: list[str], runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The report of one DAG run. A wanted series without a finished run counts as failed."""
    by_scope = {run["scope"]: run for run in runs}
    series: list[dict[str, Any]] = []
    for ticker in wanted:
        run = by_scope.get(ticker)
        if run and run["report"]:
            series.append(run["report"])
        else:
            why = "its task was killed" if run else "its task never began: see the log of the task plan"
            series.append({"scope": ticker, "state": "failed", "error": f"No report: {why}."})
    failed = [s["scope"] for s in series if s["state"] == "failed"]
    warned = [s["scope"] for s in series if s["state"] == "warning"]
    return {
        "dag_run_id": dag_run_id,
        "verdict": "failed" if failed else "warning" if warned else "success",
        "failed": failed,
        "warned": warned,
        "totals": {n: sum(s.get(n, 0) for s in series) for n in ("inserted", "updated", "unchanged", "rejected")},
        "series": series,
        "events_by_month": _events_by_month(connection, wanted),
    }


def _events_by_month(connection: sa.Connection, wanted: list[str]) -> list[dict[str, Any]]:
    rows = connection.execute(
        sa.text(
            "SELECT series_ticker, DATE_FORMAT(event_date, '%Y-%m') AS month, COUNT(*) AS events "
            "FROM kalshi_event WHERE event_date IS NOT NULL AND series_ticker IN :wanted "
            "GROUP BY series_ticker, month ORDER BY series_ticker, month"
        ).bindparams(sa.bindparam("wanted", expanding=True)),
        {"wanted": wanted},
    )
    return [dict(row) for row in rows.mappings()]


def _heat_map(events_by_month: list[dict[str, Any]]) -> alt.Chart:
    import altair as alt  # takes 0.2 s: too long for every import of a DAG file

    data = alt.Data(values=events_by_month)  # type: ignore[no-untyped-call]
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_rect()
        .encode(
            x=alt.X("month:O", title="month", axis=alt.Axis(labelOverlap=True, labelAngle=-45)),
            y=alt.Y("series_ticker:N", title=None),
            color=alt.Color("events:Q", title="events", scale=alt.Scale(scheme="teals")),
        )
        .properties(width=900, height=alt.Step(28), title="Events in the warehouse, by series and month")
    )
    return chart


def write(report: dict[str, Any], folder: Path) -> Path:
    """Write ``report.json``, ``events.png`` and ``index.html`` below ``folder``; returns the page."""
    chart = _heat_map(report["events_by_month"]) if report["events_by_month"] else None
    rows = [(s, _flat(s)) for s in report["series"]]
    return write_files(folder, report, "catalog.html.jinja", chart, headers=list(COLUMNS.values()), rows=rows)
