"""One-minute candles as the exchange sends them, with each tier's field names.

Prices and counts stay the exchange's exact strings, in dollars in both tiers. There are millions of them,
so they are decoded a market at a time; only if that fails, one by one, to find the bad one.
Field names: Kalshi's OpenAPI 3.34.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw, Struct

from kalshi.records import Rejected


class _Quote(Struct, gc=False, rename=lambda name: f"{name}_dollars"):
    open: str
    high: str
    low: str
    close: str


class _Price(Struct, gc=False, rename=lambda name: f"{name}_dollars"):
    open: str | None = None
    high: str | None = None
    low: str | None = None
    close: str | None = None
    mean: str | None = None
    previous: str | None = None
    min: str | None = None
    max: str | None = None


class LiveCandle(Struct, gc=False):
    """A candle of the live tier. ``end_ts``: unix seconds, the inclusive end of its minute."""

    yes_bid: _Quote
    yes_ask: _Quote
    price: _Price
    end_ts: int = msgspec.field(name="end_period_ts")
    volume: str = msgspec.field(name="volume_fp")
    open_interest: str = msgspec.field(name="open_interest_fp")


class _ArchivedQuote(Struct, gc=False):
    open: str
    high: str
    low: str
    close: str


class _ArchivedPrice(Struct, gc=False):
    open: str | None = None
    high: str | None = None
    low: str | None = None
    close: str | None = None
    mean: str | None = None
    previous: str | None = None
    min: str | None = None
    max: str | None = None


class ArchivedCandle(Struct, gc=False):
    """A candle of the historical tier: the same fields, named without suffixes."""

    yes_bid: _ArchivedQuote
    yes_ask: _ArchivedQuote
    price: _ArchivedPrice
    volume: str
    open_interest: str
    end_ts: int = msgspec.field(name="end_period_ts")


Candle = LiveCandle | ArchivedCandle
_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]
    for kind in (LiveCandle, ArchivedCandle)
}


@dataclass(frozen=True)
class MarketCandles:
    """The candles of one market in one response."""

    endpoint: str
    market_ticker: str
    candles: list[Any]
    rejected: list[Rejected] = field(default_factory=list)


def read_candles(raw: bytes, kind: type[Candle], endpoint: str, market_ticker: str) -> MarketCandles:
    """Decode a market's list of candles; bad ones are rejected one by one, and the others kept."""
    try:
        return MarketCandles(endpoint, market_ticker, _DECODERS[kind].decode(raw))
    except msgspec.ValidationError:
        found = MarketCandles(endpoint, market_ticker, [])
        for item in msgspec.json.decode(raw, type=list[Raw] | None) or []:
            try:
                found.candles.append(msgspec.json.decode(item, type=kind))
            except msgspec.ValidationError as error:
                payload = b'{"market_ticker":' + msgspec.json.encode(market_ticker) + b',"candle":' + bytes(item) + b"}"
                found.rejected.append(Rejected(endpoint, str(error), payload))
        return found
