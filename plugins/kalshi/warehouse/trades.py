"""Writes the public trades: ``kalshi_trade``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from kalshi.records import Found, Trade
from kalshi.warehouse import sql
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


def changed_by(
    connection: sa.Connection, found: Sequence[Found[Trade]], run_id: int
) -> list[tuple[str, datetime, datetime]]:
    """Of these trades, those that the run inserted or changed: by market, when the first and the last were executed
    (naive UTC)."""
    rows = sql.run(
        connection,
        "SELECT market_ticker, MIN(executed_at_utc), MAX(executed_at_utc) FROM kalshi_trade "
        "WHERE trade_id IN :ids AND run_id = :run_id GROUP BY market_ticker ORDER BY market_ticker",
        ids=[f.record.trade_id for f in found],
        run_id=run_id,
    )
    return [tuple(row) for row in rows]
