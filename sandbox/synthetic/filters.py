"""What a request's filters select: when the events opened that it can be about, and a test for each row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.queries import STATUSES as FILTERS
from sandbox.queries import BadRequest, Query, check_times, status_of
from sandbox.synthetic.calendar import STATUSES, Lives, Rows, lives, markets_of
from sandbox.synthetic.dice import Flags, Ints
from sandbox.synthetic.lists import NEVER, Span, Test
from sandbox.synthetic.plan import Plan
from sandbox.tape import micros


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
