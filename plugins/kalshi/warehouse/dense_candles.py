"""Every minute of a market's life, its last quotes carried forward: ``kalshi_candle_1m_dense``.

All times are aware UTC. The rows are built here rather than in SQL: window functions over every minute are five
to ten times slower on the server than writing the lines of a load file here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kalshi.warehouse import sql
from kalshi.warehouse.api_candles import CANDLE_1M, PRICES, QUOTES
from kalshi.warehouse.api_candles import SOURCE as API
from kalshi.warehouse.tables import GIVEN, Column, Table
from kalshi.warehouse.times import naive_utc
from kalshi.warehouse.writer import PacketTooSmall, WriteCounts, upsert

NULL = "\\N"
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
AT = {name: number for number, name in enumerate(CANDLE_1M_DENSE.names)}
"""The place of a column in a line of the load file."""
TICKER, TIME, SOURCE = AT["market_ticker"], AT["bucket_start_utc"], AT["source"]
BID, ASK, CLOSE, PREVIOUS = AT["yes_bid_close"], AT["yes_ask_close"], AT["trade_close"], AT["trade_previous"]
OPEN_INTEREST, IS_SYNTHETIC = AT["open_interest"], AT["is_synthetic"]
ALL_QUOTES = slice(AT[QUOTES[0].name], AT[QUOTES[-1].name] + 1)

Candle = list[str]
"""A candle as the fields of a line, nulls as NULL."""


def _line(**others: str) -> str:
    """SQL that makes a line of the load file, with its end; ``others``: columns that aren't simply themselves."""
    null = "'\\\\N'"
    fields = [others.get(name, f"COALESCE(`{name}`, {null})") for name in CANDLE_1M_DENSE.names]
    return f"CONCAT(CONCAT_WS('\t', {', '.join(fields)}), '\n')"


# One text a market: for each value that it receives, PyMySQL takes longer than Python for a whole line of a text.
CANDLES = f"""
SELECT COUNT(*), GROUP_CONCAT({
    _line(
        bucket_start_utc="LEFT(bucket_start_utc, 19)",
        is_synthetic="0",
        has_trade="COALESCE(volume, 0) > 0",
        volume=f"COALESCE(volume, '{NOTHING}')",
    )
} ORDER BY bucket_start_utc, source SEPARATOR '')
FROM kalshi_candle_1m WHERE {{}} GROUP BY market_ticker
"""
WITHIN = "market_ticker IN :tickers AND bucket_start_utc >= :start AND bucket_start_utc < :end"


@dataclass
class _Known:
    """The values carried forward, as fields of a line."""

    bid: str = NULL
    ask: str = NULL
    open_interest: str = NULL
    last_trade: str = NULL

    def learn(self, candle: Candle) -> None:
        if candle[SOURCE] == API:
            self.bid, self.ask, self.open_interest = candle[BID], candle[ASK], candle[OPEN_INTEREST]
        for price in (candle[PREVIOUS], candle[CLOSE]):
            if price != NULL:
                self.last_trade = price

    def complete(self, candle: Candle) -> None:
        """Give the candle the values that it doesn't have itself."""
        if candle[SOURCE] != API:
            candle[ALL_QUOTES] = self.quotes
            candle[OPEN_INTEREST] = self.open_interest
        if candle[CLOSE] == NULL == candle[PREVIOUS]:
            candle[PREVIOUS] = self.last_trade

    @property
    def quotes(self) -> list[str]:
        return [self.bid] * 4 + [self.ask] * 4

    def lines(self, ticker: str, minutes: Sequence[str]) -> Iterator[str]:
        """The lines of minutes without a candle, as one text; nothing for no minutes."""
        if not minutes:
            return
        line = [NULL] * len(AT)
        line[TICKER], line[TIME] = ticker, MINUTE_HERE
        line[ALL_QUOTES] = self.quotes
        line[PREVIOUS], line[OPEN_INTEREST] = self.last_trade, self.open_interest
        line[IS_SYNTHETIC], line[AT["has_trade"]], line[AT["volume"]] = "1", "0", NOTHING
        before, after = "\t".join(line).split(MINUTE_HERE)
        yield before + f"{after}\n{before}".join(minutes) + after


