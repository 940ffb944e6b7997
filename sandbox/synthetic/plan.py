"""How the markets and the trades asked for are spread over the series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TypeVar

import numpy as np

from sandbox.synthetic.dice import Flags, Floats, Ints, Words, draw, key_of, mixed
from sandbox.synthetic.kinds import DAY, GAMES, GRIDS, HOUR, KINDS, MINUTE, Kind
from sandbox.tape import micros

MOST_SERIES, MOST_MARKETS, MOST_TRADES = 20_000, 1_000_000, 50_000_000
ZIPF = 1.1
"""The exponent by which the trades of a series fall with its rank."""
SECOND = 1_000_000
OUTCOMES = ("winner", "levels", "coin", "scalar", "legs")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Size:
    """How much the exchange lists beside the weather.

    Raises:
        ValueError: a number is out of its bounds.
    """

    series: int
    open_markets: int
    trades_a_day: int

    def __post_init__(self) -> None:
        _check("--series", self.series, 1, MOST_SERIES)
        _check("--open-markets", self.open_markets, self.series, MOST_MARKETS, "one for each series")
        _check("--trades-a-day", self.trades_a_day, 0, MOST_TRADES)


def _check(option: str, number: int, least: int, most: int, why_least: str = "") -> None:
    if not least <= number <= most:
        low = f"{least:,}" + (f" ({why_least})" if why_least else "")
        raise ValueError(f"{option} must be from {low} to {most:,}, not {number:,}")


@dataclass(frozen=True)
class Series:
    """One series by its number; the texts are the beginnings of its tickers."""

    number: int
    kind: Kind
    ticker: str
    event: str
    market: str


@dataclass(frozen=True, eq=False)
class Plan:
    """The series, and for each of them, in arrays: the times of its events and what its markets are like.

    An event ``number`` opens at ``start + number * period`` and has ``markets``; ``trades``: how many a market has on
    average; ``open_share``: the part of their lives in which they are open. ``longest_lag``: the longest time from the
    scheduled close to the settlement. ``outcome`` and ``grid`` are places in OUTCOMES and GRIDS.
    """

    series: tuple[Series, ...]
    key: Words
    since: int
    trades_a_day: int
    start: Ints
    period: Ints
    life: Ints
    lead: Ints
    markets: Ints
    trades: Floats
    unit: Ints
    hold: Ints
    open_share: Floats
    stopping: Floats
    resuming: Floats
    together: Flags
    lag: Ints
    late: Floats
    longest_lag: Ints
    outcome: Ints
    grid: Ints
    is_combo: Flags
    games: Ints

    def open_markets(self) -> float:
        """How many markets are open at one time, on average."""
        return float(np.sum(self.markets * self.life * self.open_share / self.period))


def make_plan(size: Size, seed: int, since: date) -> Plan:
    """The plan of an exchange whose first events open on the day ``since``."""
    kinds = [KINDS[number % len(KINDS)] for number in range(size.series)]
    numbers = np.arange(size.series)
    keys = mixed(key_of(seed), numbers)
    markets, period = _events(kinds, size.open_markets)
    first = micros(datetime.combine(since, time(), UTC))
    phase = (draw(keys, 1) * np.minimum(period, DAY)).astype(np.int64) // MINUTE * MINUTE
    lag, late = _each(kinds, lambda kind: kind.lag), _shares(kinds, lambda kind: kind.late)
    return Plan(
        series=tuple(_series(number, kind) for number, kind in enumerate(kinds)),
        key=keys,
        since=first,
        trades_a_day=size.trades_a_day,
        start=first + phase * SECOND,
        period=period * SECOND,
        life=_each(kinds, lambda kind: kind.life) * SECOND,
        lead=_each(kinds, lambda kind: kind.lead) * SECOND,
        markets=markets,
        trades=_trades_a_day(kinds, keys, size.trades_a_day) * period / (DAY * markets),
        unit=_each(kinds, lambda kind: 100 if kind.whole_contracts else 1),
        hold=_each(kinds, lambda kind: kind.hold),
        open_share=_shares(kinds, lambda kind: kind.open_share),
        stopping=_shares(kinds, lambda kind: kind.stopping),
        resuming=_shares(kinds, lambda kind: kind.resuming),
        together=np.array([kind.together for kind in kinds]),
        lag=lag * SECOND,
        late=late,
        longest_lag=(2 * lag + np.where(late > 0, 3 * DAY, 0)) * SECOND,
        outcome=_each(kinds, lambda kind: OUTCOMES.index(kind.outcome)),
        grid=_each(kinds, lambda kind: list(GRIDS).index(kind.grid)),
        is_combo=np.array([kind.is_combo for kind in kinds]),
        games=np.array([number for number, kind in enumerate(kinds) if kind is GAMES]),
    )


def _events(kinds: list[Kind], open_markets: int) -> tuple[Ints, Ints]:
    """The markets of an event, and the seconds from one event to the next, for each series.

    The kinds whose events open as often as it takes share what the others leave; a kind's series share alike.
    """
    every = _each(kinds, lambda kind: kind.every)
    part = _shares(kinds, lambda kind: kind.open_part)
    wanted = np.maximum((open_markets - np.sum(every > 0)) * part / max(part.sum(), 1e-9), 0.01)
    fewest, most = _each(kinds, lambda kind: kind.fewest), _each(kinds, lambda kind: kind.most)
    markets = np.clip(wanted.astype(np.int64), fewest, most)
    life = _each(kinds, lambda kind: kind.life) * _shares(kinds, lambda kind: kind.open_share)
    seconds = life * markets / wanted
    step = np.where(seconds > HOUR, MINUTE, 1)
    needed = np.maximum(np.rint(seconds / step), 1).astype(np.int64) * step
    return markets, np.where(every > 0, every, needed)


def _trades_a_day(kinds: list[Kind], keys: Words, trades: int) -> Floats:
    """The trades of each series a day: a few series have most of them."""
    rank = np.argsort(np.argsort(draw(keys, 2)))
    weight = _shares(kinds, lambda kind: kind.popularity) / (rank + 1.0) ** ZIPF
    found: Floats = trades * weight / weight.sum()
    return found


def _series(number: int, kind: Kind) -> Series:
    return Series(number, kind, kind.series.format(number), kind.event.format(number), kind.market.format(number))


def _each(kinds: list[Kind], of: Callable[[Kind], int]) -> Ints:
    return np.array([of(kind) for kind in kinds], np.int64)


def _shares(kinds: list[Kind], of: Callable[[Kind], float]) -> Floats:
    return np.array([of(kind) for kind in kinds], np.float64)
