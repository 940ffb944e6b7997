"""The coverage page: heat maps by city and day, and the events behind them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator

from kalshi.cells import Link, Table
from kalshi.cells import table as table_of
from kalshi.reports.charts import heat_map
from kalshi.settings import load_settings
from kalshi.ui.rendering import Chart, address, render
from kalshi.ui.responses import problem
from kalshi.ui.warehouse import Warehouse, ask

router = APIRouter()
OptionalDay = Annotated[date | None, BeforeValidator(lambda value: value or None)]

EARLIEST = date(1900, 1, 1)
"""The first day that may be asked for: no market is older, and 366 days before it still have dates."""
MOST_EVENTS = 60
SMALLEST, LARGEST = 16, 56
"""Width of a day, in pixels."""
ROW = 22
EVERY_MINUTE = "every minute"
LEGEND = {"format": ".0%", "orient": "top", "gradientThickness": 8, "values": [0, 0.5, 1]}
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Selection:
    """The events to show: of one series or all (""), in the ``days`` days up to ``until`` (None: the latest)."""

    series: str = ""
    days: int = 60
    until: date | None = None


@router.get("/coverage")
def show_coverage(
    request: Request,
    connection: Warehouse,
    series: Annotated[str, Query(max_length=120)] = "",
    days: Annotated[int, Query(ge=1, le=366)] = 60,
    until: OptionalDay = None,
) -> Response:
    if until and until < EARLIEST:
        message = f"The day {until} is too early: choose {EARLIEST} or a later day."
        return problem(request, 400, "No such days", message)
    found = coverage(connection, request, Selection(series, days, until))
    return render(request, "coverage.html.jinja", connection, **found)


def coverage(connection: sa.Connection, request: Request, selection: Selection) -> dict[str, Any]:
    """What the template ``coverage.html.jinja`` shows."""
    settings = load_settings()
    known = sorted({*settings.series_tickers, *(row["series"] for row in ask(connection, "covered_series"))})
    series = [selection.series] if selection.series else known
    until = selection.until or ask(connection, "latest_day", series=series)[0]["day"] or datetime.now(UTC).date()
    span = {"series": series, "first": until - timedelta(days=selection.days - 1), "last": until}
    minutes = ask(connection, "coverage_minutes", **span)
    decisions = ask(connection, "coverage_decisions", **span)
    events = ask(connection, "events", **span)
    cities = {series.ticker: series.city for series in settings.series}
    return {
        "selection": selection,
        "until": until,
        "earliest": EARLIEST,
        "known": known,
        "charts": _heat_maps(request, minutes, decisions, cities),
        "events": _events(request, events, minutes, decisions, cities),
        "number": len(events),
        "most": MOST_EVENTS,
        "quote_minutes": settings.quality.quote_minutes,
    }


def _heat_maps(request: Request, minutes: Rows, decisions: Rows, cities: dict[str, str]) -> list[Chart]:
    """One map of all minutes and one per decision time, over the same days. A cell links to its event."""
    maps: dict[str, Rows] = {EVERY_MINUTE: [{**row, "all": row["expected"], "of": "minutes"} for row in minutes]}
    for name in [*(decision.name for decision in load_settings().decision_times), "open"]:
        maps[name] = [{**row, "all": row["markets"], "of": "markets"} for row in decisions if row["decision"] == name]
    days = sorted({row["day"] for row in minutes + decisions})
    shown = {name: found for name, found in maps.items() if found}
    charts = []
    for name, found in shown.items():
        for row in found:
            row |= {
                "city": cities.get(row["series"], row["series"]),
                "href": address(request, "event", row["event"]),
                "share": row["quoted"] / (row["all"] or 1),
                "quotes": f"{row['quoted']:,} of {row['all']:,} {row['of']}",
            }
        specification = heat_map(name, found, has_legend=name == EVERY_MINUTE)
        encoding = specification["encoding"]
        encoding["x"]["scale"] |= {"domain": days}
        encoding["x"]["axis"] |= {"labelExpr": "utcFormat(toDate(datum.value), '%d %b')"}
        encoding["y"]["axis"] = {"orient": "right"}  # stays visible when the map is scrolled to its end
        if encoding["color"]["legend"]:
            encoding["color"] |= {"title": "quote known", "legend": LEGEND}
        about = [field for field in ("event", "day", "quotes", "longest_gap", "mean_spread") if field in found[0]]
        encoding |= {"href": {"field": "href"}, "tooltip": [{"field": field} for field in about]}
        width = 130 + len(days) * SMALLEST, 130 + len(days) * LARGEST
        size = {"width": "container", "height": ROW * len({row["city"] for row in found})}
        charts.append(Chart({**specification, **size}, *width))
    return charts


def _events(request: Request, events: Rows, minutes: Rows, decisions: Rows, cities: dict[str, str]) -> Table:
    """Those with the smallest share of minutes with a known quote first."""
    by_event = {row["event"]: row for row in minutes}
    quotes = {(row["event"], row["decision"]): f"{row['quoted']} of {row['markets']}" for row in decisions}
    names = list(dict.fromkeys(row["decision"] for row in decisions))

    def share(row: dict[str, Any]) -> float:
        result = by_event.get(row["event"])
        return result["quoted"] / result["expected"] if result and result["expected"] else 2.0  # never checked: last

    rows = [
        [
            Link(row["event"], address(request, "event", row["event"])),
            cities.get(row["series"], row["series"]),
            row["day"],
            row["markets"],
            row["settled"],
            f"{100 * share(row):.1f} %" if share(row) <= 1 else "not checked",
            by_event.get(row["event"], {}).get("longest_gap"),
            *(quotes.get((row["event"], name), "") for name in names),
        ]
        for row in sorted(events, key=share)[:MOST_EVENTS]
    ]
    headers = ["event", "city", "day", "markets", "settled", "minutes with a quote", "longest gap", *names]
    return table_of("", headers, rows, name="events", empty="No events in these days.")
