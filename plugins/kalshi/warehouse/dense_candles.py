"""Every minute of a market's life, its last quotes carried forward: ``kalshi_candle_1m_dense``.

All times are aware UTC. The rows are built here rather than in SQL: window functions over every minute are five
to ten times slower on the server than writing the lines of a load file here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa

from kalshi.warehouse import sql
from kalshi.warehouse.api_candles import PRICES, QUOTES
from kalshi.warehouse.tables import GIVEN, Column, Table
from kalshi.warehouse.times import naive_utc
from kalshi.warehouse.writer import WriteCounts, upsert

NULL = "\\N"
NULL_SQL = r"'\\N'"
NOTHING = "0.00"
MINUTE_HERE = "?"
"""Stands for the minute in a line that many minutes share."""
MINUTE = timedelta(minutes=1)
CANDLE_1M_DENSE = Table(
    "kalshi_candle_1m_dense",
    key=("market_ticker", "bucket_start_utc"),
    columns=(
        Column("market_ticker", "varchar", GIVEN, null=False),
        Column("bucket_start_utc", "datetime", GIVEN, null=False),
        Column("source", "varchar", GIVEN),
        Column("is_synthetic", "tinyint", GIVEN, null=False),
        Column("has_trade", "tinyint", GIVEN, null=False),
        *QUOTES,
        *PRICES,
        Column("volume", "decimal", GIVEN, null=False),
        Column("open_interest", "decimal", GIVEN),
    ),
)
QUOTE_NAMES = [column.name for column in QUOTES]
TRADE_NAMES = [column.name for column in PRICES if column.name != "trade_previous"]


def _template() -> str:
    """A line of the load file in the order of the columns; those of the quotes, and of the trades, are joined."""
    groups = {**dict.fromkeys(QUOTE_NAMES, "quotes"), **dict.fromkeys(TRADE_NAMES, "trades")}
    return "\t".join(f"{{{name}}}" for name, _ in groupby(groups.get(name, name) for name in CANDLE_1M_DENSE.names))


LINE = _template()


def _fields(columns: Sequence[str]) -> str:
    """SQL that joins the columns into one string, as in a line of the load file."""
    return f"CONCAT_WS('\\t', {', '.join(f'COALESCE({c}, {NULL_SQL})' for c in columns)})"


class _Candle(NamedTuple):
    """A candle as the fields of a line, nulls as NULL; ``quotes`` and ``trades``: several fields joined."""

    ticker: str
    minute: str
    source: str
    quotes: str
    trades: str
    bid: str
    ask: str
    open_interest: str
    last_trade: str
    previous: str
    volume: str
    has_trade: str


VALUES = ("yes_bid_close", "yes_ask_close", "open_interest", "trade_close", "trade_previous")
# One text a row: PyMySQL takes longer for a value than Python for splitting ten off.
CANDLE = f"""
SELECT CONCAT_WS('\n', market_ticker, LEFT(bucket_start_utc, 19), source, {_fields(QUOTE_NAMES)},
  {_fields(TRADE_NAMES)}, {", ".join(f"COALESCE({name}, {NULL_SQL})" for name in VALUES)},
  COALESCE(volume, '{NOTHING}'), COALESCE(volume, 0) > 0)
