"""The page of one event: its prices and what they said, its trades, its settlement, and whether to trust all that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from kalshi.cells import Cell, Link, cell
from kalshi.settings import load_settings
from kalshi.ui.airflow import dag_form
from kalshi.ui.charts import Drawing, datasets, event_chart, price_view
from kalshi.ui.clock import Clock, city_clock, in_words
from kalshi.ui.event_data import Event, Moment, read_event
from kalshi.ui.event_prices import SOURCES, History, history
from kalshi.ui.event_tables import change_table, coverage_table, market_table, moment_table, share_table, tape
from kalshi.ui.forecast import Quote, centres, expected, probabilities, quote
from kalshi.ui.parameters import EMPTY_IS_NONE
from kalshi.ui.rendering import CSV, Chart, address, changed, pager, render
from kalshi.ui.responses import not_found
from kalshi.ui.warehouse import Warehouse, ask
from kalshi.warehouse import retention
from kalshi.warehouse.api_candles import CANDLE_1M
from kalshi.warehouse.times import naive_utc
from kalshi.warehouse.trades import TRADE

router = APIRouter()

TAPE = 50
"""Trades on a page."""
MOST_TRADES = 100_000
"""Trades in the CSV file."""
HOLDS = timedelta(hours=1)
"""How long the last known prices of an event count as known."""
MOST_TO_SETTLEMENT = timedelta(days=1)
"""From the close, for the settlement to be drawn."""
Rows = list[dict[str, Any]]
OptionalMoment = Annotated[datetime | None, EMPTY_IS_NONE]


@dataclass(frozen=True)
class View:
    """How a person looks at the event: at which moment, by which clock, which page of whose trades."""

    at: datetime | None = None
    clock: Clock = field(default_factory=Clock)
    market: str = ""
    page: int = 1
    is_file: bool = False

    @property
    def size(self) -> int:
        """Trades on a page; a file has them all."""
        return MOST_TRADES if self.is_file else TAPE


@router.get("/event/{event_ticker:path}")
def show_event(
    request: Request,
    connection: Warehouse,
    event_ticker: str,
    at: OptionalMoment = None,
    zone: Literal["", "utc", "local"] = "",
    market: Annotated[str, Query(max_length=120)] = "",
    trades: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
) -> Response:
    event = read_event(connection, event_ticker)
    if event is None:
        return not_found(request, f"The warehouse has no event {event_ticker}; kalshi_catalog_sync reads events.")
    clock = city_clock(event.city) if event.city and zone == "local" else Clock()
    view = View(naive_utc(at) if at else None, clock, market, trades, CSV in request.query_params)
    return render(request, "event.html.jinja", connection, **event_page(connection, request, event, view))


def event_page(connection: sa.Connection, request: Request, event: Event, view: View) -> dict[str, Any]:
    """What the template ``event.html.jinja`` shows."""
    found = history(connection, event.drawn, event.closes) if event.drawn else None
    moments = _moments(connection, event, found, view)
    quotes = {moment.name: _quotes_at(connection, event, moment.at, found) for moment in moments}
    drawing = _drawing(event, found, moments, view) if found else None
    count = ask(connection, "event_trade_count", event=event.ticker, market=view.market)[0]
    minutes = ask(connection, "event_coverage", markets=[*event.names])
    proof = ask(connection, "event_proof", event=event.ticker)
    return {
        "event": event,
        "clock": view.clock,
        "ways": [*_neighbours(connection, request, event), *_other_clock(request, event, view.clock)],
        "series_href": address(request, "markets", series=event.series),
        "facts": _facts(event, view.clock),
        "lacking": _lacking(
            request,
            event,
            found,
            trades=count["trades"],
            is_checked=bool(minutes),
            is_proven=bool(proof),
            dropped=_dropped(connection, event),
        ),
        "history": found,
        "sources": [SOURCES[name] for name in found.sources] if found else [],
        "chart": Chart(event_chart(drawing)) if drawing else None,
        "moments": moment_table(request, event, moments, quotes, view.clock),
        "shares": share_table(event, moments, quotes),
        "markets": market_table(event, view.clock),
        "changes": change_table(connection, event, view.clock),
        "coverage": coverage_table(connection, event, minutes, proof, view.clock),
        "tape": tape(connection, event, view.clock, view.market, view.size, view.page),
        "pager": pager(request, "trades", view.page, view.size, int(count["shown"]), "trades"),
        "shown_market": view.market,
        "other_choices": {n: v for n, v in request.query_params.items() if n not in ("market", "trades")},
    }


def price_picture(connection: sa.Connection, event: Event) -> dict[str, Any]:
    """The specification of the prices alone, for a picture of an event that has some."""
    found = history(connection, event.drawn, event.closes)
    if found is None:
        raise LookupError(f"The warehouse has no prices of {event.ticker}.")
    drawing = _drawing(event, found, _moments(connection, event, found, View()), View())
    return {"datasets": datasets(drawing), **price_view(drawing)}


def _moments(connection: sa.Connection, event: Event, found: History | None, view: View) -> list[Moment]:
    """The decision times, the close or the latest prices, and the one that the address asks for."""
    known = {decision.name: decision for decision in load_settings().decision_times}
    moments = []
    for row in ask(connection, "event_decisions", event=event.ticker):
        decision = known.get(row["decision"])
        words = in_words(decision, row["at"], event.city) if decision and event.city else _in_utc(row["at"])
        moments.append(Moment(row["decision"], row["at"], words))
    if found and event.is_over and event.closes:
        moments.append(Moment("close", event.closes, f"when trading ended: {_in_utc(event.closes)}"))
    elif found:
        moments.append(Moment("latest", found.period.until, f"the latest prices: {_in_utc(found.period.until)}"))
    if view.at:
        moments.append(Moment("chosen", view.at, _in_utc(view.at)))
    return moments


def _in_utc(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC on {moment:%d %b %Y}"


def _quotes_at(
    connection: sa.Connection, event: Event, moment: datetime, found: History | None
) -> dict[str, Quote | None]:
    """The quotes of all markets that were known at a moment: of candles and snapshots, the later. None are known long
    after the last of all."""
    if found is None or moment > found.period.until + HOLDS:
        return {}
    rows = [
        row
        for source in ("candles", "snapshots")
        for row in ask(connection, f"event_quotes_at_{source}", event=event.ticker, moment=moment)
    ]
    latest = {row["market"]: row for row in sorted(rows, key=lambda row: row["at"])}
    return {market: quote(row["bid"], row["ask"]) for market, row in latest.items()}


def _drawing(event: Event, found: History, moments: Sequence[Moment], view: View) -> Drawing:
    has_shares = event.is_exclusive and event.drawn == [*event.names]
    middle = centres(event.brackets) if has_shares else {}
    by_moment = (dict(zip(found.quotes, line, strict=True)) for line in zip(*found.quotes.values(), strict=True))
    last = event.closes if event.is_over and event.closes else found.period.until
    marks = [(m.name, m.at) for m in moments if m.name not in ("latest", "close") and m.at <= last]
    if event.closes and (event.is_over or found.period.until >= event.closes):
        marks.append(("close", event.closes))
    if event.settled and event.closes and event.settled - event.closes < MOST_TO_SETTLEMENT:
        marks.append(("settled", event.settled))
    observed = event.observed
    return Drawing(
        names={market: event.names[market] for market in event.drawn},
        history=found,
        clock=view.clock,
        marks=[mark for mark in marks if mark[1] >= found.period.since],
        expected=[expected(probabilities(quotes), middle) for quotes in by_moment] if middle else (),
        observed=float(observed) if isinstance(observed, Decimal) else None,
        unit=event.unit,
        winners=[m["market"] for m in event.markets if m["result"] == "yes" and m["market"] in event.drawn],
        has_shares=has_shares,
        chosen=view.at
        or max((m.at for m in moments if m.at <= found.period.until and m.name != "latest"), default=None),
    )


def _other_clock(request: Request, event: Event, clock: Clock) -> list[Link]:
    """The link to the same page by the other clock, if there is a city."""
    if event.city is None:
        return []
    is_utc = clock == Clock()
    other = city_clock(event.city).name if is_utc else "UTC"
    return [Link(f"show times in {other}", changed(request, zone="local" if is_utc else None))]


def _neighbours(connection: sa.Connection, request: Request, event: Event) -> list[Link]:
    """Links to the previous and the next event of the series, shown by the same clock."""
    if day := event.row["event_date"]:
        rows = ask(connection, "event_neighbours_day", series=event.series, day=day)
    else:
        closes = [m["close_time_utc"] for m in event.markets if m["close_time_utc"]]
        span = {"first_close": min(closes, default=None), "last_close": max(closes, default=None)}
        rows = ask(connection, "event_neighbours_close", series=event.series, event=event.ticker, **span)
    zone = request.query_params.get("zone")
    words = {"previous": "← previous event", "next": "next event →"}
    return [Link(words[row["side"]], address(request, "event", row["event"], zone=zone)) for row in rows]


def _facts(event: Event, clock: Clock) -> dict[str, Cell]:
    """The event in a line: what happened, and when."""
    statuses = sorted({m["status"] for m in event.markets if m["status"]})
    paid = [f"{m['bracket']} pays {cell(m['paid'], 'price').text}" for m in event.markets if m["result"] == "scalar"]
    facts = {
        "status": " and ".join(statuses),
        "settled at": " and ".join([*event.winners, *paid]),
        "observed": cell(event.observed, event.unit),
        "opens": clock.shown(event.opens),
        "closes": clock.shown(event.closes),
        "settled": clock.shown(event.settled),
        "volume": cell(event.volume, "contracts"),
        "markets": len(event.markets),
    }
    return {name: found for name, value in facts.items() if (found := cell(value)).text}


def _lacking(
    request: Request,
    event: Event,
    found: History | None,
    *,
    trades: int,
    is_checked: bool,
    is_proven: bool,
    dropped: dict[str, str],
) -> list[tuple[str, Link]]:
    """What the warehouse doesn't have of the event, and where to get it."""
    today = datetime.now(UTC).date()
    first = min(event.opens.date(), today) if event.opens else None
    last = min(event.closes.date(), today) if event.closes else None
    has_opened = event.opens is not None and event.opens <= datetime.now(UTC).replace(tzinfo=None)
    unsettled = [m for m in event.markets if not m["has_settlement"]]
    has_candles = found is not None and not {"dense", "candles"}.isdisjoint(found.sources)
    known = [
        (event.row["is_placeholder"], "It is known only from its markets so far.", "kalshi_catalog_sync"),
        (not event.markets, "Its markets haven't been read.", "kalshi_catalog_sync"),
        (
            (has_opened and not has_candles) or CANDLE_1M.name in dropped,
            dropped.get(CANDLE_1M.name, "No candles have been read."),
            "kalshi_candles_backfill",
        ),
        (
            (not trades and event.volume > 0) or TRADE.name in dropped,
            dropped.get(TRADE.name, "None of its trades have been read."),
            "kalshi_trades_sync",
        ),
        (event.is_over and unsettled, _unsettled(unsettled), "kalshi_settlements_sync"),
        (has_opened and not is_checked, "No quality run has checked it.", "kalshi_data_quality"),
        (event.settled and not is_proven, "Nothing proves its volume yet.", "kalshi_reconciliation"),
    ]
    return [(said, Link(dag, dag_form(request, dag, event.series, first, last))) for is_so, said, dag in known if is_so]


def _dropped(connection: sa.Connection, event: Event) -> dict[str, str]:
    """By table, in words, what was dropped on purpose of the event's life."""
    if not event.opens or not event.closes:
        return {}
    life = (event.opens.replace(tzinfo=UTC), event.closes.replace(tzinfo=UTC))
    found = retention.missing_on_purpose(connection, [CANDLE_1M.name, TRADE.name], event.series, *life)
    return {
        month.table: f"Rows of {month.first_day:%Y-%m} in {month.table} were dropped on purpose on {month.at:%Y-%m-%d}."
        for month in found
    }


def _unsettled(markets: Rows) -> str:
    if all(m["result"] for m in markets):
        return "The result is known from the catalog, but when it settled isn't."
    return f"{len(markets)} of its markets aren't settled here."
