"""Writes one-minute candles, straight from the exchange's strings to the lines of the load file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from kalshi.candles import MarketCandles
from kalshi.records import Rejected
from kalshi.warehouse.catalog import expect_markets
from kalshi.warehouse.tables import CANDLE_1M
from kalshi.warehouse.writer import WriteCounts, upsert

SOURCE = "api_event"
"""The exchange's own candles, whichever endpoint they came from."""
_LINE = r"[^\s\\]+\t[-0-9]{10} [0-9:]{8}\tapi_event\t1(?:\t(?:-?[0-9]++(?:\.[0-9]++)?|\\N)){18}\n"
GOOD_LINE = re.compile(_LINE)
GOOD_LINES = re.compile(f"(?:{_LINE})*+")
"""What the exchange sends becomes part of a file, so every byte of it is checked."""


@lru_cache(20_000)
def _bucket_start(end_ts: int) -> str:
    """The first moment of the minute that ends at ``end_ts`` (unix s), as MySQL writes it."""
    return datetime.fromtimestamp(end_ts - 60, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _line(ticker: str, candle: Any) -> str:
    """A candle as a line of the load file, its fields in the order of the table's columns."""
    bid, ask, price, null = candle.yes_bid, candle.yes_ask, candle.price, "\\N"
    return (
        f"{ticker}\t{_bucket_start(candle.end_ts)}\t{SOURCE}\t1"
        f"\t{bid.open}\t{bid.high}\t{bid.low}\t{bid.close}\t{ask.open}\t{ask.high}\t{ask.low}\t{ask.close}"
        f"\t{price.open or null}\t{price.high or null}\t{price.low or null}\t{price.close or null}"
        f"\t{price.mean or null}\t{price.previous or null}\t{price.min or null}\t{price.max or null}"
        f"\t{candle.volume}\t{candle.open_interest}\n"
    )


def candle_lines(found: MarketCandles) -> tuple[list[bytes], list[Rejected]]:
    """The lines of a market's candles, and the candles that hold what no price or count can be."""
    rejected: list[Rejected] = []
    lines: list[str] = []
    try:
        lines = [_line(found.market_ticker, candle) for candle in found.candles]
    except (OverflowError, ValueError, OSError):  # a time that no calendar has
        lines = []
    if len(lines) != len(found.candles) or not GOOD_LINES.fullmatch("".join(lines)):
        lines = []
        for candle in found.candles:
            if reason := _fault(found.market_ticker, candle):
                payload = msgspec.json.encode({"market_ticker": found.market_ticker, "candle": candle})
                rejected.append(Rejected(found.endpoint, reason, payload))
            else:
                lines.append(_line(found.market_ticker, candle))
    return [line[:-1].encode() for line in lines], rejected


def _fault(ticker: str, candle: Any) -> str | None:
    try:
        line = _line(ticker, candle)
    except (OverflowError, ValueError, OSError):
        return f"end_period_ts is {candle.end_ts}, which is no time"
    return None if GOOD_LINE.fullmatch(line) else "a price or a count is not a decimal number"


def write_candles(connection: sa.Connection, tickers: Iterable[str], lines: list[bytes], run_id: int) -> WriteCounts:
    """Upsert ``kalshi_candle_1m``, after placeholders for markets that aren't there yet."""
    expect_markets(connection, sorted(set(tickers)), run_id)
    return upsert(connection, CANDLE_1M, lines, run_id=run_id)
