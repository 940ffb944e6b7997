"""Compares what is stored of settled markets with the exchange's own volume: ``kalshi_reconciliation``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from kalshi.settings import ReconciliationSettings
from kalshi.warehouse import checkpoints, gaps, sql
from kalshi.warehouse.api_candles import CANDLE_1M
from kalshi.warehouse.checkpoints import EPOCH
from kalshi.warehouse.tables import Column, Table
from kalshi.warehouse.trades import TRADE
from kalshi.warehouse.writer import WriteCounts, upsert

MINUTE = timedelta(minutes=1)
KEYS_PER_DELETE = 1000


@dataclass(frozen=True, eq=False)
class Side:
    """What is compared with the exchange's volume. ``key`` names a row within its market; ``rows``: which rows of the
    table; ``time``: the column with the time of the row's trade or minute."""

    name: str
    table: Table
    key: str
    rows: str
    time: str

    @property
    def checksum(self) -> str:
        """SQL: a checksum of what the rows say, whatever run wrote them."""
        values = ", ".join(f"COALESCE(`{column}`, 'NULL')" for column in self.table.names)
        # MySQL 9 has no MD5.
        return f"COALESCE(BIT_XOR(CAST(CONV(LEFT(SHA2(CONCAT_WS('|', {values}), 256), 16), 16, 10) AS UNSIGNED)), 0)"


RECONCILIATION = Table(
    "kalshi_reconciliation",
    key=("market_ticker",),
    columns=(
        Column("market_ticker", "varchar", null=False),
        Column("series_ticker", "varchar", null=False),
        Column("exchange_volume", "decimal"),
        Column("trade_volume", "decimal", null=False),
        Column("block_trade_volume", "decimal", null=False),
        Column("candle_volume", "decimal", null=False),
        Column("trades", "bigint", null=False),
        Column("candles", "bigint", null=False),
        Column("trades_verdict", "varchar", null=False),
        Column("candles_verdict", "varchar", null=False),
        Column("trades_reason", "varchar"),
        Column("candles_reason", "varchar"),
        Column("differing_minutes", "bigint"),
        Column("trades_checksum", "bigint"),
        Column("candles_checksum", "bigint"),
    ),
)
TRADES = Side("trades", TRADE, "trade_id", "TRUE", "executed_at_utc")
CANDLES = Side("candles", CANDLE_1M, "bucket_start_utc", "source = 'api_event'", "bucket_start_utc")
SIDES = (TRADES, CANDLES)


@dataclass(frozen=True)
class Stored:
    """What is stored of one side of a market. ``known``: the checksum of the rows when they were last proven or read
    again in full; None: never."""

    rows: int
    volume: Decimal
    checksum: int
    known: int | None

    @property
    def has_changed(self) -> bool:
        return self.known is not None and self.known != self.checksum


@dataclass(frozen=True)
class Figures:
    """The figures of one settled market. ``opens`` and ``closes``: aware UTC, None where not known. ``was_proven``:
    when it was last compared. ``readings``: how often it was read again because it wasn't, the latest at
    ``read_again_at`` (aware UTC)."""

    ticker: str
    opens: datetime | None
    closes: datetime | None
    exchange_volume: Decimal | None
    block_volume: Decimal
    trades: Stored
    candles: Stored
    was_proven: bool
    differing_minutes: int | None
    readings: int
    read_again_at: datetime | None
    read_again_checksum: int | None

    @property
    def life(self) -> tuple[datetime, datetime] | None:
        """Open and close; None unless both are known."""
        return (self.opens, self.closes) if self.opens and self.closes else None

    def stored(self, side: Side) -> Stored:
        return self.trades if side is TRADES else self.candles

    @property
    def checksum(self) -> int:
        """Of the trades and candles together."""
        return self.trades.checksum ^ self.candles.checksum


