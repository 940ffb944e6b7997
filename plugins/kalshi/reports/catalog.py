"""The report of the catalog sync: what the warehouse holds of each series, and which days have events."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from kalshi.reports.charts import BY_SERIES, by_date, chart_of
from kalshi.reports.runs import ENDING, Details, RunReport, Section, cells, rows_of

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
    """What the warehouse holds of each series, in the order of ``wanted``."""
    rows = rows_of(connection, "catalog_by_series", series=wanted)
    found = {row["series_ticker"]: row for row in rows}
    return [found[ticker] for ticker in wanted if ticker in found]


def _days_by_month(connection: sa.Connection, wanted: list[str]) -> list[dict[str, Any]]:
    """For each daily series and month: the days between its first and last event, and how many have an event."""
    days: dict[str, set[date]] = defaultdict(set)
    for row in rows_of(connection, "catalog_days", series=wanted):
        days[row["series_ticker"]].add(row["event_date"])
    months: list[dict[str, Any]] = []
    for ticker, event_days in days.items():
        first, last = min(event_days), max(event_days)
        expected = (first + timedelta(days=n) for n in range((last - first).days + 1))
        for month, calendar_days in groupby(expected, key=lambda day: f"{day:%Y-%m}"):
            found = [day in event_days for day in calendar_days]
            months.append({"series": ticker, "month": month, "days": sum(found), "expected": len(found)})
    return months


def _sections(report: Details) -> list[Section]:
    series = report["series"]
    statuses = sorted({status for s in series for status in s.get("statuses", {})})
    counts = [[s["scope"], *(s.get("statuses", {}).get(status, 0) for status in statuses)] for s in series]
    return [
        Section(
            "What the warehouse holds",
            "“Settled” markets have a result. “Days missing”: days without an event between the first and the last.",
            list(HELD_COLUMNS.values()),
            cells(report["warehouse"], HELD_COLUMNS),
        ),
        Section("Status of the markets in this run", "", ["series", *statuses], counts if statuses else []),
    ]


CATALOG = RunReport(
    job="catalog",
    title="Kalshi catalog",
    intro="Markets and events read in this run, each counted once. Close dates are UTC.",
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
    chart=chart_of(
        "days_by_month",
        transform=[{"calculate": "datum.days / datum.expected", "as": "share"}],
        mark={"type": "rect", "stroke": "white", "strokeWidth": 1},
        encoding={
            "x": by_date("month"),
            "y": BY_SERIES,
            "color": {
                "field": "share",
                "type": "quantitative",
                "title": "days with events",
                "scale": {"domain": [0, 1], "range": ["#d9480f", "#fff4e6", "#0b7285"]},
                "legend": {"format": ".0%"},
            },
        },
        width=950,
        height={"step": 26},
    ),
    chart_title="Days you can backtest",
    chart_intro="Share of the days in each month with an event in the warehouse.",
)
