"""The page of one event: the prices of its brackets over time, its trades, its settlement, its coverage."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from kalshi.cells import Table, cell
from kalshi.settings import load_settings
from kalshi.ui.charts import price_chart
from kalshi.ui.rendering import Chart, Column, Columns, render, table
from kalshi.ui.responses import not_found
from kalshi.ui.warehouse import Warehouse, ask

router = APIRouter()

MOST_MARKETS = 10
MOST_DAYS = 7
MOST_TRADES = 2000
TRADES_LISTED = 50
POINTS = 300
"""Per market's line, at most."""
MARKETS: Columns = {
    "bracket": "bracket",
    "status": "status",
    "result": "result",
    "settlement_value": Column("paid", "price"),
    "yes_bid": Column("bid", "price"),
    "yes_ask": Column("ask", "price"),
    "last_price": Column("last", "price"),
    "volume": Column("volume", "contracts"),
    "open_interest": Column("open interest", "contracts"),
    "settled_at_utc": "settled (UTC)",
    "settled_at_source": "time known from",
    "market": "market",
}
TRADES: Columns = {
    "at": "time (UTC)",
    "bracket": "bracket",
    "price": Column("price of YES", "price"),
    "contracts": Column("contracts", "contracts"),
    "taker_side": "taker bought",
}
COVERAGE: Columns = {
    "bracket": "bracket",
    "expected": "minutes open",
    "present": "with candle",
    "quoted": "quote known",
    "longest_gap": "longest gap",
    "widest_spread": Column("widest spread", "price"),
}
CHANGES: Columns = {
    "changed_at_utc": "seen (UTC)",
    "market": "market",
    "old_result": "old result",
    "new_result": "new result",
    "old_settlement_value": Column("paid before", "price"),
    "new_settlement_value": Column("paid now", "price"),
}
Rows = list[dict[str, Any]]


@router.get("/event/{event_ticker:path}")
def show_event(request: Request, connection: Warehouse, event_ticker: str) -> Response:
    found = event_page(connection, event_ticker)
    if found is None:
        return not_found(request, f"The warehouse has no event {event_ticker}; kalshi_catalog_sync reads events.")
    return render(request, "event.html.jinja", connection, **found)


def event_page(connection: sa.Connection, event_ticker: str) -> dict[str, Any] | None:
    """What the template ``event.html.jinja`` shows; None if there is no such event."""
    found = ask(connection, "event", event=event_ticker)
    if not found:
        return None
    markets = ask(connection, "event_markets", event=event_ticker)
    names = {row["market"]: row["bracket"] for row in markets}
    by_volume = sorted(markets, key=lambda row: row["volume"] or 0, reverse=True)[:MOST_MARKETS]
    drawn = [row["market"] for row in markets if row in by_volume]
    city = {series.ticker: series for series in load_settings().series}.get(found[0]["series_ticker"])
    return {
        "event": found[0],
        "city": city,
        "markets": table(markets, MARKETS, name="markets"),
        "number": len(markets),
        "drawn": len(drawn),
        **_prices(connection, event_ticker, drawn, names),
        "changes": table(ask(connection, "event_changes", event=event_ticker), CHANGES, name="changes"),
        "coverage": _coverage(connection, drawn, names),
    }


def _prices(connection: sa.Connection, event_ticker: str, drawn: list[str], names: dict[str, str]) -> dict[str, Any]:
    """The chart of the latest ``MOST_DAYS`` days with prices, and the trades in them."""
    nothing: dict[str, Any] = {
        "chart": None,
        "trades": table([], TRADES),
        "since": None,
        "until": None,
        "source": None,
        "step": 0,
    }
    for source in ("dense", "candles"):
        spans = ask(connection, f"event_span_{source}", markets=drawn)
        if spans:
            break
    else:
        return nothing
    until = max(row["last"] for row in spans)
    since = max(min(row["first"] for row in spans), until - timedelta(days=MOST_DAYS))
    step = max(1, ceil((until - since) / timedelta(minutes=1) / POINTS))
    window = {"markets": drawn, "since": since, "until": until}
    prices = ask(connection, f"event_prices_{source}", step=step, **window)
    trades = ask(connection, "event_trades", most=MOST_TRADES, **window)
    decisions = [row for row in ask(connection, "event_decisions", event=event_ticker) if since <= row["at"] <= until]
    latest = sorted(trades, key=lambda row: row["at"], reverse=True)[:TRADES_LISTED]
    brackets = [names[market] for market in drawn]
    chart = price_chart(brackets, _named(prices, names), _named(trades, names), decisions)
    listed = table(_named(latest, names), TRADES, name="trades")
    return {"chart": Chart(chart), "trades": listed, "since": since, "until": until, "source": source, "step": step}


def _coverage(connection: sa.Connection, drawn: list[str], names: dict[str, str]) -> Table:
    """By strike: minutes, and bid and ask at each decision."""
    found = {row["market"]: row for row in ask(connection, "event_coverage", markets=drawn)}
    quotes = ask(connection, "event_decision_quotes", markets=drawn)
    decisions = list(dict.fromkeys(row["decision"] for row in quotes))
    known = {
        (row["market"], row["decision"]): f"{cell(row['yes_bid'], 'price').text} / {cell(row['yes_ask'], 'price').text}"
        if row["quote_known"]
        else "none"
        for row in quotes
    }
    checked = [market for market in drawn if market in found]
    records = [{**found[market], **{name: known.get((market, name), "") for name in decisions}} for market in checked]
    columns: Columns = {**COVERAGE, **{name: f"at {name}" for name in decisions}}
    return table(_named(records, names), columns, name="coverage")


def _named(records: Rows, names: dict[str, str]) -> Rows:
    return [{**record, "bracket": names[record["market"]]} for record in records]