SETTLED = (
    "FROM kalshi_settlement s JOIN kalshi_market m ON m.market_ticker = s.market_ticker "
    "LEFT JOIN kalshi_reconciliation r ON r.market_ticker = s.market_ticker "
    "WHERE (:start IS NULL OR m.close_time_utc >= :start) AND (:end IS NULL OR m.close_time_utc < :end) "
    "AND (:since IS NULL OR s.settled_at_utc >= :since "
    "OR r.trades_verdict <> 'proven' OR r.candles_verdict <> 'proven')"
)
"""SQL: the settled markets that closed between ``:start`` and ``:end`` (None: any time), and that settled ``:since``
(None: any time) or weren't proven when they were last compared."""


def settled_markets(
    connection: sa.Connection, series: str, start: datetime | None, end: datetime | None, since: datetime | None = None
) -> list[str]:
    """The settled markets of a series that closed between ``start`` and ``end``, the earliest first. ``since``: only
    those that settled since then, or weren't proven when they were last compared. Times are aware UTC; None: any."""
    query = f"SELECT m.market_ticker {SETTLED} AND m.series_ticker = :series ORDER BY m.close_time_utc, m.market_ticker"
    return list(sql.run(connection, query, series=series, start=start, end=end, since=since).scalars())


def settled_markets_by_series(
    connection: sa.Connection, start: datetime | None, end: datetime | None, since: datetime | None = None
) -> dict[str, int]:
    """How many of these markets each series has."""
    query = f"SELECT m.series_ticker, COUNT(*) {SETTLED} GROUP BY m.series_ticker"
    return {series: int(markets) for series, markets in sql.run(connection, query, start=start, end=end, since=since)}


def figures(connection: sa.Connection, tickers: Sequence[str]) -> list[Figures]:
    """The figures of these markets, in their order."""
    query = sql.read("reconciliation", "figures").text
    for side in SIDES:
        query = query.replace(f"{{{side.name}_checksum}}", side.checksum)
    found = {row[0]: _figures(*row) for row in sql.run(connection, query, tickers=tickers)}
    return [found[ticker] for ticker in tickers]


def _figures(ticker: str, opens: Any, closes: Any, volume: Any, blocks: Any, *rest: Any) -> Figures:
    was_proven, minutes, readings, read_again_at, read_again_checksum = rest[8:]
    return Figures(
        ticker,
        opens and opens.replace(tzinfo=UTC),
        closes and closes.replace(tzinfo=UTC),
        volume,
        Decimal(blocks),
        _stored(*rest[:4]),
        _stored(*rest[4:8]),
        bool(was_proven),
        minutes,
        readings,
        read_again_at and read_again_at.replace(tzinfo=UTC),
        read_again_checksum,
    )


def _stored(number: Any, volume: Any, checksum: Any, known: Any) -> Stored:
    # COALESCE of an unsigned integer is a decimal on MariaDB.
    return Stored(int(number), Decimal(volume), int(checksum), known)


def differing_minutes(
    connection: sa.Connection, tickers: Sequence[str], rules: ReconciliationSettings
) -> dict[str, list[datetime]]:
    """The minutes (naive UTC) in which the trades and candles of a market disagree; none: the market is left out."""
    rows = sql.run_file(
        connection,
        "reconciliation",
        "differing_minutes",
        tickers=tickers,
        contracts=rules.candles_contracts,
        dollars=rules.mean_dollars,
    )
    found: dict[str, list[datetime]] = defaultdict(list)
    for ticker, minute in rows:
        found[ticker].append(minute)
    return found


