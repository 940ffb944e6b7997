"""Which requests fetch the candles of which markets: as few as the exchange's limits allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    series_ticker: str
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


def plan_units(markets: Iterable[AliveMarket], start: datetime, end: datetime) -> Iterator[Unit]:
    """Plan the units that fetch the minutes of ``markets``, which come in event order, between ``start`` and ``end``.

    Live markets of several events share a unit while their tickers fit one request and that costs no request more.
    """
    waiting: list[AliveMarket] = []
    for _, group in groupby(markets, lambda m: m.event_ticker):
        siblings = list(group)
        live = [m for m in siblings if not m.is_archived]
        archived = [m for m in siblings if m.is_archived]
        if waiting and (archived or not _are_better_together(waiting, live, start, end)):
            yield _unit(waiting, start, end)
            waiting = []
        if archived:
            yield _unit(archived, start, end, finishes=not live)
        waiting += live
    if waiting:
        yield _unit(waiting, start, end)


def _are_better_together(
    some: Sequence[AliveMarket], more: Sequence[AliveMarket], start: datetime, end: datetime
) -> bool:
    together = [*some, *more]
    if len(together) > TICKERS_PER_BATCH:
        return False
    return _requests(together, start, end) <= _requests(some, start, end) + _requests(more, start, end)


def _requests(markets: Sequence[AliveMarket], start: datetime, end: datetime) -> int:
    """How many batches fetch these markets, which fit one."""
    return sum(1 for _ in batches([m.ticker for m in markets], *_range(markets, start, end)))


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
