"""Writes the price snapshots: ``kalshi_price_snapshot``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa

from kalshi.records import Found, Market
from kalshi.warehouse.tables import GIVEN, Column, Table
from kalshi.warehouse.writer import WriteCounts, upsert


def is_empty_book(market: Market) -> bool:
    """Whether nobody quotes: the exchange then sends bid 0.0000 and ask 1.0000 (or omits them)."""
    return Decimal(market.yes_bid or 0) == 0 and Decimal(market.yes_ask or 1) == 1


PRICE_SNAPSHOT = Table(
    "kalshi_price_snapshot",
    key=("market_ticker", "snapshot_at_utc"),
    columns=(
        Column("market_ticker", "varchar", "ticker", null=False),
        Column("snapshot_at_utc", "datetime", GIVEN, null=False),
        Column("observed_at_utc", "datetime", GIVEN, null=False),
        Column("status", "varchar"),
        Column("yes_bid", "decimal"),
        Column("yes_ask", "decimal"),
        Column("last_price", "decimal"),
        Column("yes_bid_size", "decimal"),
        Column("yes_ask_size", "decimal"),
        Column("volume", "decimal"),
        Column("volume_24h", "decimal"),
        Column("open_interest", "decimal"),
        Column("is_empty_book", "tinyint", is_empty_book, null=False),
    ),
).insert_only()  # the first observation is the one that was true at that time


def write_snapshots(
    connection: sa.Connection,
    found: Sequence[Found[Market]],
    snapshot_at: datetime,
    observed_at: datetime,
    run_id: int,
) -> WriteCounts:
    """Insert ``kalshi_price_snapshot`` rows; their markets must exist, and existing snapshots are kept."""
    rows = PRICE_SNAPSHOT.rows(found, snapshot_at_utc=snapshot_at, observed_at_utc=observed_at)
    return upsert(connection, PRICE_SNAPSHOT, rows, run_id=run_id)