def build_dense(
    connection: sa.Connection, tickers: Sequence[str], start: datetime, end: datetime, run_id: int
) -> WriteCounts:
    """Upsert the minutes of these markets' lives from ``start`` to ``end``.

    Raises:
        PacketTooSmall: the server can't send the candles of a market and window in one packet.
    """
    values: dict[str, Any] = {"tickers": tickers, "start": naive_utc(start), "end": naive_utc(end)}
    is_new = not _has_any(connection, values)
    before, candles = _last_candles(connection, values), _candles(connection, WITHIN, values)
    for left in _left_by_dropped(connection, values):
        earlier = (before if left[TIME] <= _text(values["start"]) else candles)[left[TICKER]]
        earlier.append(left)
        earlier.sort(key=lambda candle: (candle[TIME], candle is not left))
    names = [_text(minute) for minute in _minutes(values["start"], values["end"])]
    numbers = {name: number for number, name in enumerate(names)}
    lines: list[bytes] = []
    for ticker, opens, closes in _lives(connection, values):
        first, after = ((moment - values["start"]) // MINUTE for moment in (opens, closes))
        known = _Known()
        for candle in before[ticker]:
            known.learn(candle)
        if text := "\n".join(_lines(ticker, names[:after], numbers, first, candles[ticker], known)):
            lines += text.encode().split(b"\n")
    return upsert(connection, CANDLE_1M_DENSE, lines, run_id=run_id, likely_new=is_new)


def _lines(
    ticker: str, names: Sequence[str], numbers: Mapping[str, int], first: int, candles: Sequence[Candle], known: _Known
) -> Iterator[str]:
    """The lines of a market's minutes from number ``first`` on, one or many to a text, from its candles in time order,
    the exchange's before ours; a synthetic one only says what is known from its minute on. ``names``: the minutes of
    the window up to the market's last; ``numbers``: of those of the whole window."""
    at = first
    for candle in candles:
        number = numbers.get(candle[TIME])
        if number is None or first <= number < at:  # off the minute; or one that already has the exchange's candle
            continue
        if number >= len(names):
            break
        if number >= at:
            yield from known.lines(ticker, names[at:number])
            at = number
            if candle[IS_SYNTHETIC] == "0":
                known.complete(candle)
                yield "\t".join(candle)
                at += 1
        known.learn(candle)
    yield from known.lines(ticker, names[at:])


def _lives(connection: sa.Connection, values: dict[str, Any]) -> Iterator[tuple[str, datetime, datetime]]:
    """Each market with its part of the window, from its first minute to the one after its last, naive UTC."""
    rows = sql.run(
        connection,
        "SELECT market_ticker, open_time_utc, close_time_utc FROM kalshi_market WHERE market_ticker IN :tickers "
        "AND open_time_utc < :end AND close_time_utc > :start ORDER BY market_ticker",
        **values,
    )
    for ticker, opens, closes in rows:
        first = max(values["start"], opens.replace(second=0, microsecond=0))
        last = min(values["end"], closes) - timedelta(microseconds=1)
        yield ticker, first, last.replace(second=0, microsecond=0) + MINUTE


def _left_by_dropped(connection: sa.Connection, values: dict[str, Any]) -> Iterator[Candle]:
    """What candles that were dropped on purpose left to each market, as a synthetic candle of the first minute kept."""
    for found in sql.run_file(connection, "candles", "left_by_dropped", candles=CANDLE_1M.name, **values):
        candle = [NULL] * len(AT)
        candle[SOURCE], candle[IS_SYNTHETIC] = API, "1"
        for place, value in zip((TICKER, TIME, BID, ASK, OPEN_INTEREST, PREVIOUS), found, strict=True):
            candle[place] = NULL if value is None else value
        yield candle


def _last_candles(connection: sa.Connection, values: dict[str, Any]) -> defaultdict[str, list[Candle]]:
    """The last candle of each source before the window."""
    latest = (
        "(SELECT c.bucket_start_utc FROM kalshi_candle_1m c WHERE c.market_ticker = m.market_ticker "
        "AND c.source = '{}' AND c.bucket_start_utc < :start ORDER BY c.bucket_start_utc DESC LIMIT 1)"
    )
    last = sql.run(
        connection,
        f"SELECT market_ticker, {latest.format('api_event')}, {latest.format('trades')} FROM kalshi_market m "
        "WHERE market_ticker IN :tickers",
        **values,
    )
    keys = [(ticker, time) for ticker, *times in last for time in times if time]
    if not keys:
        return defaultdict(list)
    return _candles(connection, "(market_ticker, bucket_start_utc) IN :keys", {"keys": keys})


def _candles(connection: sa.Connection, which: str, values: dict[str, Any]) -> defaultdict[str, list[Candle]]:
    """The candles of each market in time order, the exchange's before ours."""
    candles: defaultdict[str, list[Candle]] = defaultdict(list)
    for count, text in sql.run(connection, CANDLES.format(which), **values):
        lines = text.split("\n")
        if lines.pop() or len(lines) != count:
            raise PacketTooSmall(
                f"{count:,} candles of a market don't fit into a packet of the server: set its max_allowed_packet to "
                "16 MB."
            )
        of_market = [line.split("\t") for line in lines]
        candles[of_market[0][TICKER]] = of_market
    return candles


def _has_any(connection: sa.Connection, values: dict[str, Any]) -> bool:
    found = sql.run(
        connection,
        f"SELECT 1 FROM kalshi_candle_1m_dense WHERE {WITHIN} LIMIT 1",
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


def _text(minute: datetime) -> str:
    return minute.isoformat(" ")
