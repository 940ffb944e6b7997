"""Writes and queries the user's portfolio. A subaccount is a number; 0 is the primary account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

import sqlalchemy as sa

from kalshi.records import Balance, Fill, Found, PortfolioSettlement, Position, known_time
from kalshi.warehouse import sql
from kalshi.warehouse.catalog import expect_markets
from kalshi.warehouse.tables import GIVEN, Column, Guard, Table
from kalshi.warehouse.writer import WriteCounts, upsert

CENT, MICRO_DOLLAR = Decimal("0.01"), Decimal("0.000001")


FILL = Table(
    "kalshi_fill",
    key=("fill_id",),
    columns=(
        Column("fill_id", "varchar", null=False),
        Column("market_ticker", "varchar", "ticker", null=False),
        Column("subaccount", "smallint", GIVEN, null=False),
        Column("order_id", "varchar"),
        Column("action", "varchar", null=False),
        Column("side", "varchar", null=False),
        Column("outcome", "varchar", null=False),
        Column("quantity", "decimal", "count", null=False),
        Column("price", "decimal", null=False),
        Column("yes_price", "decimal", null=False),
        Column("no_price", "decimal", null=False),
        Column("total_cost", "decimal", lambda fill: Decimal(fill.price) * Decimal(fill.count), null=False),
        Column("fee_cost", "decimal", null=False),
        Column("is_taker", "tinyint"),
        Column("executed_at_utc", "datetime", "executed", null=False),
    ),
)

PORTFOLIO_SETTLEMENT = Table(
    "kalshi_portfolio_settlement",
    key=("market_ticker", "settled_at_utc", "subaccount"),
    columns=(
        Column("market_ticker", "varchar", "ticker", null=False),
        Column("settled_at_utc", "datetime", "settled", null=False),
        Column("subaccount", "smallint", GIVEN, null=False),
        Column("event_ticker", "varchar", null=False),
        Column("result", "varchar", null=False),
        Column("value", "decimal", lambda s: None if s.value_cents is None else s.value_cents * CENT),
        Column("yes_count", "decimal", null=False),
        Column("yes_total_cost", "decimal", null=False),
        Column("no_count", "decimal", null=False),
        Column("no_total_cost", "decimal", null=False),
        Column("revenue", "decimal", lambda s: s.revenue_cents * CENT, null=False),
        Column("fee_cost", "decimal", null=False),
    ),
)

EXCHANGE_POSITION = Table(
    "kalshi_exchange_position",
    key=("market_ticker", "subaccount"),
    columns=(
        Column("market_ticker", "varchar", "ticker", null=False),
        Column("subaccount", "smallint", GIVEN, null=False),
        Column("list", "varchar", GIVEN, null=False),
        Column("quantity", "decimal", null=False),
        Column("exposure", "decimal", null=False),
        Column("realized_pnl", "decimal", null=False),
        Column("fees_paid", "decimal", null=False),
        Column("total_traded", "decimal"),
        Column("exchange_updated_at_utc", "datetime", "last_updated"),
    ),
)

POSITION = Table(
    "kalshi_position",
    key=("market_ticker", "subaccount"),
    columns=(
        Column("market_ticker", "varchar", "ticker", null=False),
        Column("subaccount", "smallint", GIVEN, null=False),
        # Before the quantity: its guard looks at the old one.
        Column("opened_at_utc", "datetime", GIVEN, Guard.WHEN_CLOSED, null=False),
        Column("closed_at_utc", "datetime", lambda _: None),
        Column("quantity", "decimal", null=False),
        Column("avg_price", "decimal", lambda position: _average(position)),
        Column("current_price", "decimal", GIVEN),
        Column("realized_pnl", "decimal", null=False),
        Column("fees_paid", "decimal", null=False),
    ),
)

BALANCE = Table(
    "kalshi_balance",
    key=("balance_date", "subaccount"),
    columns=(
        Column("balance_date", "date", GIVEN, null=False),
        Column("subaccount", "smallint", GIVEN, null=False),
        Column("balance", "decimal", null=False),
        Column("portfolio_value", "decimal", lambda b: b.portfolio_value_cents * CENT, null=False),
        Column("exchange_updated_at_utc", "datetime", "updated", null=False),
    ),
)


def _write(
    connection: sa.Connection, table: Table, found: Sequence[Found[Any]], run_id: int, **given: Any
) -> WriteCounts:
    """Upsert ``table``, after placeholders for markets that don't exist yet."""
    expect_markets(connection, sorted({f.record.ticker for f in found}), run_id)
    return upsert(connection, table, table.rows(found, **given), run_id=run_id)


