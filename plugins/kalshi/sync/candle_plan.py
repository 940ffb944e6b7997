"""Which requests fetch the candles of which markets: as few as the exchange's limits allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal

TICKERS_PER_BATCH = 100
MINUTES_PER_BATCH = 10_000
MINUTES_PER_MARKET = 4_500
"""The exchange refuses more than 100 tickers or 10,000 candles in a batch, and 5,000 in a request for one market
(Kalshi docs and OpenAPI 3.34; the last was measured, so we stay below it)."""


@dataclass(frozen=True)
class AliveMarket:
    """A market that was open at some time in the window. ``is_archived``: settled before the cutoff."""

    ticker: str
    event_ticker: str
    opens: datetime
    closes: datetime
    is_archived: bool


@dataclass(frozen=True)
class Unit:
    """Markets whose candles are fetched together, for minutes that end in [start, end] (unix s).

    ``how``: one batch request, one request for an event (cut and continued by the exchange), or one for
    each market of the historical tier. ``finishes``: the events that are complete after this unit.
    """

    how: Literal["batch", "event", "archived"]
    markets: tuple[AliveMarket, ...]
    start: int
    end: int
    finishes: tuple[str, ...]


def plan_units(markets: Sequence[AliveMarket], start: datetime, end: datetime) -> list[Unit]:
    """Units for the minutes of ``markets`` between ``start`` and ``end``, in the order of their events."""
    units: list[Unit] = []
    waiting: list[AliveMarket] = []
    for _, group in groupby(sorted(markets, key=lambda m: (m.event_ticker, m.ticker)), lambda m: m.event_ticker):
        some = list(group)
        live = [m for m in some if not m.is_archived]
        archived = [m for m in some if m.is_archived]
        if waiting and (archived or not _fits([*waiting, *live], start, end)):
            units.append(_unit("batch", waiting, start, end))
            waiting = []
        if archived:
            units.append(_unit("archived", archived, start, end, finishes=not live))
        if live and not _fits(live, start, end):
            units.append(_unit("event", live, start, end))
        else:
            waiting += live
    if waiting:
        units.append(_unit("batch", waiting, start, end))
    return units


def _fits(markets: Sequence[AliveMarket], start: datetime, end: datetime) -> bool:
    first, last = _range(markets, start, end)
    return len(markets) <= TICKERS_PER_BATCH and len(markets) * ((last - first) // 60 + 1) <= MINUTES_PER_BATCH


def _unit(
    how: Literal["batch", "event", "archived"],
    markets: Sequence[AliveMarket],
    start: datetime,
    end: datetime,
    *,
    finishes: bool = True,
) -> Unit:
    events = tuple(dict.fromkeys(m.event_ticker for m in markets)) if finishes else ()
    return Unit(how, tuple(markets), *_range(markets, start, end), events)


def _range(markets: Sequence[AliveMarket], start: datetime, end: datetime) -> tuple[int, int]:
    """The ends of the first and the last minute (unix s) that any of the markets can have in the window."""
    first = max(start, min(m.opens for m in markets))
    last = min(end, max(m.closes for m in markets))
    return int(first.timestamp()) // 60 * 60 + 60, -(-int(last.timestamp()) // 60) * 60


def pieces(start: int, end: int) -> Iterator[tuple[int, int]]:
    """[start, end] in pieces that one request for one market may ask for."""
    step = MINUTES_PER_MARKET * 60
    for first in range(start, end + 1, step):
        yield first, min(end, first + step - 60)
