"""The lists of events and markets, and their pages.

A list goes through the series, in each from the newest event to the oldest. A place in it names the next row, so a page
begins there even if events have been added or archived meanwhile. A request's filters (``filters.py``) first narrow the
range of events of each series, by when they opened; then they are checked for each row, some thousands at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sandbox.queries import BadRequest
from sandbox.synthetic.calendar import Place, Rows
from sandbox.synthetic.dice import Flags, Ints
from sandbox.synthetic.plan import Plan

SMALLEST, LARGEST = 1_024, 32_768
"""How many rows are checked at once: more and more, if few of them match."""
NEVER = 2**62

Test = Callable[[Rows], Flags]


@dataclass(frozen=True, eq=False)
class Span:
    """For each series, between which times the events opened that a request can be about."""

    earliest: Ints
    latest: Ints

    def between(self, earliest: Ints | int, latest: Ints | int) -> Span:
        """The part of it within these times, too."""
        return Span(np.maximum(self.earliest, earliest), np.minimum(self.latest, latest))

    def only(self, series: Flags) -> Span:
        """Only these series."""
        return replace(self, latest=np.where(series, self.latest, -1))


@dataclass(frozen=True, eq=False)
class Listing:
    """Rows in the order of the list: ``each`` to an event, or one."""

    newest: Ints
    events: Ints
    each: Ints
    begins: Ints

    def __len__(self) -> int:
        return int(self.begins[-1])

    def rows(self, start: int, stop: int) -> Rows:
        number = np.arange(start, min(stop, len(self)))
        series = np.searchsorted(self.begins, number, side="right") - 1
        event, market = np.divmod(number - self.begins[series], self.each[series])
        return Rows(series, self.newest[series] - event, market)

    def position(self, place: str) -> int:
        """Where that row is, or would be."""
        try:
            series, event, market = map(int, place.split("/"))
        except ValueError:
            raise BadRequest("invalid cursor") from None
        if not (0 <= series < len(self.events) and 0 <= event < NEVER and 0 <= market < self.each[series]):
            raise BadRequest("invalid cursor")
        after = (int(self.newest[series]) - event) * int(self.each[series]) + market
        return int(self.begins[series]) + min(max(after, 0), int(self.events[series] * self.each[series]))


def listing(plan: Plan, span: Span, each: Ints) -> Listing:
    """The rows of the events that opened in the span."""
    newest = (span.latest - plan.start) // plan.period
    oldest = np.maximum(-((plan.start - span.earliest) // plan.period), 0)
    events = np.maximum(newest - oldest + 1, 0)
    return Listing(newest, events, each, np.concatenate(([0], np.cumsum(events * each))))


@dataclass(frozen=True, eq=False)
class Chosen:
    """Some rows, in their own order."""

    some: Rows

    def __len__(self) -> int:
        return len(self.some)

    def rows(self, start: int, stop: int) -> Rows:
        return self.some.take(np.arange(start, min(stop, len(self))))

    def position(self, place: str) -> int:
        """Where that row is."""
        places = [name(self.some, number) for number in range(len(self))]
        if place not in places:
            raise BadRequest("invalid cursor")
        return places.index(place)


def chosen(places: Sequence[Place]) -> Chosen:
    """The rows at these places, each once."""
    columns = np.array(list(dict.fromkeys(places)), np.int64).reshape(-1, 3).T
    return Chosen(Rows(*columns))


def name(rows: Rows, number: int) -> str:
    """The place in a list where that row is."""
    return f"{rows.series[number]}/{rows.event[number]}/{rows.market[number]}"


def page(found: Listing | Chosen, matches: Test, place: str, limit: int, at_once: int = SMALLEST) -> tuple[Rows, str]:
    """The next rows that match, and the place of the page after them ("" at the end)."""
    picked, start = found.rows(0, 0), found.position(place) if place else 0
    while start < len(found) and len(picked) <= limit:
        rows = found.rows(start, start + at_once)
        picked = picked.and_then(rows.take(np.flatnonzero(matches(rows))))
        start, at_once = start + at_once, min(2 * at_once, max(LARGEST, at_once))
    following = name(picked, limit) if len(picked) > limit else ""
    return picked.take(np.arange(min(limit, len(picked)))), following
