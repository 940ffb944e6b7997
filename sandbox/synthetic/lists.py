"""The lists of events and markets: which rows a request selects, and its pages.

A list goes through the series, in each from the newest event to the oldest. A place in it names the next row, so a page
begins there even if events have been added or archived meanwhile. A request's filters first narrow the range of events
of each series, by when they opened; then they are checked for each row, some thousands at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sandbox.queries import STATUSES as FILTERS
from sandbox.queries import BadRequest, Query, check_times, status_of
from sandbox.synthetic.calendar import STATUSES, Lives, Place, Rows, lives, markets_of
from sandbox.synthetic.dice import Flags, Ints
from sandbox.synthetic.plan import Plan
from sandbox.tape import micros

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


def every_event(plan: Plan, now: int) -> Span:
    """Everything that has been created."""
    return Span(plan.start, now + plan.lead)


def combos(plan: Plan, query: Query) -> Flags:
    """The series that ``mve_filter`` leaves; a value that it doesn't know leaves all."""
    match query.text("mve_filter"):
        case "exclude":
            return ~plan.is_combo
        case "only":
            return plan.is_combo
    return np.ones(len(plan.series), bool)


def of_series(plan: Plan, query: Query) -> Flags:
    """The series that ``series_ticker`` names; all if it names none."""
    if not (ticker := query.text("series_ticker")):
        return np.ones(len(plan.series), bool)
    return np.array([ticker == series.ticker for series in plan.series])


@dataclass(frozen=True)
class _Bounds:
    """The times that a family of filters allows, both included."""

    low: int
    high: int

    def hold(self, moment: Ints) -> Flags:
        return (self.low <= moment) & (moment <= self.high)


def bounds(query: Query, family: str) -> _Bounds | None:
    low, high = query.moment(f"min_{family}_ts"), query.moment(f"max_{family}_ts")
    if not low and not high:
        return None
    return _Bounds(micros(low) if low else -NEVER, micros(high) if high else NEVER)


def live_markets(plan: Plan, query: Query, now: int, cutoff: int) -> tuple[Span, Test]:
    """The span of the events, and the test of each market, of a request for the live tier."""
    status = status_of(query)
    check_times(query, status)
    settled = bounds(query, "settled")
    wanted = status or ("settled" if settled else None)
    allowed = [STATUSES.index(s) for s in FILTERS[wanted] if s in STATUSES] if wanted else None
    times = {family: found for family in ("created", "close", "updated") if (found := bounds(query, family))}
    span = _narrowed(plan, every_event(plan, now).between(cutoff - plan.life - plan.longest_lag, NEVER), times, now)
    if settled:
        span = span.between(settled.low - plan.life - plan.longest_lag, settled.high)
    span = _of_status(plan, span, wanted, now)

    def matches(rows: Rows) -> Flags:
        found = lives(plan, rows)
        kept = (found.created <= now) & (found.settled >= cutoff)
        if allowed is not None:
            kept &= np.isin(found.status(now), allowed)
        if settled:
            kept &= settled.hold(found.settled)
        for family, its in times.items():
            kept &= its.hold(_moment(found, family, now))
        return kept

    return span, matches


def _moment(found: Lives, family: str, now: int) -> Ints:
    if family == "created":
        return found.created
    return found.close(now) if family == "close" else found.updated(now)


def _narrowed(plan: Plan, span: Span, times: dict[str, _Bounds], now: int) -> Span:
    """When events can have opened whose markets were created, closed or changed at such times."""
    for family, its in times.items():
        longest = plan.life + (plan.longest_lag if family == "updated" else 0)
        if family == "created":
            span = span.between(its.low + plan.lead, its.high + plan.lead)
        else:
            span = span.between(its.low - longest, its.high + plan.lead)
    return span


def _of_status(plan: Plan, span: Span, status: str | None, now: int) -> Span:
    """When events can have opened whose markets have a status now."""
    match status:
        case "unopened":
            return span.between(now + 1, NEVER)
        case "open":
            return span.between(now - plan.life, now)
        case "closed":
            return span.between(now - plan.life - plan.longest_lag, now)
        case "settled":
            return span.between(-NEVER, now)
        case "paused":
            return span.between(NEVER, -NEVER)
    return span


def historical_markets(plan: Plan, before: int) -> tuple[Span, Test]:
    """Those that were settled before that time."""
    return Span(plan.start, np.full(len(plan.series), before)), lambda rows: lives(plan, rows).settled < before


def events(plan: Plan, query: Query, now: int) -> tuple[Span, Test]:
    """The span of the events, and the test of each: any of its markets may have the status, or close late enough."""
    status = query.text("status")
    if status not in (None, "unopened", "open", "closed", "settled"):
        raise BadRequest(f"invalid status: {status}")
    closing, updated = bounds(query, "close"), query.moment("min_updated_ts")
    span = _of_status(plan, every_event(plan, now), status, now)
    if closing:
        span = span.between(closing.low - plan.life, NEVER)
    if updated:
        span = span.between(micros(updated) + plan.lead, NEVER)

    def matches(of: Rows) -> Flags:
        if status is None and closing is None:
            return np.ones(len(of), bool)
        each = plan.markets[of.series]
        found = lives(plan, markets_of(plan, of))
        kept = np.ones(each.sum(), bool)
        if status:
            kept &= np.isin(found.status(now), [STATUSES.index(s) for s in FILTERS[status] if s in STATUSES])
        if closing:
            kept &= found.close(now) >= closing.low
        return np.logical_or.reduceat(kept, np.cumsum(each) - each)

    return span, matches
