"""Writes the public trades: ``kalshi_trade``."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from kalshi.records import Found, Trade
from kalshi.warehouse.catalog import expect_markets
from kalshi.warehouse.tables import Column, Table
from kalshi.warehouse.writer import WriteCounts, upsert

TRADE = Table(
    "kalshi_trade",
    key=("trade_id",),
    columns=(
        Column("trade_id", "varchar", null=False),
        Column("market_ticker", "varchar", "ticker", null=False),
        Column("executed_at_utc", "datetime", "executed", null=False),
        Column("yes_price", "decimal", null=False),
        Column("no_price", "decimal"),
        Column("count", "decimal", null=False),
        Column("taker_side", "varchar"),
        Column("taker_book_side", "varchar"),
        Column("is_block_trade", "tinyint", null=False),
    ),
)


def write_trades(connection: sa.Connection, found: Sequence[Found[Trade]], run_id: int) -> WriteCounts:
    """Upsert ``kalshi_trade``, after placeholders for markets that don't exist yet."""
    expect_markets(connection, sorted({f.record.ticker for f in found}), run_id)
    return upsert(connection, TRADE, TRADE.rows(found), run_id=run_id)
