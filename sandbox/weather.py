"""The weather series, by the contract's rules.

Six markets an event: one ``less``, four ``between`` (both ends included, two degrees wide), one ``greater``.
Open at 14:00 UTC of the day before, close at local standard midnight, settled some hours later; a few
events settle days later, and a few settle wrong at first.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from sandbox import lives
from sandbox.lives import Step
from sandbox.markets import City, Event, Market, ticker_day

CITIES = (
    City("KXHIGHMIA", "Miami", "CLIMIA", -5, 84, 6),
    City("KXHIGHNY", "New York City", "CLINYC", -5, 63, 22),
    City("KXHIGHPHIL", "Philadelphia", "CLIPHL", -5, 65, 22),
    City("KXHIGHCHI", "Chicago", "CLIMDW", -6, 60, 25),
    City("KXHIGHLAX", "Los Angeles", "CLILAX", -8, 72, 7),
    City("KXHIGHAUS", "Austin", "CLIAUS", -6, 81, 17),
    City("KXHIGHDEN", "Denver", "CLIDEN", -7, 66, 21),
)
RECORDED_EVENT = "KXHIGHNY-26SEP23"
"""Recorded from the real exchange on 2026-09-22; its bodies are served verbatim while it is active."""
LATE, AMENDED = 0.02, 0.01
"""The shares of events."""


def weather_event(city: City, day: date, seed: int) -> Event:
    """One event with its six markets, derived from the seed alone."""
    dice = random.Random(f"{seed}/{city.series}/{day}")
    season = city.mean - city.swing * math.cos(2 * math.pi * (day.timetuple().tm_yday - 20) / 365.25)
    forecast = season + dice.gauss(0, 6)
    high = round(forecast + dice.gauss(0, 2.5))
    lowest = round(forecast) - 4
    ticker = f"{city.series}-{ticker_day(day)}"
    before = datetime.combine(day - timedelta(days=1), time(), UTC)
    after = before + timedelta(days=2)
    created = before + timedelta(hours=9, minutes=34, seconds=dice.randrange(60))
    closes = after - timedelta(hours=city.standard_offset)
    settles = after + timedelta(
        hours=11, minutes=20, seconds=dice.randrange(2520), microseconds=dice.randrange(1_000_000)
    )
    event = Event(
        ticker=ticker,
        city=city,
        day=day,
        created=created,
        opens=before + timedelta(hours=14),
        closes=closes,
        life=lives.settled(settles, high)
        if ticker == RECORDED_EVENT
        else _life(dice, closes, settles, high, neighbour(high, lowest, forecast)),
        forecast=forecast,
        high=high,
    )
    # The recorded event keeps its real strikes.
    event.markets.extend(_strikes(event, 65 if ticker == RECORDED_EVENT else lowest))
    return event


def _life(dice: random.Random, closes: datetime, settles: datetime, high: int, wrong: int) -> tuple[Step, ...]:
    fate = dice.random()
    if fate < LATE:
        return lives.late(closes, dice.uniform(1, 4), high)
    if fate < LATE + AMENDED:
        return lives.amended(settles, wrong, high)
    return lives.settled(settles, high)


def neighbour(high: int, lowest: int, forecast: float) -> int:
    """A temperature in the bracket next to that of ``high``."""
    return min(max(high, lowest - 1), lowest + 8) + (2 if high < forecast else -2)


def _strikes(event: Event, lowest: int) -> Iterator[Market]:
    yield Market(f"{event.ticker}-T{lowest}", event, "less", None, lowest)
    for floor in range(lowest, lowest + 8, 2):
        yield Market(f"{event.ticker}-B{floor + 0.5}", event, "between", floor, floor + 1)
    yield Market(f"{event.ticker}-T{lowest + 7}", event, "greater", lowest + 7, None)
