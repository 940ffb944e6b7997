"""Writes settlements, trades and price snapshots, each after the markets they refer to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from kalshi.records import Found, Market, Trade, known_time
from kalshi.warehouse.catalog import expect_markets
from kalshi.warehouse.server import text_with_lists
from kalshi.warehouse.tables import PRICE_SNAPSHOT, SETTLEMENT, TRADE
from kalshi.warehouse.writer import WriteCounts, upsert


def settled_at(market: Market) -> tuple[datetime, str] | None:
    """When a market settled, and the source of that time.

    The exchange's ``settlement_ts`` if present, else the best proxy: the market's last update if it lies
    between its close and its latest expiration, else its expected expiration, its expiration or its close.
    None if none of them is known.
    """
    updated, close, latest = map(known_time, (market.updated_time, market.close_time, market.latest_expiration_time))
    if updated and ((close and updated < close) or (latest and updated > latest)):
        updated = None
    candidates = {
        "settlement_ts": known_time(market.settlement_time),
        "updated_time": updated,
        "expected_expiration_time": known_time(market.expected_expiration_time),
        "expiration_time": known_time(market.expiration_time),
        "close_time": close,
    }
    return next(((moment, source) for source, moment in candidates.items() if moment), None)


def write_settlements(
    connection: sa.Connection, found: Sequence[Found[Market]], series_ticker: str, run_id: int
) -> WriteCounts:
    """Upsert ``kalshi_settlement`` from settled markets, which must already be in ``kalshi_market``.

    Markets without a result are skipped, and so are records older than what ``kalshi_market`` has.
    """
    rows: list[Sequence[Any]] = []
    latest = _latest_updates(connection, [f.record.ticker for f in found])
    for m in (f.record for f in found):
        when, source = settled_at(m) or (None, None)
        updated, stored = known_time(m.updated_time), latest.get(m.ticker)
        is_stale = updated is not None and stored is not None and updated < stored
        if m.result and not is_stale:
            rows.append((m.ticker, m.event_ticker, series_ticker, m.settlement_value, m.result, when, source))
    return upsert(connection, SETTLEMENT, rows, run_id=run_id)


def _latest_updates(connection: sa.Connection, tickers: list[str]) -> dict[str, datetime | None]:
    """When the exchange last updated these markets, as far as ``kalshi_market`` knows. Locks their rows."""
    query = text_with_lists(
        # Without the lock, this would read what was there when the transaction began.
        "SELECT market_ticker, exchange_updated_at_utc FROM kalshi_market WHERE market_ticker IN :tickers FOR UPDATE",
        "tickers",
    )
    return {ticker: at and at.replace(tzinfo=UTC) for ticker, at in connection.execute(query, {"tickers": tickers})}


def write_trades(connection: sa.Connection, found: Sequence[Found[Trade]], run_id: int) -> WriteCounts:
    """Upsert ``kalshi_trade``, after placeholders for markets that don't exist yet."""
    trades = [f.record for f in found]
    expect_markets(connection, sorted({t.ticker for t in trades}), run_id)
    rows = [
        (
            t.trade_id,
            t.ticker,
            known_time(t.executed),
            t.yes_price,
            t.no_price,
            t.count,
            t.taker_side,
            t.taker_book_side,
            t.is_block_trade,
        )
        for t in trades
    ]
    return upsert(connection, TRADE, rows, run_id=run_id)


def write_snapshots(
    connection: sa.Connection,
    found: Sequence[Found[Market]],
    snapshot_at: datetime,
    observed_at: datetime,
    run_id: int,
) -> WriteCounts:
    """Insert ``kalshi_price_snapshot`` rows; their markets must exist, and existing snapshots are kept."""
    rows = [
        (
            m.ticker,
            snapshot_at,
            observed_at,
            m.status,
            m.yes_bid,
            m.yes_ask,
            m.last_price,
            m.yes_bid_size,
            m.yes_ask_size,
            m.volume,
            m.volume_24h,
            m.open_interest,
            is_empty_book(m),
        )
        for m in (f.record for f in found)
    ]
    return upsert(connection, PRICE_SNAPSHOT, rows, run_id=run_id)


def is_empty_book(market: Market) -> bool:
    """Whether nobody quotes: the exchange then sends bid 0.0000 and ask 1.0000 (or omits them)."""
    return Decimal(market.yes_bid or 0) == 0 and Decimal(market.yes_ask or 1) == 1