def write_fills(connection: sa.Connection, found: Sequence[Found[Fill]], subaccount: int, run_id: int) -> WriteCounts:
    """Upsert ``kalshi_fill``, and the lots that follow from it."""
    written = _write(connection, FILL, found, run_id, subaccount=subaccount)
    if written.inserted or written.updated:
        match_fills(connection, run_id)
    return written


def match_fills(connection: sa.Connection, run_id: int) -> None:
    """Match the fills of all markets whose lots aren't those of their fills: ``kalshi_lot``, ``kalshi_closed_lot``, and
    their sums ``kalshi_traded_market`` and ``kalshi_traded_day``."""
    unmatched: dict[int, list[str]] = defaultdict(list)
    for subaccount, market in sql.run_file(connection, "portfolio", "unmatched"):
        unmatched[subaccount].append(market)
    # All are forgotten before any is matched: a fill has one lot, also one that moved to another subaccount.
    for table in ("kalshi_traded_day", "kalshi_traded_market", "kalshi_closed_lot", "kalshi_lot"):
        for subaccount, markets in unmatched.items():
            forget = f"DELETE FROM {table} WHERE subaccount = :subaccount AND market_ticker IN :markets"
            sql.run(connection, forget, subaccount=subaccount, markets=markets)
    for statement in ("lots", "closed_lots", "traded_market", "traded_day"):
        for subaccount, markets in unmatched.items():
            about = {"subaccount": subaccount, "markets": markets}
            sql.run_file(connection, "portfolio", statement, **about, run_id=run_id)


def write_settlements(
    connection: sa.Connection, found: Sequence[Found[PortfolioSettlement]], subaccount: int, run_id: int
) -> WriteCounts:
    """Upsert ``kalshi_portfolio_settlement``."""
    return _write(connection, PORTFOLIO_SETTLEMENT, found, run_id, subaccount=subaccount)


def write_exchange_positions(
    connection: sa.Connection, found: Sequence[Found[Position]], subaccount: int, listed: str, run_id: int
) -> WriteCounts:
    """Upsert ``kalshi_exchange_position``; ``listed`` is the list they come from: unsettled, settled, archived."""
    return _write(connection, EXCHANGE_POSITION, found, run_id, subaccount=subaccount, list=listed)


def write_positions(
    connection: sa.Connection, held: Sequence[Found[Position]], subaccount: int, seen_at: datetime, run_id: int
) -> WriteCounts:
    """Upsert ``kalshi_position`` with the nonzero positions, whose markets must exist.

    A closed position is reopened, with a new ``opened_at_utc``.
    """
    tickers = [f.record.ticker for f in held]
    opened, prices = _since_flat(connection, subaccount, tickers), _bids(connection, tickers)
    rows = POSITION.rows(
        held,
        subaccount=subaccount,
        opened_at_utc=lambda p: opened.get(p.ticker, (None, None))[0] or known_time(p.last_updated) or seen_at,
        current_price=lambda p: prices.get(p.ticker, (None, None))[Decimal(p.quantity) < 0],
    )
    return upsert(connection, POSITION, rows, run_id=run_id)


