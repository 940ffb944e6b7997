"""Writes one-minute candles: the exchange's strings go straight into the lines of a load file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from kalshi.records import Rejected
from kalshi.records.candles import MarketCandles
from kalshi.warehouse import sql
from kalshi.warehouse.catalog import expect_markets
from kalshi.warehouse.tables import GIVEN, Column, Guard, Table
from kalshi.warehouse.writer import WriteCounts, upsert

SOURCE = "api_event"
"""The exchange's own candles, whichever endpoint they came from."""
QUOTES = tuple(
    Column(f"yes_{side}_{price}", "decimal", f"yes_{side}.{price}")
    for side in ("bid", "ask")
    for price in ("open", "high", "low", "close")
)
PRICES = tuple(
    Column(f"trade_{price}", "decimal", f"price.{price}")
    for price in ("open", "high", "low", "close", "mean", "previous")
)
CANDLE_1M = Table(
    "kalshi_candle_1m",
    key=("market_ticker", "bucket_start_utc", "source"),
    columns=(
        Column("market_ticker", "varchar", GIVEN, null=False),
        Column("bucket_start_utc", "datetime", GIVEN, null=False),
        Column("source", "varchar", GIVEN, null=False),
        Column("period_minutes", "smallint", GIVEN, null=False),
        *QUOTES,
        *PRICES,
        # The historical tier doesn't send these two; it must not erase what the live tier sent.
        Column("trade_min", "decimal", "price.min", Guard.KEEP_KNOWN_VALUE),
        Column("trade_max", "decimal", "price.max", Guard.KEEP_KNOWN_VALUE),
        Column("volume", "decimal"),
        Column("open_interest", "decimal"),
    ),
)
_NUMBER = r"\t(?:\\N|-?[0-9]++(?:\.[0-9]++)?)"
_LINE = r"[^\s\\]++\t[-0-9]{10} [0-9:]{8}\tapi_event\t1" + _NUMBER * sum(
    c.source is not GIVEN for c in CANDLE_1M.columns
)
GOOD_LINE = re.compile(_LINE)
GOOD_LINES = re.compile(f"(?:{_LINE}\n)*+{_LINE}")
"""What the exchange sends becomes part of a file, so every byte is checked. (A quantified number would be slower.)"""


@lru_cache(20_000)
def _bucket_start(end_ts: int) -> str:
    """The start of the minute that ends at ``end_ts`` (unix s), in MySQL's format."""
    return datetime.fromtimestamp(end_ts - 60, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _formatter() -> Callable[[str, str, Any, Any, Any, Any], str]:
    """A function that writes a candle's fields in the order of their columns. Compiled, as there are millions."""
    given = {"market_ticker": "{ticker}", "bucket_start_utc": "{start}", "source": SOURCE, "period_minutes": "1"}
    fields = []
    for column in CANDLE_1M.columns:
        if column.source is GIVEN:
            fields.append(given[column.name])
        elif column.field.startswith("price."):  # a minute without trades has none
            fields.append(f"{{{column.field} or null}}")
        else:
            fields.append(f"{{{column.field}}}" if "." in column.field else f"{{candle.{column.field}}}")
    line = "\\t".join(fields)
    formatter: Callable[..., str] = eval(  # noqa: S307  # nothing but our own names
        f'lambda ticker, start, candle, yes_bid, yes_ask, price: f"{line}"', {"null": "\\N"}
    )
    return formatter


_format = _formatter()


def _line(ticker: str, candle: Any) -> str:
    """A candle as a line of the load file, with its fields in column order."""
    return _format(ticker, _bucket_start(candle.end_ts), candle, candle.yes_bid, candle.yes_ask, candle.price)


@dataclass(frozen=True)
class CandleLines:
    """The lines of one market's candles, and the candles that can't be read or have an invalid price, count or time."""

    market_ticker: str
    lines: list[bytes]
    rejected: list[Rejected] = field(default_factory=list)


def candle_lines(found: MarketCandles) -> CandleLines:
    """Format a market's candles as lines of the load file."""
    try:
        lines = "\n".join([_line(found.market_ticker, candle) for candle in found.candles])
        if GOOD_LINES.fullmatch(lines):
            return CandleLines(found.market_ticker, lines.encode().split(b"\n"), found.rejected)
    except (OverflowError, ValueError, OSError):  # a time outside the calendar
        pass
    good: list[bytes] = []
    rejected = list(found.rejected)
    for candle in found.candles:
        if reason := _fault(found.market_ticker, candle):
            payload = msgspec.json.encode({"market_ticker": found.market_ticker, "candle": candle})
            rejected.append(Rejected(found.endpoint, reason, payload))
        else:
            good.append(_line(found.market_ticker, candle).encode())
    return CandleLines(found.market_ticker, good, rejected)


def _fault(ticker: str, candle: Any) -> str | None:
    try:
        line = _line(ticker, candle)
    except (OverflowError, ValueError, OSError):
        return f"end_period_ts is {candle.end_ts}, which is not a valid time"
    return None if GOOD_LINE.fullmatch(line) else "a price or a count is not a decimal number"


def write_candles(connection: sa.Connection, markets: list[CandleLines], run_id: int) -> WriteCounts:
    """Upsert ``kalshi_candle_1m``, after placeholders for markets that don't exist yet."""
    expect_markets(connection, sorted({market.market_ticker for market in markets}), run_id)
    lines = [line for market in markets for line in market.lines]
    return upsert(connection, CANDLE_1M, lines, run_id=run_id, likely_new=not _has_any(connection, markets))


def span(market: CandleLines) -> tuple[datetime, datetime]:
    """The start of the first minute and the end of the last, naive UTC; there must be lines."""
    first, last = (_minute(line) for line in (min(market.lines), max(market.lines)))  # they all begin alike
    return datetime.fromisoformat(first), datetime.fromisoformat(last) + timedelta(minutes=1)


def _has_any(connection: sa.Connection, markets: list[CandleLines]) -> bool:
    """Whether the table already has any candle of these markets in the time range of these lines."""
    if not markets:
        return False
    found = sql.run(
        connection,
        "SELECT 1 FROM kalshi_candle_1m WHERE market_ticker IN :tickers "
        "AND bucket_start_utc BETWEEN :first AND :last LIMIT 1",
        tickers=[market.market_ticker for market in markets],
        first=min(_minute(market.lines[0]) for market in markets),
        last=max(_minute(market.lines[-1]) for market in markets),
    )
    return found.first() is not None


def _minute(line: bytes) -> str:
    return line.split(b"\t", 2)[1].decode()
