"""Candles with the source ``trades``, built inside the warehouse by ``include/sql/candles/from_trades.sql``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from kalshi.warehouse import sql
from kalshi.warehouse.api_candles import CANDLE_1M
from kalshi.warehouse.gaps import COMBOS
from kalshi.warehouse.writer import WriteCounts, upsert_selected


def make_from_trades(
    connection: sa.Connection, tickers: Sequence[str], start: datetime, end: datetime, run_id: int
) -> WriteCounts:
    """Upsert the candles of these markets from ``start`` to ``end`` (aware UTC), from ``kalshi_trade``."""
    select = sql.read("candles", "from_trades").text
    values = {"tickers": tickers, "start": start, "end": end}
    return upsert_selected(connection, CANDLE_1M, select, values, run_id=run_id)


def traded_markets(connection: sa.Connection, start: datetime, end: datetime) -> list[str]:
    """The markets, but for multivariate combinations, that have trades from ``start`` to ``end``."""
    rows = sql.run(
        connection,
        "SELECT DISTINCT market_ticker FROM kalshi_trade WHERE executed_at_utc >= :start AND executed_at_utc < :end "
        "AND market_ticker NOT LIKE :combos",
        start=start,
        end=end,
        combos=COMBOS,
    )
    return list(rows.scalars())
