"""Candles with the source ``trades``, built inside the warehouse by ``include/sql/candles/from_trades.sql``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from kalshi.settings import INCLUDE
from kalshi.warehouse.api_candles import CANDLE_1M
from kalshi.warehouse.times import naive_utc
from kalshi.warehouse.writer import WriteCounts, upsert_selected


def make_from_trades(
    connection: sa.Connection, tickers: Sequence[str], start: datetime, end: datetime, run_id: int
) -> WriteCounts:
    """Upsert the candles of these markets from ``start`` to ``end`` (aware UTC), from ``kalshi_trade``."""
    select = (INCLUDE / "sql" / "candles" / "from_trades.sql").read_text(encoding="utf-8")
    values = {
        "tickers": list(tickers),
        "start": naive_utc(start),
        "end": naive_utc(end),
    }
    return upsert_selected(connection, CANDLE_1M, select, values, run_id=run_id)
