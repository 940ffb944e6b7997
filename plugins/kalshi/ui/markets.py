"""The markets page: every event of the catalog, searched, filtered, sorted and paged by the server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from kalshi.cells import Cell, Heading, Link, Table, cell
from kalshi.settings import load_settings
from kalshi.ui.asked import MOST_SUGGESTED, categories
from kalshi.ui.forecast import measured
from kalshi.ui.parameters import OptionalDay
from kalshi.ui.rendering import CSV, Column, Columns, address, changed, pager, render, table
from kalshi.ui.responses import problem
from kalshi.ui.warehouse import Warehouse, ask
from kalshi.warehouse import sql

router = APIRouter()

SIZE = 50
"""Events on a page."""
MOST = 10_000
"""Events in the CSV file."""
COLUMNS: Columns = {
    "event": "event",
    "title": "title",
    "city": "city",
    "day": "day",
    "state": "status",
    "markets": "markets",
    "volume": Column("volume", "contracts"),
    "closes_at_utc": "closes (UTC)",
    "winner": "settled at",
    "observed": "observed",
}
SORTED = ("event", "day", "state", "markets", "volume", "closes_at_utc")
"""The columns by which the events can be sorted."""
Sort = Literal["event", "day", "state", "markets", "volume", "closes_at_utc"]
Direction = Literal["asc", "desc"]
State = Literal["", "upcoming", "open", "closed", "settled"]
STATES: dict[State, str] = {
    "": "all",
    "upcoming": "upcoming",
    "open": "open",
    "closed": "closed, not settled",
    "settled": "settled",
}


@dataclass(frozen=True)
class Search:
    """Which events to show, in which order. Empty and None: all."""

    text: str
    series: str
    category: str
    state: State
    first: date | None
    last: date | None
    sort: Sort
    direction: Direction
    page: int

    @property
    def order(self) -> str:
        """As SQL: events that lack the value come last in either direction."""
        return f"{self.sort} IS NULL, {self.sort} {self.direction}, event"


@router.get("/markets")
def show_markets(
    request: Request,
    connection: Warehouse,
    text: Annotated[str, Query(max_length=120)] = "",
    series: Annotated[str, Query(max_length=120)] = "",
    category: Annotated[str, Query(max_length=190)] = "",
    state: State = "",
    first: OptionalDay = None,
    last: OptionalDay = None,
    sort: Sort = "day",
    direction: Annotated[Direction, Query(alias="dir")] = "desc",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    if first and last and first > last:
        return problem(request, 400, "No such days", f"{first} is later than {last}: exchange the two days.")
    search = Search(text.strip(), series.strip(), category, state, first, last, sort, direction, page)
    return render(request, "markets.html.jinja", connection, **markets(connection, request, search))


def markets(connection: sa.Connection, request: Request, search: Search) -> dict[str, Any]:
    """What the template ``markets.html.jinja`` shows."""
    size = MOST if CSV in request.query_params else SIZE
    statement = sql.read("ui", "markets").text.replace("{order}", search.order)
    values = _values(search) | {"most": size, "skipped": (search.page - 1) * size}
    found = [dict(row) for row in sql.run(connection, statement, **values).mappings()]
    return {
        "search": search,
        "states": STATES,
        "known": ask(connection, "series", category="", most=MOST_SUGGESTED),
        "categories": categories(connection),
        "events": _events(connection, request, search, found, sql.written_out(statement, values)),
        "pager": pager(request, "page", search.page, size, found[0]["total"] if found else 0),
        "first_page": changed(request, page=None),
    }


def _values(search: Search) -> dict[str, Any]:
    """The values of ``markets.sql``: tickers are searched from their start, titles and cities anywhere."""
    ticker = search.text.upper()
    cities = load_settings().cities
    return {
        "text": search.text,
        "ticker": f"{ticker}-",
        "prefix": f"{_literal(ticker)}%",
        "within": f"%{_literal(search.text)}%",
        "in_city": [series for series, city in cities.items() if search.text.lower() in city.lower()],
        "series": search.series.upper(),
        "category": search.category,
        "state": search.state,
        "first": search.first,
        "last": search.last,
    }


def _literal(text: str) -> str:
    """The text as LIKE ... ESCAPE '|' takes it literally."""
    return re.sub(r"([|%_])", r"|\1", text)


def _events(
    connection: sa.Connection, request: Request, search: Search, found: list[dict[str, Any]], query: str
) -> Table:
    cities = load_settings().cities
    paid: dict[str, list[dict[str, Any]]] = {}
    for row in ask(connection, "winners", events=[row["event"] for row in found]):
        paid.setdefault(row["event"], []).append(row)
    records = [
        row
        | {
            "event": Link(row["event"], address(request, "event", row["event"])),
            "city": cities.get(row["series"], ""),
            "state": Cell(STATES[row["state"]], row["state"], badge="info" if row["state"] == "open" else ""),
            "winner": _winner(paid.get(row["event"], [])),
            "observed": _observed(row, paid.get(row["event"], []), cities),
        }
        for row in found
    ]
    columns = {name: _sortable(request, search, name, column) for name, column in COLUMNS.items()}
    return table(records, columns, title="events", name="events", query=query)


def _winner(paid: list[dict[str, Any]]) -> str:
    """The bracket that paid; of several, how many more there are."""
    if not paid:
        return ""
    more = f" and {len(paid) - 1} more" if len(paid) > 1 else ""
    return f"{paid[0]['bracket']}{more}"


def _observed(row: dict[str, Any], paid: list[dict[str, Any]], cities: dict[str, str]) -> Cell:
    return cell(measured(each["expiration_value"] for each in paid), "°F" if row["series"] in cities else "")


def _sortable(request: Request, search: Search, name: str, column: str | Column) -> Column:
    """The column, with a heading that sorts by it: a second click turns the order round."""
    known = column if isinstance(column, Column) else Column(column)
    if name not in SORTED:
        return known
    is_current = name == search.sort
    turned = "asc" if is_current and search.direction == "desc" else "desc"
    order = {"asc": "ascending", "desc": "descending"}[search.direction] if is_current else ""
    href = changed(request, sort=name, dir=turned, page=None)
    return Column(Heading(str(known.heading), href, order), known.unit)
