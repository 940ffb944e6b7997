"""The coverage page: every series by every day or month, what of it is known, and what to do about the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from kalshi.cells import Link, Table, number
from kalshi.cells import table as table_of
from kalshi.settings import Settings, load_settings
from kalshi.ui import covered
from kalshi.ui.airflow import dag_form
from kalshi.ui.asked import (
    MOST_DAYS,
    MOST_SUGGESTED,
    OptionalDay,
    categories,
    end_of_month,
    known_series,
    moment,
    wrong_days,
)
from kalshi.ui.coverage_grid import Grid, Selection, read_grid
from kalshi.ui.covered import Covered, Decided, State, ratio, state, total
from kalshi.ui.parameters import EARLIEST
from kalshi.ui.rendering import Column, Columns, address, pager, render, table
from kalshi.ui.responses import problem
from kalshi.ui.warehouse import Warehouse, ask, query

router = APIRouter()
Step = Literal["", "day", "month"]

BY_MONTH_BEYOND = 92
"""Days: a longer range is shown by month unless asked otherwise."""
ROWS, CELLS = 25, 2500
"""On a page, at most: so that it stays below 500 KB."""
MOST_EVENTS = 60
NARROWEST = 4
"""Days below which a month's name stands."""


@router.get("/coverage")
def show_coverage(
    request: Request,
    connection: Warehouse,
    series: Annotated[str, Query(max_length=120)] = "",
    category: Annotated[str, Query(max_length=190)] = "",
    date_from: OptionalDay = None,
    date_to: OptionalDay = None,
    until: OptionalDay = None,
    days: Annotated[int, Query(ge=1, le=MOST_DAYS)] = 60,
    by: Step = "",
    show: Annotated[str, Query(max_length=64)] = "quotes",
    page: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    """``until`` and ``days``: another way to say ``date_to`` and ``date_from``."""
    settings = load_settings()
    if show not in shows(settings):
        return problem(request, 400, "Nothing to show", f"show={show}: choose one of {', '.join(shows(settings))}.")
    known = known_series(connection, settings, series, category)
    newest = ask(connection, "coverage_latest_day", series=known, today=datetime.now(UTC).date())[0]
    last = date_to or until or newest["day"] or datetime.now(UTC).date()
    first = date_from or date.fromordinal(max(EARLIEST.toordinal(), last.toordinal() - days + 1))
    step = by or ("month" if (last - first).days >= BY_MONTH_BEYOND else "day")
    if wrong := wrong_days(first, last, step):
        return problem(request, 400, "No such days", wrong)
    selection = Selection(series, category, first, last, step, show, page)
    found = coverage(connection, request, selection, known)
    return render(request, "coverage.html.jinja", connection, asked_by=by, undated=newest["undated"], **found)


def shows(settings: Settings) -> dict[str, str]:
    """What can be coloured, and in words."""
    named = {
        decision.name: f"{moment(decision)}: in what share of the markets was a quote known?"
        for decision in settings.decision_times
    }
    opened = {"open": "Open: in what share of the markets was a quote known when they opened?"}
    return {**covered.WORDS, **named, **opened}


def coverage(connection: sa.Connection, request: Request, selection: Selection, known: Sequence[str]) -> dict[str, Any]:
    """What the template ``coverage.html.jinja`` shows."""
    settings = load_settings()
    rows = max(1, min(ROWS, CELLS // len(selection.columns)))
    ranked = _ranked(connection, selection, known) if len(known) > rows else known
    shown = ranked[(selection.page - 1) * rows : selection.page * rows]
    grid = read_grid(connection, selection, shown, settings.quality.max_spread)
    cities = settings.cities
    return {
        "selection": selection,
        "earliest": EARLIEST,
        "names": ranked[:MOST_SUGGESTED],
        "categories": categories(connection),
        "pager": pager(request, "page", selection.page, rows, len(known)),
        "switch": [
            (name, words, address(request, "coverage", **selection.params(show=name, page=selection.page)))
            for name, words in shows(settings).items()
        ],
        "heads": _heads(selection.columns, selection.by),
        "grid": [(ticker, cities.get(ticker, ""), _row(request, grid, ticker)) for ticker in shown],
        "legend": _legend(grid),
        "todo": _todo(request, grid, cities),
        "questions": _questions(request, grid, cities, settings),
        "events": _events(request, grid, cities, settings),
        "most": MOST_EVENTS,
        "found": len(grid.events),
        "quote_minutes": settings.quality.quote_minutes,
        "max_spread": settings.quality.max_spread,
        "moments": [f"{decision.name} is {moment(decision)}" for decision in settings.decision_times],
        "enough": covered.ENOUGH,
    }


def _ranked(connection: sa.Connection, selection: Selection, known: Sequence[str]) -> list[str]:
    """The worst first; series without an event in these days last."""
    span = {"series": list(known), "first": selection.first, "last": selection.last}
    worst = [row["series"] for row in ask(connection, "coverage_ranks", **span)]
    return list(dict.fromkeys([*worst, *known]))


def _heads(columns: Sequence[date], by: str) -> list[tuple[str, list[str]]]:
    """Above the columns: months with their days, or years with their months. A month of a few days has no room for its
    name beside another's."""
    outer, inner = ("%b %Y", "%d") if by == "day" else ("%Y", "%b")
    heads = [
        (name, [f"{day:{inner}}" for day in days]) for name, days in groupby(columns, lambda day: f"{day:{outer}}")
    ]
    fits = NARROWEST if by == "day" and len(heads) > 1 else 1
    return [(name if len(days) >= fits else "", days) for name, days in heads]


def _row(request: Request, grid: Grid, series: str) -> list[tuple[State, str, str]]:
    """A series' cells: each with its full description, and where a click leads."""
    row = []
    for first in grid.selection.columns:
        shown = grid.state(series, first)
        when = f"{first:%d %b %Y}" if grid.selection.by == "day" else f"{first:%B %Y}"
        row.append((shown, f"{series}, {when}: {shown.about}", _deeper(request, grid, series, first, shown)))
    return row


def _deeper(request: Request, grid: Grid, series: str, first: date, shown: State) -> str:
    """A month leads to its days; a day to its event, or to the run that would read it."""
    known = grid.cells.get((series, first), Covered())
    if grid.selection.by == "month":
        last = min(end_of_month(first), grid.selection.last)
        month = grid.selection.params(series=series, by="day", date_from=max(first, grid.selection.first), date_to=last)
        return address(request, "coverage", **month) if known.events or shown.todo else ""
    if shown.kind == "unread" and shown.todo:
        return dag_form(request, shown.todo, series, *_days_to_read(first, known))
    if known.event:
        return address(request, "event", known.event)
    if known.events:  # several on one day
        day = grid.selection.params(series=series, date_from=first, date_to=first)
        return f"{address(request, 'coverage', **day)}#events"
    return ""


def _days_to_read(first: date, known: Covered) -> tuple[date, date]:
    """The UTC days of the events' lives."""
    until = known.closes - timedelta(microseconds=1) if known.closes else None
    return known.opens.date() if known.opens else first, until.date() if until else first


def _legend(grid: Grid) -> list[tuple[str, str, int]]:
    """The words of the cells with their colour, and how many cells say so; the least known first."""
    counted: dict[str, tuple[str, int]] = {}
    for series in grid.series:
        for first in grid.selection.columns:
            shown = grid.state(series, first)
            kind, before = counted.get(shown.word, (shown.kind, 0))
            counted[shown.word] = (min(kind, shown.kind), before + 1)
    order = ["unread", "unchecked", "q0", "q1", "q2", "q3", "q4", "open", "none"]
    return sorted(((kind, word, many) for word, (kind, many) in counted.items()), key=lambda each: order.index(each[0]))


LACKING: Columns = {
    "city": "city",
    "series": "series",
    "state": "what is missing",
    "first": "from",
    "last": "to",
    "events": "events",
    "run": "what to do",
}
ACTIONS = {
    "kalshi_catalog_sync": "list its events",
    "kalshi_candles_backfill": "read these days",
    "kalshi_data_quality": "check these days",
    "kalshi_reconciliation": "compare these days",
}


def _todo(request: Request, grid: Grid, cities: Mapping[str, str]) -> Table:
    """Days side by side that lack the same thing, with the form that starts the run which fills them."""
    records = []
    for series in grid.series:
        states = [(first, grid.state(series, first)) for first in grid.selection.columns]
        lacking = [(first, shown) for first, shown in states if shown is not covered.NO_EVENT]
        for (word, dag), days in groupby(lacking, lambda each: (each[1].word, each[1].todo)):
            if not dag:
                continue
            firsts = [first for first, _ in days]
            known = total(grid.cells.get((series, first), Covered()) for first in firsts)
            edge = firsts[-1] if grid.selection.by == "day" else min(end_of_month(firsts[-1]), grid.selection.last)
            first, last = _days_to_read(firsts[0], known) if known.opens else (firsts[0], edge)
            records.append(
                {
                    "city": cities.get(series, ""),
                    "series": series,
                    "state": word,
                    "first": firsts[0],
                    "last": edge,
                    "events": known.events,
                    "run": Link(ACTIONS[dag], dag_form(request, dag, series, first, min(last, grid.now.date()))),
                }
            )
    return table(records, LACKING, name="todo")


def _questions(request: Request, grid: Grid, cities: Mapping[str, str], settings: Settings) -> Table:
    """The questions that a backtest asks of the data, answered for each series over all days that are shown."""
    headers = ["city", "series", "events", "checked"]
    for decision in settings.decision_times:
        headers += [f"{decision.name}: quotes known", f"{decision.name}: spreads fillable"]
    headers += ["trades > 0", "proven"]
    rows = []
    for series in grid.series:
        known = total(covered for (ticker, _), covered in grid.cells.items() if ticker == series)
        if not known.events:  # no event of it has a day
            continue

        def answer(part: int, whole: int, show: str, series: str = series) -> Link | str:
            chosen = grid.selection.params(series=series, show=show)
            return _answer(part, whole, f"{address(request, 'coverage', **chosen)}#events")

        row: list[Any] = [cities.get(series, ""), series, known.events, answer(known.checked, known.events, "quotes")]
        for decision in settings.decision_times:
            found = known.decisions.get(decision.name, Decided())
            row += [answer(part, found.markets, decision.name) for part in (found.quoted, found.fillable)]
        row += [answer(known.traded, known.settled, "trades"), answer(known.proven, known.settled, "proof")]
        rows.append(row)
    return table_of("", headers, rows, name="questions", empty="No series has an event in these days.")


def _answer(part: int, whole: int, href: str) -> Link | str:
    """Yes, mostly, partly or no, with the share; a click leads to what is behind it, the worst first."""
    share = ratio(part, whole)
    if share is None:
        return ""
    part = min(part, whole)
    if share == 1:
        word, badge = "yes", "pass"
    elif share >= covered.ENOUGH:
        word, badge = "mostly", "pass"
    else:
        word, badge = ("partly", "warn") if share else ("no", "fail")
    return Link(
        f"{word}: {part:,} of {whole:,}" + (f" ({number(share, 'share')})" if 0 < share < 1 else ""), href, badge
    )


def _events(request: Request, grid: Grid, cities: Mapping[str, str], settings: Settings) -> Table:
    """The events, or months, that are worst in what the cells show; those without a figure last."""
    names = [decision.name for decision in settings.decision_times]
    columns: Columns = {
        "event": "event" if grid.selection.by == "day" else "month",
        "city": "city",
        "series": "series",
        "day": "day",
        "state": "state",
        "share": Column("share", "share"),
        "markets": "markets",
        "settled": "settled",
        "proven": "proven",
        "trades": "trades",
        "longest_gap": "longest gap, minutes",
        **{name: f"quotes at {name}" for name in names},
    }
    states = []
    for series, day, known in grid.events:
        cell = replace(known, gaps=grid.cells[series, day].gaps)
        states.append((series, day, known, state(grid.selection.show, cell, grid.why_not(series, day, known))))
    states.sort(key=lambda each: (2.0 if each[3].share is None else each[3].share, each[1], each[0]))
    records = [
        {
            "event": _link(request, grid, series, day, known),
            "city": cities.get(series, ""),
            "series": series,
            "day": day,
            "state": shown.word,
            "share": shown.share,
            "markets": known.markets,
            "settled": known.settled,
            "proven": known.proven if known.compared else None,
            "trades": known.trades if known.compared else None,
            "longest_gap": known.longest_gap if known.checked else None,
            **{name: _decided(known.decisions.get(name)) for name in names},
        }
        for series, day, known, shown in states[:MOST_EVENTS]
    ]
    values = {"series": list(grid.series), "first": grid.selection.first, "last": grid.selection.last}
    statement = query("coverage_minutes", by=grid.selection.by, **values)
    return table(records, columns, name="events", query=statement, empty="No events in these days.")


def _decided(found: Decided | None) -> str:
    return f"{found.quoted} known, {found.fillable} fillable of {found.markets}" if found else ""


def _link(request: Request, grid: Grid, series: str, day: date, known: Covered) -> Link:
    if known.event:
        return Link(known.event, address(request, "event", known.event))
    return Link(f"{day:%B %Y}", _deeper(request, grid, series, day, covered.NO_EVENT))
