"""The report of the catalog sync: what the warehouse holds of each series, and which days it has."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from kalshi.reports.runs import ENDING, Details, RunReport, Section, cells

if TYPE_CHECKING:
    import altair as alt

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


def _details(connection: sa.Connection, wanted: list[str]) -> Details:
    return {"warehouse": _held(connection, wanted), "days_by_month": _days_by_month(connection, wanted)}


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


def _sections(report: Details) -> list[Section]:
    series = report["series"]
    statuses = sorted({status for s in series for status in s.get("statuses", {})})
    counts = [[s["scope"], *(s.get("statuses", {}).get(status, 0) for status in statuses)] for s in series]
    return [
        Section(
            "What the warehouse holds",
            "“Settled” markets have a result. “Days missing” are days without an event between the first and the last.",
            list(HELD_COLUMNS.values()),
            cells(report["warehouse"], HELD_COLUMNS),
        ),
        Section("Status of the markets read", "", ["series", *statuses], counts if statuses else []),
    ]


def _heat_map(report: Details) -> alt.Chart | None:
    if not report["days_by_month"]:
        return None
    import altair as alt  # takes 0.2 s: too long for every import of a DAG file

    data = alt.Data(values=report["days_by_month"])  # type: ignore[no-untyped-call]
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


CATALOG = RunReport(
    job="catalog",
    title="Kalshi catalog",
    intro="Markets and events: as read in this run, each counted once. Closing days are UTC.",
    columns={
        "scope": "series",
        "state": "state",
        "markets": "markets",
        "events": "events",
        "earliest_close_time_utc": "first close",
        "latest_close_time_utc": "last close",
        **ENDING,
    },
    details=_details,
    sections=_sections,
    chart=_heat_map,
    chart_title="Dates that can be backtested",
    chart_intro="Share of each month's days that have an event in the warehouse.",
)