FROM kalshi_candle_1m
"""
IN_ORDER = "ORDER BY market_ticker, bucket_start_utc, source"


@dataclass
class _Known:
    """The values carried forward, as fields of a line."""

    bid: str = NULL
    ask: str = NULL
    open_interest: str = NULL
    last_trade: str = NULL

    def learn(self, candle: _Candle) -> None:
        if candle.source == "api_event":
            self.bid, self.ask, self.open_interest = candle.bid, candle.ask, candle.open_interest
        for price in (candle.previous, candle.last_trade):
            if price != NULL:
                self.last_trade = price

    @property
    def quotes(self) -> str:
        return "\t".join([self.bid] * 4 + [self.ask] * 4)


def build_dense(
    connection: sa.Connection, tickers: Sequence[str], start: datetime, end: datetime, run_id: int
) -> WriteCounts:
    """Upsert the minutes of these markets' lives from ``start`` to ``end``."""
    values: dict[str, Any] = {"tickers": tickers, "start": naive_utc(start), "end": naive_utc(end)}
    is_new = not _has_any(connection, values)
    candles: defaultdict[str, list[_Candle]] = defaultdict(list)
    for candle in _candles(connection, values):
        candles[candle.ticker].append(candle)
    names = [_text(moment) for moment in _minutes(values["start"], values["end"])]
    lines: list[bytes] = []
    for ticker, first, last in _lives(connection, values):
        offset = (first - values["start"]) // MINUTE
        minutes = names[offset : offset + (last - first) // MINUTE + 1]
        lines += "\n".join(_lines(ticker, minutes, candles[ticker])).encode().split(b"\n") if minutes else []
    return upsert(connection, CANDLE_1M_DENSE, lines, run_id=run_id, likely_new=is_new)


def _lines(ticker: str, minutes: Sequence[str], candles: Sequence[_Candle]) -> Iterator[str]:
    """The lines of a market's ``minutes``, from its candles in time order, the exchange's before ours."""
    known = _Known()
    at = 0
    position = {minute: number for number, minute in enumerate(minutes)}
    for candle in candles:
        number = position.get(candle.minute)
        if number is None:
            if candle.minute < minutes[0]:
                known.learn(candle)
            continue
        yield from _carried(ticker, minutes[at:number], known)
        if number >= at:  # else this minute already has the exchange's candle
            is_earlier_price = candle.previous == NULL and candle.last_trade == NULL
            previous = known.last_trade if is_earlier_price else candle.previous
            known.learn(candle)
            quotes = candle.quotes if candle.source == "api_event" else known.quotes
            yield LINE.format(
                market_ticker=ticker,
                bucket_start_utc=candle.minute,
                source=candle.source,
                is_synthetic=0,
                has_trade=candle.has_trade,
                quotes=quotes,
                trades=candle.trades,
                trade_previous=previous,
                volume=candle.volume,
                open_interest=known.open_interest,
            )
            at = number + 1
    yield from _carried(ticker, minutes[at:], known)


def _carried(ticker: str, minutes: Sequence[str], known: _Known) -> Iterator[str]:
    before, after = LINE.format(
        market_ticker=ticker,
        bucket_start_utc=MINUTE_HERE,
        source=NULL,
        is_synthetic=1,
        has_trade=0,
        quotes=known.quotes,
        trades="\t".join([NULL] * len(TRADE_NAMES)),
        trade_previous=known.last_trade,
        volume=NOTHING,
        open_interest=known.open_interest,
    ).split(MINUTE_HERE)
    return (f"{before}{minute}{after}" for minute in minutes)


def _lives(connection: sa.Connection, values: dict[str, Any]) -> Iterator[tuple[str, datetime, datetime]]:
    """Each market with its first and last minute in the window, naive UTC."""
    rows = sql.run(
        connection,
        "SELECT market_ticker, open_time_utc, close_time_utc FROM kalshi_market WHERE market_ticker IN :tickers "
        "AND open_time_utc < :end AND close_time_utc > :start ORDER BY market_ticker",
        **values,
    )
    for ticker, opens, closes in rows:
        first = max(values["start"], opens.replace(second=0, microsecond=0))
        last = min(values["end"], closes) - timedelta(microseconds=1)
        yield ticker, first, last.replace(second=0, microsecond=0)


def _candles(connection: sa.Connection, values: dict[str, Any]) -> Iterator[_Candle]:
    """The candles in the window, and for each source the last one before it."""
    source = (
        "(SELECT c.bucket_start_utc FROM kalshi_candle_1m c WHERE c.market_ticker = m.market_ticker "
        "AND c.source = '{}' AND c.bucket_start_utc < :start ORDER BY c.bucket_start_utc DESC LIMIT 1)"
    )
    last = sql.run(
        connection,
        f"SELECT market_ticker, {source.format('api_event')}, {source.format('trades')} FROM kalshi_market m "
        "WHERE market_ticker IN :tickers",
        **values,
    )
    keys = [(ticker, time) for ticker, *times in last for time in times if time]
    if keys:
        before = f"{CANDLE} WHERE (market_ticker, bucket_start_utc) IN :keys {IN_ORDER}"
        yield from map(_candle, sql.run(connection, before, keys=keys).scalars())
    within = "WHERE market_ticker IN :tickers AND bucket_start_utc >= :start AND bucket_start_utc < :end"
    yield from map(_candle, sql.run(connection, f"{CANDLE} {within} {IN_ORDER}", **values).scalars())


def _candle(text: str) -> _Candle:
    return _Candle._make(text.split("\n"))


def _has_any(connection: sa.Connection, values: dict[str, Any]) -> bool:
    found = sql.run(
        connection,
        "SELECT 1 FROM kalshi_candle_1m_dense WHERE market_ticker IN :tickers "
        "AND bucket_start_utc >= :start AND bucket_start_utc < :end LIMIT 1",
        **values,
    )
    return found.first() is not None


def delete_outside(connection: sa.Connection, tickers: Sequence[str], start: datetime, end: datetime) -> None:
    """Delete minutes from ``start`` to ``end`` that are no longer part of these markets' lives."""
    sql.run(
        connection,
        "DELETE d FROM kalshi_candle_1m_dense d JOIN kalshi_market m ON m.market_ticker = d.market_ticker "
        "WHERE d.market_ticker IN :tickers AND d.bucket_start_utc >= :start AND d.bucket_start_utc < :end AND "
        "(d.bucket_start_utc <= m.open_time_utc - INTERVAL 1 MINUTE OR d.bucket_start_utc >= m.close_time_utc)",
        tickers=tickers,
        start=start,
        end=end,
    )


def carried_past(
    connection: sa.Connection, tickers: Sequence[str], end: datetime, at: datetime, until: datetime
) -> tuple[list[str], datetime] | None:
    """The markets whose dense minutes from ``at`` on carry quotes from before ``end``, and how far they reach
    before ``until``; None if there are none."""
    rows = sql.run_file(connection, "candles", "carried_past", tickers=tickers, end=end, at=at, until=until).all()
    if not rows:
        return None
    last = max(latest for _, latest in rows).replace(tzinfo=UTC)
    return sorted(ticker for ticker, _ in rows), last + MINUTE


def _minutes(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += MINUTE


def _text(moment: datetime) -> str:
    return moment.isoformat(" ")
