"""What the exchange lists: cities with their series, events, and the markets of an event."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Literal, NamedTuple

from sandbox.lives import Step

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(frozen=True)
class City:
    """A weather series. ``standard_offset``: hours from UTC to local standard time."""

    series: str
    name: str
    station: str
    standard_offset: int
    mean: float
    swing: float


class Verdict(NamedTuple):
    """How a market settles. ``dated``: whether the exchange gives the time."""

    result: str
    value: str | None
    dated: bool = True


YES, NO = Verdict("yes", "1.0000"), Verdict("no", "0.0000")


@dataclass(frozen=True, eq=False)
class Market:
    """One contract. Times are aware UTC; ``fixed``: its verdict regardless of the temperature."""

    ticker: str
    event: Event = field(repr=False)
    strike_type: str
    floor: int | None
    cap: int | None
    fixed: Verdict | None = None

    def verdict(self, high: int) -> Verdict:
        """The verdict at that temperature: open-ended brackets are strict, ranges include both ends."""
        if self.fixed:
            return self.fixed
        if self.strike_type == "less":
            return YES if high < (self.cap or 0) else NO
        if self.strike_type == "greater":
            return YES if high > (self.floor or 0) else NO
        return YES if (self.floor or 0) <= high <= (self.cap or 0) else NO

    def status(self, now: datetime) -> str:
        """The market's status in answers."""
        if step := self.event.step(now):
            return step.status
        if now < self.event.opens:
            return "initialized"
        return "active" if now < self.event.closes else "closed"

    def updated(self, now: datetime) -> datetime:
        """When the exchange last changed it; trading and closing don't count."""
        if step := self.event.step(now):
            return step.since
        return self.event.created if now < self.event.opens else self.event.opens

    def chance(self, now: datetime) -> float:
        """The probability of YES that the market's book sits around, from forecast and time left."""
        left = max(0.0, (self.event.closes - now).total_seconds() / 86400)
        sigma = 0.4 + 2.6 * math.sqrt(min(1.5, left) / 1.5)
        known = 1 - min(1.0, left / 1.5)
        mean = self.event.forecast + (self.event.high - self.event.forecast) * known

        def below(degrees: float) -> float:
            return 0.5 * (1 + math.erf((degrees - mean) / (sigma * math.sqrt(2))))

        low = -math.inf if self.floor is None else self.floor + (0.5 if self.strike_type == "greater" else -0.5)
        high = math.inf if self.cap is None else self.cap + (-0.5 if self.strike_type == "less" else 0.5)
        return (1.0 if high == math.inf else below(high)) - (0.0 if low == -math.inf else below(low))


@dataclass(frozen=True, eq=False)
class Event:
    """One day's question in one city.

    ``high`` is the final temperature; ``life`` what happens after the close, in time order.
    Lively books have trades, quiet ones only quotes, empty ones nothing.
    """

    ticker: str
    city: City
    day: date
    created: datetime
    opens: datetime
    closes: datetime
    life: tuple[Step, ...]
    forecast: float
    high: int
    book: Literal["lively", "quiet", "empty"] = "lively"
    markets: list[Market] = field(default_factory=list, repr=False)

    @cached_property
    def minutes(self) -> range:
        """The minutes since 1970 in which it is open; it opens and closes on the hour."""
        return range(int(self.opens.timestamp()) // 60, int(self.closes.timestamp()) // 60)

    @property
    def settles(self) -> datetime:
        """When it is settled for good."""
        return self.life[-1].since

    def step(self, now: datetime) -> Step | None:
        """The current step of its life after the close; None before the first."""
        return next((step for step in reversed(self.life) if step.since <= now), None)


def ticker_day(day: date) -> str:
    """26SEP23 for 2026-09-23."""
    return f"{day:%y}{MONTHS[day.month - 1]}{day:%d}"
