"""When markets open, stop, resume, close and settle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sandbox.synthetic.dice import Ints, Words, draw, mixed
from sandbox.synthetic.kinds import EARLIEST, LATEST
from sandbox.synthetic.plan import SECOND, Plan

STATUSES = ("initialized", "active", "closed", "determined", "finalized")
DAY = 86_400 * SECOND


class Place(NamedTuple):
    """The numbers of a market, or of an event where ``market`` is 0."""

    series: int
    event: int
    market: int = 0

    def rows(self) -> Rows:
        return Rows(*(np.array([number], np.int64) for number in self))


@dataclass(frozen=True, eq=False)
class Rows:
    """Markets by the numbers of their series, of the event in it, and of the market in that."""

    series: Ints
    event: Ints
    market: Ints

    def __len__(self) -> int:
        return len(self.series)

    def take(self, places: Ints) -> Rows:
        return Rows(self.series[places], self.event[places], self.market[places])

    def places(self) -> Iterator[Place]:
        return map(Place, self.series.tolist(), self.event.tolist(), self.market.tolist())

    def and_then(self, more: Rows) -> Rows:
        """These, and then those."""
        return Rows(*(np.concatenate(both) for both in zip(vars(self).values(), vars(more).values(), strict=True)))


@dataclass(frozen=True, eq=False)
class Lives:
    """The times of markets; ``ends`` is the scheduled close.

    Some stop early. Of these, some resume later and close as scheduled: for the others ``resumes`` and ``closes`` are
    the time at which they stopped. Those that don't stop early stop, resume and close as scheduled.
    """

    key: Words
    created: Ints
    opens: Ints
    ends: Ints
    stops: Ints
    resumes: Ints
    closes: Ints
    determined: Ints
    settled: Ints

    def take(self, places: Ints) -> Lives:
        return Lives(*(values[places] for values in vars(self).values()))

    @property
    def trading(self) -> Ints:
        """How long each can be traded in all."""
        found: Ints = self.closes - self.opens - (self.resumes - self.stops)
        return found

    def traded_before(self, moment: Ints | int) -> Ints:
        """How long each could be traded before that time."""
        until_stop = np.clip(moment, self.opens, self.stops) - self.opens
        found: Ints = until_stop + np.clip(moment, self.resumes, self.closes) - self.resumes
        return found

    def status(self, now: int) -> Ints:
        """The places of their statuses in STATUSES."""
        is_open = (now < self.stops) | ((self.resumes <= now) & (now < self.closes))
        after = 2 + (self.determined <= now).astype(np.int64) + (self.settled <= now)
        return np.where(now < self.opens, 0, np.where(is_open, 1, after))

    def close(self, now: int) -> Ints:
        """The closing time as it is known: an early stop shows once it has come, and goes when trading resumes."""
        stopped = (self.stops <= now) & ((now < self.resumes) | (self.closes == self.stops))
        return np.where(stopped, self.stops, self.ends)

    def updated(self, now: int) -> Ints:
        """When the exchange last changed them; a close on schedule doesn't count."""
        stop = np.where(self.stops < self.ends, self.stops, self.opens)
        resumption = np.where(self.stops < self.resumes, self.resumes, self.opens)
        latest = self.created
        for moment in (self.opens, stop, resumption, self.determined, self.settled):
            latest = np.where(moment <= now, np.maximum(latest, moment), latest)
        return latest


def markets_of(plan: Plan, events: Rows) -> Rows:
    """All markets of events, one event after the other."""
    each = plan.markets[events.series]
    market = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
    return Rows(np.repeat(events.series, each), np.repeat(events.event, each), market)


def event_keys(plan: Plan, rows: Rows) -> Words:
    return mixed(plan.key[rows.series], rows.event)


def lives(plan: Plan, rows: Rows) -> Lives:
    """Their lives, from the plan alone."""
    event_key, series = event_keys(plan, rows), rows.series
    key = mixed(event_key, rows.market)
    opens = plan.start[series] + rows.event * plan.period[series]
    ends = opens + plan.life[series]
    fate = np.where(plan.together[series], event_key, key)
    early = draw(fate, 11) < plan.stopping[series]
    resuming = early & (draw(fate, 12) < plan.resuming[series])
    lived = (EARLIEST + (LATEST - EARLIEST) * draw(fate, 13)) * plan.life[series]
    stops = np.where(early, opens + lived.astype(np.int64) // SECOND * SECOND, ends)
    resumes = np.where(resuming, (stops + ends) // (2 * SECOND) * SECOND, stops)
    closes = np.where(early & ~resuming, stops, ends)
    late = np.where(draw(fate, 14) < plan.late[series], 3 * DAY * draw(fate, 15), 0)
    settled = closes + (plan.lag[series] * (1 + draw(key, 16)) + late).astype(np.int64)
    return Lives(
        key=key,
        created=opens - plan.lead[series],
        opens=opens,
        ends=ends,
        stops=stops,
        resumes=resumes,
        closes=closes,
        determined=settled - plan.lag[series] // 4,
        settled=settled,
    )
