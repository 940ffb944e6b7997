"""The periods of candles: minutes, hours, and days of US Eastern time, with their inclusive ends in unix seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = 1, 60, 1440
PERIODS = (MINUTE, HOUR, DAY)
EASTERN = ZoneInfo("America/New_York")


@lru_cache(4096)
def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), EASTERN).timestamp())


def ends(period: int, first: int, last: int) -> Sequence[int]:
    """The ends from the second ``first`` to the second ``last``, both included."""
    if period != DAY:
        seconds = period * 60
        return range(-(-first // seconds) * seconds, last + 1, seconds)
    day = datetime.fromtimestamp(first, EASTERN).date()
    midnights = (_midnight(day + timedelta(days=number)) for number in range((last - first) // 86400 + 3))
    return [midnight for midnight in midnights if first <= midnight <= last]


def end_from(period: int, moment: int) -> int:
    """The first end at or after that second."""
    return ends(period, moment, moment + 25 * 3600)[0]


def hours(end: int) -> range:
    """The hours (since 1970) of the day that ends there; 23 or 25 when the clocks change."""
    day = datetime.fromtimestamp(end, EASTERN).date()
    return range(_midnight(day - timedelta(days=1)) // 3600, end // 3600)
