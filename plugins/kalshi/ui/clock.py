"""The clock of a page: UTC, or the time of a city."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from kalshi.settings import DecisionTime, SeriesSettings


@dataclass(frozen=True)
class Clock:
    """How a page shows times, which are naive UTC in the warehouse."""

    name: str = "UTC"
    zone: tzinfo = UTC

    def shown(self, moment: datetime | None) -> datetime | None:
        """What this clock shows at that moment."""
        return moment and moment.replace(tzinfo=UTC).astimezone(self.zone).replace(tzinfo=None)

    def milliseconds(self, moment: datetime) -> int:
        """The same for a chart, whose axis counts from 1970 and knows UTC only."""
        shown = self.shown(moment) or moment
        return round(shown.replace(tzinfo=UTC).timestamp() * 1000)


def city_clock(city: SeriesSettings) -> Clock:
    return Clock(f"{city.city} time", ZoneInfo(city.time_zone))


def in_words(decision: DecisionTime, at: datetime, city: SeriesSettings) -> str:
    """When a strategy decides, such as: 10:00 New York time on the day before the event = 14:00 UTC on 25 Nov 2026."""
    return f"{decision.time:%H:%M} {city.city} time {_day(decision.day)} = {at:%H:%M} UTC on {at:%d %b %Y}"


def _day(day: int) -> str:
    if day == 0:
        return "on the event's own day"
    number = "the day" if abs(day) == 1 else f"{abs(day)} days"
    return f"{'on ' if abs(day) == 1 else ''}{number} {'before' if day < 0 else 'after'} the event"
