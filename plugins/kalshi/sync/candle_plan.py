"""Which requests fetch the candles of which markets: as few as the exchange's limits allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

TICKERS_PER_BATCH = 100
MINUTES_PER_BATCH = 10_000
MINUTES_PER_MARKET = 4_500
"""The exchange refuses more than 100 tickers or 10,000 candles in a batch, and 5,000 in a request for one market. It
counts the minutes requested, with or without candles (Kalshi docs and OpenAPI 3.34; measured by others)."""


@dataclass(frozen=True)
class AliveMarket:
    """A market that was open at some point in the window. ``is_archived``: settled before the cutoff."""

    ticker: str
    event_ticker: str
    opens: datetime
    closes: datetime
    is_archived: bool


@dataclass(frozen=True)
class Unit:
    """Markets of one tier whose candles are fetched together, for minutes that end in [start, end] (unix s).

    ``finishes``: the events that are complete after this unit.
    """

    markets: tuple[AliveMarket, ...]
    start: int
    end: int
    finishes: tuple[str, ...]

    @property
    def tickers(self) -> list[str]:
        return [market.ticker for market in self.markets]

    @property
    def is_archived(self) -> bool:
        return self.markets[0].is_archived


def plan_units(markets: Sequence[AliveMarket], start: datetime, end: datetime) -> list[Unit]:
    """Plan the units that fetch the minutes of ``markets`` between ``start`` and ``end``, in event order.

    Live markets of several events share a unit as long as they fit one batch request.
    """
    units: list[Unit] = []
    waiting: list[AliveMarket] = []
    for _, group in groupby(sorted(markets, key=lambda m: (m.event_ticker, m.ticker)), lambda m: m.event_ticker):
        siblings = list(group)
        live = [m for m in siblings if not m.is_archived]
        archived = [m for m in siblings if m.is_archived]
        if waiting and (archived or not _is_one_batch([*waiting, *live], start, end)):
            units.append(_unit(waiting, start, end))
            waiting = []
        if archived:
            units.append(_unit(archived, start, end, finishes=not live))
        waiting += live
    if waiting:
        units.append(_unit(waiting, start, end))
    return units


def _is_one_batch(markets: Sequence[AliveMarket], start: datetime, end: datetime) -> bool:
    first, last = _range(markets, start, end)
    return len(list(batches([m.ticker for m in markets], first, last))) == 1


def _unit(markets: Sequence[AliveMarket], start: datetime, end: datetime, *, finishes: bool = True) -> Unit:
    events = tuple(dict.fromkeys(m.event_ticker for m in markets)) if finishes else ()
    return Unit(tuple(markets), *_range(markets, start, end), events)


def _range(markets: Sequence[AliveMarket], start: datetime, end: datetime) -> tuple[int, int]:
    """The ends of the first and the last minute (unix s) that any of the markets can have in the window."""
    first = max(start, min(m.opens for m in markets))
    last = min(end, max(m.closes for m in markets))
    return int(first.timestamp()) // 60 * 60 + 60, -(-int(last.timestamp()) // 60) * 60


def batches(tickers: Sequence[str], start: int, end: int) -> Iterator[tuple[Sequence[str], int, int]]:
    """The batch requests, as (tickers, start, end), for the minutes of the markets that end in [start, end]."""
    for first in range(0, len(tickers), TICKERS_PER_BATCH):
        batch = tickers[first : first + TICKERS_PER_BATCH]
        for piece in pieces(start, end, MINUTES_PER_BATCH // len(batch)):
            yield batch, *piece


def pieces(start: int, end: int, minutes: int = MINUTES_PER_MARKET) -> Iterator[tuple[int, int]]:
    """Split [start, end] into pieces of at most ``minutes``."""
    step = minutes * 60
    for first in range(start, end + 1, step):
        yield first, min(end, first + step - 60)