def spans_begun(connection: sa.Connection, job: str, scope: str) -> list[tuple[datetime, datetime]]:
    """When the windows of a job that were begun lie, joined where they touch; aware UTC."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in checkpoints.begun(connection, job, scope, EPOCH):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def write(connection: sa.Connection, rows: Iterable[Sequence[Any]], run_id: int) -> WriteCounts:
    """Upsert rows in the order of ``RECONCILIATION.names``, and note that these markets were compared now."""
    some = list(rows)
    written = upsert(connection, RECONCILIATION, some, run_id=run_id)
    sql.run(
        connection,
        "UPDATE kalshi_reconciliation SET checked_at_utc = CURRENT_TIMESTAMP(6), updated_at_utc = updated_at_utc "
        "WHERE market_ticker IN :tickers",
        tickers=[row[0] for row in some],
    )
    return written


def keys(connection: sa.Connection, side: Side, ticker: str) -> dict[Any, datetime]:
    """The keys of a market's rows, each with its time (naive UTC)."""
    rows = sql.run(
        connection,
        f"SELECT `{side.key}`, `{side.time}` FROM {side.table.name} WHERE market_ticker = :ticker AND {side.rows}",
        ticker=ticker,
    )
    return {row[0]: row[1] for row in rows}


def delete(connection: sa.Connection, side: Side, scope: str, ticker: str, doomed: dict[Any, datetime]) -> int:
    """Delete these rows of a market; what was built from them is to be built again. Returns how many there were."""
    deleted, chosen = 0, list(doomed)
    for first in range(0, len(chosen), KEYS_PER_DELETE):
        deleted += sql.run(
            connection,
            f"DELETE FROM {side.table.name} WHERE market_ticker = :ticker AND {side.rows} AND `{side.key}` IN :keys",
            ticker=ticker,
            keys=chosen[first : first + KEYS_PER_DELETE],
        ).rowcount
    if deleted:
        minutes = [time.replace(second=0, microsecond=0) for time in doomed.values()]
        gaps.reopen(connection, side.name, {ticker: scope}, [(ticker, min(minutes), max(minutes) + MINUTE)])
    return deleted


def clear_extremes(connection: sa.Connection, ticker: str, untraded: Collection[datetime]) -> None:
    """Set the lowest and highest price of these minutes (naive UTC), in which the exchange has neither, to null: the
    writer keeps a known price, even one that never was."""
    found = sql.run(
        connection,
        "SELECT bucket_start_utc FROM kalshi_candle_1m WHERE market_ticker = :ticker AND source = 'api_event' "
        "AND COALESCE(trade_min, trade_max) IS NOT NULL",
        ticker=ticker,
    ).scalars()
    if wrong := [minute for minute in found if minute in untraded]:
        sql.run(
            connection,
            "UPDATE kalshi_candle_1m SET trade_min = NULL, trade_max = NULL WHERE market_ticker = :ticker "
            "AND source = 'api_event' AND bucket_start_utc IN :wrong",
            ticker=ticker,
            wrong=wrong,
        )


def delete_built_without_trades(connection: sa.Connection, scope: str, ticker: str) -> None:
    """Delete the candles of the source ``trades`` in minutes of a market that have no trade."""
    found = sql.run_file(connection, "reconciliation", "built_without_trades", ticker=ticker)
    if minutes := list(found.scalars()):
        sql.run(
            connection,
            "DELETE FROM kalshi_candle_1m WHERE market_ticker = :ticker AND source = 'trades' "
            "AND bucket_start_utc IN :minutes",
            ticker=ticker,
            minutes=minutes,
        )
        gaps.reopen(connection, "candles_from_trades", {ticker: scope}, [(ticker, min(minutes), max(minutes) + MINUTE)])


def confirm(connection: sa.Connection, side: Side, ticker: str) -> None:
    """Remember the market's rows as what the exchange has."""
    sql.run(
        connection,
        f"UPDATE kalshi_reconciliation SET {side.name}_checksum = (SELECT {side.checksum} FROM {side.table.name} "
        f"WHERE market_ticker = :ticker AND {side.rows}) WHERE market_ticker = :ticker",
        ticker=ticker,
    )


def note_reading(connection: sa.Connection, found: Figures) -> None:
    """Note that a market was read again to its end, and what it holds since."""
    sql.run(
        connection,
        "UPDATE kalshi_reconciliation SET readings = readings + 1, read_again_at_utc = UTC_TIMESTAMP(6), "
        "read_again_checksum = :checksum WHERE market_ticker = :ticker",
        ticker=found.ticker,
        checksum=found.checksum,
    )