def _average(position: Position) -> Decimal:
    """Dollars per open contract, to the micro-dollar; even of absurd numbers, which the column then refuses."""
    with localcontext(prec=100):
        return (abs(Decimal(position.exposure)) / abs(Decimal(position.quantity))).quantize(MICRO_DOLLAR)


def expected_positions(connection: sa.Connection, subaccount: int) -> set[str]:
    """The markets that the exchange must still list: those held here, and those it listed as unsettled before."""
    rows = sql.run(
        connection,
        "SELECT market_ticker FROM kalshi_position WHERE subaccount = :subaccount AND quantity <> 0 UNION "
        "SELECT market_ticker FROM kalshi_exchange_position WHERE subaccount = :subaccount AND list = 'unsettled'",
        subaccount=subaccount,
    )
    return set(rows.scalars())


def close_positions(
    connection: sa.Connection, held: Collection[str], subaccount: int, seen_at: datetime, run_id: int
) -> int:
    """Close the positions that are open here but not in ``held``, all that the exchange holds; return how many."""
    sql.run(
        connection,
        "UPDATE kalshi_position SET last_synced_at_utc = :seen_at, updated_at_utc = updated_at_utc "
        "WHERE subaccount = :subaccount AND quantity <> 0",
        subaccount=subaccount,
        seen_at=seen_at,
    )
    open_here = sql.run(
        connection,
        "SELECT p.market_ticker, MAX(s.settled_at_utc) FROM kalshi_position p "
        "LEFT JOIN kalshi_portfolio_settlement s ON s.market_ticker = p.market_ticker "
        "AND s.subaccount = p.subaccount WHERE p.subaccount = :subaccount AND p.quantity <> 0 "
        "GROUP BY p.market_ticker",
        subaccount=subaccount,
    )
    gone = {ticker: settled for ticker, settled in open_here if ticker not in held}
    traded = _since_flat(connection, subaccount, list(gone))
    for ticker, settled in gone.items():
        sql.run(
            connection,
            "UPDATE kalshi_position SET quantity = 0, current_price = NULL, closed_at_utc = :closed, "
            "run_id = :run_id WHERE market_ticker = :ticker AND subaccount = :subaccount",
            ticker=ticker,
            subaccount=subaccount,
            closed=settled or traded.get(ticker, (None, None))[1] or seen_at,
            run_id=run_id,
        )
    return len(gone)


def forget_exchange_positions(connection: sa.Connection, listed: Collection[str], subaccount: int) -> None:
    """Drop the markets that left the exchange's live lists: settled ones are now archived, and for the others the
    exchange reports nothing any more, so neither do we."""
    stored = sql.run(
        connection,
        "SELECT market_ticker FROM kalshi_exchange_position WHERE subaccount = :subaccount AND list <> 'archived'",
        subaccount=subaccount,
    ).scalars()
    if gone := [ticker for ticker in stored if ticker not in listed]:
        condition = "WHERE subaccount = :subaccount AND market_ticker IN :tickers AND list ="
        for change in (
            f"DELETE FROM kalshi_exchange_position {condition} 'unsettled'",
            f"UPDATE kalshi_exchange_position SET list = 'archived' {condition} 'settled'",
        ):
            sql.run(connection, change, subaccount=subaccount, tickers=gone)


def settle_up(connection: sa.Connection, subaccount: int, run_id: int) -> int:
    """Copy the exchange's latest figures to closed positions, and link fills to their positions.

    Returns how many positions changed.
    """
    changed = sql.run(
        connection,
        "UPDATE kalshi_position p JOIN kalshi_exchange_position x ON x.market_ticker = p.market_ticker "
        "AND x.subaccount = p.subaccount SET p.realized_pnl = x.realized_pnl, p.fees_paid = x.fees_paid, "
        "p.run_id = :run_id WHERE p.subaccount = :subaccount AND p.quantity = 0 "
        "AND (p.realized_pnl <> x.realized_pnl OR p.fees_paid <> x.fees_paid)",
        subaccount=subaccount,
        run_id=run_id,
    ).rowcount
    sql.run(
        connection,
        "UPDATE kalshi_fill f JOIN kalshi_position p ON p.market_ticker = f.market_ticker "
        "AND p.subaccount = f.subaccount SET f.position_id = p.position_id "
        "WHERE f.subaccount = :subaccount AND f.position_id IS NULL",
        subaccount=subaccount,
    )
    return changed


