"""The catalog report: what a run read and changed, series by series, and what the warehouse holds now."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.reports.files import write_files
from kalshi.sync.catalog import PLAN

if TYPE_CHECKING:
    import altair as alt

RUN_COLUMNS = {
    "scope": "series",
    "state": "state",
    "markets": "markets",
    "events": "events",
    "earliest_close_time_utc": "first close",
    "latest_close_time_utc": "last close",
    "inserted": "inserted",
    "updated": "updated",
    "unchanged": "unchanged",
    "rejected": "rejected",
    "requests": "requests",
    "retries": "retries",
    "throttled_seconds": "waited s",
    "duration_seconds": "took s",
}
HELD_COLUMNS = {
    "series_ticker": "series",
    "events": "events",
    "markets": "markets",
    "open": "open",
    "settled": "settled",
    "earliest_close_time_utc": "first close",
    "latest_close_time_utc": "last close",
    "missing_days": "days missing",
}


def _rows(things: list[dict[str, Any]], columns: dict[str, str]) -> list[list[Any]]:
    """The things as rows of cells; of a time, its day."""
    return [
        [str(thing.get(name) or "")[:10] if name.endswith("_utc") else thing.get(name, "") for name in columns]
        for thing in things
    ]


def table(series: list[dict[str, Any]]) -> str:
    """What the run did, as an aligned text table, with what went wrong below it."""
    lines = tabulate(_rows(series, RUN_COLUMNS), headers=list(RUN_COLUMNS.values()), floatfmt=".1f")
    notes = [f"{s['scope']}: {note}" for s in series for note in [s.get("error"), *s.get("warnings", [])] if note]
    return "\n".join([lines, *notes])


def held_table(held: list[dict[str, Any]]) -> str:
    """What the warehouse holds, as an aligned text table."""
    return tabulate(_rows(held, HELD_COLUMNS), headers=list(HELD_COLUMNS.values()))


def build(connection: sa.Connection, dag_run_id: str, wanted: list[str], runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The report of one DAG run. A wanted series without a finished run counts as failed."""
    by_scope = {run["scope"]: run for run in runs}
    series: list[dict[str, Any]] = []
    for ticker in wanted:
        run = by_scope.get(ticker)
        if run and run["report"]:
            series.append(run["report"])
        else:
            why = "Its task was killed." if run else f"Its task never began. {_planning_error(by_scope)}"
            series.append({"scope": ticker, "state": "failed", "error": why})
    failed = [s["scope"] for s in series if s["state"] == "failed"]
    warned = [s["scope"] for s in series if s["state"] == "warning"]
    return {
        "dag_run_id": dag_run_id,
        "verdict": "failed" if failed else "warning" if warned else "success",
        "failed": failed,
        "warned": warned,
        "totals": {n: sum(s.get(n, 0) for s in series) for n in ("inserted", "updated", "unchanged", "rejected")},
        "series": series,
        "warehouse": _held(connection, wanted),
        "days_by_month": _days_by_month(connection, wanted),
    }


def _planning_error(by_scope: dict[str, dict[str, Any]]) -> str:
    report = by_scope[PLAN]["report"] if PLAN in by_scope else None
    return (report or {}).get("error") or "See the log of the task plan."


def _held(connection: sa.Connection, wanted: list[str]) -> list[dict[str, Any]]:
    """What the warehouse holds of each series. Missing days: between its first and last event, where daily."""
    query = sa.text(
        "SELECT s.series_ticker, m.markets, m.open, m.settled, m.earliest_close_time_utc, m.latest_close_time_utc, "
        "e.events, CASE s.frequency WHEN 'daily' THEN e.missing_days END AS missing_days FROM kalshi_series s "
        "LEFT JOIN (SELECT series_ticker, COUNT(*) AS markets, CAST(SUM(status = 'active') AS SIGNED) AS open, "
        "COUNT(result) AS settled, MIN(close_time_utc) AS earliest_close_time_utc, "
        "MAX(close_time_utc) AS latest_close_time_utc FROM kalshi_market GROUP BY series_ticker) m "
        "ON m.series_ticker = s.series_ticker "
        "LEFT JOIN (SELECT series_ticker, COUNT(*) AS events, DATEDIFF(MAX(event_date), MIN(event_date)) + 1 "
        "- COUNT(DISTINCT event_date) AS missing_days FROM kalshi_event GROUP BY series_ticker) e "
        "ON e.series_ticker = s.series_ticker WHERE s.series_ticker IN :wanted"
    ).bindparams(sa.bindparam("wanted", expanding=True))
    found = {row["series_ticker"]: dict(row) for row in connection.execute(query, {"wanted": wanted}).mappings()}
    return [found[ticker] for ticker in wanted if ticker in found]


def _days_by_month(connection: sa.Connection, wanted: list[str]) -> list[dict[str, Any]]:
    """For each daily series and month: how many days have an event, of those between its first and last."""
    query = sa.text(
        "SELECT DISTINCT e.series_ticker, e.event_date FROM kalshi_event e JOIN kalshi_series s "
        "ON s.series_ticker = e.series_ticker WHERE s.frequency = 'daily' AND e.event_date IS NOT NULL "
        "AND e.series_ticker IN :wanted ORDER BY e.series_ticker, e.event_date"
    ).bindparams(sa.bindparam("wanted", expanding=True))
    days: dict[str, set[date]] = defaultdict(set)
    for ticker, day in connection.execute(query, {"wanted": wanted}):
        days[ticker].add(day)
    months: list[dict[str, Any]] = []
    for ticker, there in days.items():
        first, last = min(there), max(there)
        expected = (first + timedelta(days=n) for n in range((last - first).days + 1))
        for month, some in groupby(expected, key=lambda day: f"{day:%Y-%m}"):
            found = [day in there for day in some]
            months.append({"series": ticker, "month": month, "days": sum(found), "expected": len(found)})
    return months


def _heat_map(days_by_month: list[dict[str, Any]]) -> alt.Chart:
    import altair as alt  # takes 0.2 s: too long for every import of a DAG file

    data = alt.Data(values=days_by_month)  # type: ignore[no-untyped-call]
    share = alt.Scale(domain=[0, 1], range=["#d9480f", "#fff4e6", "#0b7285"])
    chart: alt.Chart = (
        alt.Chart(data)
        .transform_calculate(share="datum.days / datum.expected")
        .mark_rect(stroke="white", strokeWidth=1)
        .encode(
            x=alt.X("month:O", title=None, axis=alt.Axis(labelOverlap=True, labelAngle=-45)),
            y=alt.Y("series:N", title=None),
            color=alt.Color("share:Q", title="days there", scale=share, legend=alt.Legend(format=".0%")),
        )
        .properties(width=950, height=alt.Step(26), padding={"left": 5, "top": 5, "bottom": 5, "right": 30})
    )
    return chart


def write(report: dict[str, Any], folder: Path) -> Path:
    """Write ``report.json``, ``plot.png`` and ``index.html`` below ``folder``; returns the page."""
    return write_files(
        folder,
        report,
        "catalog.html.jinja",
        _heat_map(report["days_by_month"]) if report["days_by_month"] else None,
        run_headers=list(RUN_COLUMNS.values()),
        run_rows=_rows(report["series"], RUN_COLUMNS),
        held_headers=list(HELD_COLUMNS.values()),
        held_rows=_rows(report["warehouse"], HELD_COLUMNS),
        statuses=sorted({status for s in report["series"] for status in s.get("statuses", {})}),
    )
