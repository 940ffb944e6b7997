"""Candles as JSON text, assembled from ready-made parts because millions are requested."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import msgspec

from sandbox import wire
from sandbox.candles import Candle, Prices

dollars = lru_cache(10_001)(wire.dollars)
contracts = lru_cache(65536)(wire.contracts)
open_interest = lru_cache(65536)(wire.open_interest)


def listed(candles: Iterable[str]) -> msgspec.Raw:
    """The candles as a JSON list, ready for a response body."""
    return msgspec.Raw(f"[{','.join(candles)}]".encode())


def live(candle: Candle) -> str:
    """The live tier's form: missing values are left out."""
    return _live(candle, _live_price(candle))


def projected(candle: Candle) -> str:
    """The synthetic one of ``include_latest_before_start``: it has a previous price, and nulls."""
    previous = f'"{dollars(candle.previous)}"' if candle.previous else "null"
    nulls = "".join(f'"{name}_dollars":null,' for name in ("close", "high", "low", "mean", "open"))
    return _live(candle, f'{{{nulls}"previous_dollars":{previous}}}')


def archived(candle: Candle) -> str:
    """The historical tier's form: no suffixes, no min and max, null for missing values."""
    return (
        f'{{"end_period_ts":{candle.end},"open_interest":"{open_interest(candle.total)}",'
        f'"price":{_archived_price(candle)},"volume":"{contracts(candle.volume)}",'
        f'"yes_ask":{_quotes(candle.ask, "")},"yes_bid":{_quotes(candle.bid, "")}}}'
    )


def _live(candle: Candle, price: str) -> str:
    return (
        f'{{"end_period_ts":{candle.end},"open_interest_fp":"{open_interest(candle.total)}",'
        f'"price":{price},"volume_fp":"{contracts(candle.volume)}",'
        f'"yes_ask":{_quotes(candle.ask, "_dollars")},"yes_bid":{_quotes(candle.bid, "_dollars")}}}'
    )


@lru_cache(65536)
def _quotes(side: Prices, suffix: str) -> str:
    first, low, high, last = map(dollars, side)
    return f'{{"close{suffix}":"{last}","high{suffix}":"{high}","low{suffix}":"{low}","open{suffix}":"{first}"}}'


def _live_price(candle: Candle) -> str:
    previous = f'"previous_dollars":"{dollars(candle.previous)}"' if candle.previous else ""
    if candle.price is None:
        return f"{{{previous}}}"
    first, low, high, last = map(dollars, candle.price)
    return (
        f'{{"close_dollars":"{last}","high_dollars":"{high}","low_dollars":"{low}","max_dollars":"{high}",'
        f'"mean_dollars":"{_mean(candle)}","min_dollars":"{low}","open_dollars":"{first}"'
        f"{',' if previous else ''}{previous}}}"
    )


def _archived_price(candle: Candle) -> str:
    previous = f'"{dollars(candle.previous)}"' if candle.previous else "null"
    if candle.price is None:
        return f'{{"close":null,"high":null,"low":null,"mean":null,"open":null,"previous":{previous}}}'
    first, low, high, last = map(dollars, candle.price)
    return (
        f'{{"close":"{last}","high":"{high}","low":"{low}","mean":"{_mean(candle)}",'
        f'"open":"{first}","previous":{previous}}}'
    )


def _mean(candle: Candle) -> str:
    """Weighted by count, in dollars, half a unit of the fourth decimal rounded up."""
    return f"{(round(200 * candle.turnover) + candle.volume) // (2 * candle.volume) / 10000:.4f}"
