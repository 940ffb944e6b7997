"""The report of the catalog sync: what the warehouse holds of each series, and which days have events."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from kalshi.cells import Table, table
from kalshi.reports.charts import BY_SERIES, by_date, chart_of
from kalshi.reports.runs import RunPage, RunReport, rows_of, section
from kalshi.sync.catalog import CatalogReport
from kalshi.sync.report import Field
from kalshi.warehouse import sql


class HeldSeries(msgspec.Struct):
    """What the warehouse holds of a series."""

    series_ticker: Annotated[str, Field("series ticker", "series")]
    events: Annotated[int | None, Field("events", "events")]
    markets: Annotated[int | None, Field("markets", "markets")]
    open: Annotated[int | None, Field("open markets", "open")]
    settled: Annotated[int | None, Field("markets with a result", "settled")]
    earliest_close_time_utc: Annotated[datetime | None, Field("the first close", "first close", unit="day")]
    latest_close_time_utc: Annotated[datetime | None, Field("the last close", "last close", unit="day")]
    missing_days: Annotated[
        int | None,
        Field("days without an event between the first and the last; null: the series isn't daily", "days missing"),
    ]


class MonthOfEvents(msgspec.Struct):
    """How many days of a month have an event, of a daily series."""

    series: Annotated[str, Field("series ticker")]
    month: Annotated[str, Field("`2026-09`")]
    days: Annotated[int, Field("days with an event")]
    expected: Annotated[int, Field("days between the first and the last event")]


class CatalogRun(RunReport[CatalogReport], kw_only=True):
    """The report of ``kalshi_catalog_sync``."""

    warehouse: Annotated[list[HeldSeries], Field("what the warehouse holds of each series")]
    days_by_month: Annotated[list[MonthOfEvents], Field("of daily series, by month")]


def _details(connection: sa.Connection, wanted: list[str], runs: list[int]) -> dict[str, Any]:
    return {"warehouse": _held(connection, wanted), "days_by_month": _days_by_month(connection, wanted)}


def _held(connection: sa.Connection, wanted: list[str]) -> list[HeldSeries]:
    """What the warehouse holds of each series, in the order of ``wanted``."""
    rows = rows_of(connection, "catalog_by_series", HeldSeries, series=wanted)
    found = {row.series_ticker: row for row in rows}
    return [found[ticker] for ticker in wanted if ticker in found]


def _days_by_month(connection: sa.Connection, wanted: list[str]) -> list[MonthOfEvents]:
    """For each daily series and month: the days between its first and last event, and how many have an event."""
    days: dict[str, set[date]] = defaultdict(set)
    for ticker, event_day in sql.run_file(connection, "reports", "catalog_days", series=wanted):
        days[ticker].add(event_day)
    months: list[MonthOfEvents] = []
    for ticker, event_days in days.items():
        first, last = min(event_days), max(event_days)
        expected = (first + timedelta(days=n) for n in range((last - first).days + 1))
        for month, calendar_days in groupby(expected, key=lambda day: f"{day:%Y-%m}"):
            found = [day in event_days for day in calendar_days]
            months.append(MonthOfEvents(ticker, month, sum(found), len(found)))
    return months


def _sections(report: CatalogRun) -> list[Table]:
    series = report.series
    statuses = sorted({status for s in series for status in s.statuses})
    counts = [[s.scope, *(s.statuses.get(status, 0) for status in statuses)] for s in series]
    return [
        section(
            "What the warehouse holds",
            "“Settled” markets have a result. “Days missing”: days without an event between the first and the last.",
            HeldSeries,
            report.warehouse,
        ),
        table("Status of the markets in this run", ["series", *statuses], counts if statuses else []),
    ]


CATALOG = RunPage(
    job="catalog",
    title="Kalshi catalog",
    intro="Markets and events read in this run, each counted once. Close dates are UTC.",
    report=CatalogRun,
    series=CatalogReport,
    details=_details,
    sections=_sections,
    chart=chart_of(
        "days_by_month",
        transform=[{"calculate": "datum.days / datum.expected", "as": "share"}],
        mark={"type": "rect", "stroke": "var(--ground)", "strokeWidth": 1},
        encoding={
            "x": by_date("month"),
            "y": BY_SERIES,
            "color": {
                "field": "share",
                "type": "quantitative",
                "title": "days with events",
                "scale": {"domain": [0, 1], "range": "heatmap"},
                "legend": {"format": ".0%"},
            },
        },
        width=950,
        height={"step": 26},
    ),
    chart_title="Days you can backtest",
    chart_intro="Share of the days in each month with an event in the warehouse.",
)