def write_balance(
    connection: sa.Connection, balance: Balance, subaccount: int, seen_at: datetime, run_id: int
) -> WriteCounts:
    """Upsert today's row in ``kalshi_balance``."""
    today = seen_at.astimezone(UTC).date()
    rows = BALANCE.rows([Found(balance, b"")], balance_date=today, subaccount=subaccount)
    return upsert(connection, BALANCE, rows, run_id=run_id)


def latest(connection: sa.Connection, subaccount: int) -> tuple[datetime | None, datetime | None]:
    """The times of the latest fill and the latest settlement stored."""
    fill, settlement = sql.run(
        connection,
        "SELECT (SELECT MAX(executed_at_utc) FROM kalshi_fill WHERE subaccount = :subaccount), "
        "(SELECT MAX(settled_at_utc) FROM kalshi_portfolio_settlement WHERE subaccount = :subaccount)",
        subaccount=subaccount,
    ).one()
    return fill and fill.replace(tzinfo=UTC), settlement and settlement.replace(tzinfo=UTC)


def unfinished_markets(connection: sa.Connection, subaccount: int) -> list[str]:
    """Markets with fills that are known only by ticker, or not final as far as we know."""
    rows = sql.run(
        connection,
        "SELECT DISTINCT m.market_ticker FROM kalshi_fill f JOIN kalshi_market m ON m.market_ticker = f.market_ticker "
        "WHERE f.subaccount = :subaccount AND (m.is_placeholder OR COALESCE(m.status, '') NOT IN "
        "('finalized', 'settled')) ORDER BY 1",
        subaccount=subaccount,
    )
    return list(rows.scalars())


def counts(connection: sa.Connection, subaccount: int) -> tuple[int, int]:
    """The number of open positions, and of markets where our figures and the exchange's differ."""
    row = sql.run(
        connection,
        "SELECT (SELECT COUNT(*) FROM kalshi_position WHERE subaccount = :subaccount AND quantity <> 0) "
        "AS open_positions, (SELECT COUNT(*) FROM kalshi_pnl_reconciliation WHERE subaccount = :subaccount) "
        "AS differences",
        subaccount=subaccount,
    ).one()
    return int(row.open_positions), int(row.differences)


def _since_flat(
    connection: sa.Connection, subaccount: int, tickers: list[str]
) -> dict[str, tuple[datetime | None, datetime | None]]:
    """By market: when its fills opened the current position, or when they closed it."""
    rows = sql.run(
        connection,
        "SELECT market_ticker, executed_at_utc, IF(outcome = 'yes', quantity, -quantity) FROM kalshi_fill "
        "WHERE subaccount = :subaccount AND market_ticker IN :tickers ORDER BY executed_at_utc, fill_id",
        subaccount=subaccount,
        tickers=tickers,
    )
    positions: dict[str, Decimal] = defaultdict(Decimal)
    times: dict[str, tuple[datetime | None, datetime | None]] = {}
    for ticker, at, change in rows:
        positions[ticker] += change
        opened, _ = times.get(ticker, (None, None))
        times[ticker] = (opened or at, None) if positions[ticker] else (None, at)
    return times


def _bids(connection: sa.Connection, tickers: list[str]) -> dict[str, tuple[Decimal | None, Decimal | None]]:
    """By market: what a YES and a NO contract sell for now."""
    query = "SELECT market_ticker, yes_bid, 1 - yes_ask FROM kalshi_market WHERE market_ticker IN :tickers"
    rows = sql.run(connection, query, tickers=tickers)
    return {ticker: (yes, no) for ticker, yes, no in rows}
