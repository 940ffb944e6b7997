"""The synthetic exchange: series, events and markets, and what each looked like at a moment.

Weather events follow the contract's rules: six markets an event, one ``less``, four ``between`` (both
ends included, two degrees wide), one ``greater``; open at 14:00 UTC of the day before, close at local
standard midnight, settled some hours later.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
LIVE_DAYS = 90
"""Markets settled longer ago than this are in the historical tier."""
RECORDED_EVENT = "KXHIGHNY-26SEP23"
"""Recorded from the real exchange on 2026-09-22; its bodies are served verbatim while it is active."""
TIER_OVERLAP = timedelta(days=1)
"""Around the cutoff both tiers have a market."""


@dataclass(frozen=True)
class City:
    """A weather series. ``standard_offset``: hours from UTC to local standard time."""

    series: str
    name: str
    station: str
    standard_offset: int
    mean: float
    swing: float


CITIES = (
    City("KXHIGHMIA", "Miami", "CLIMIA", -5, 84, 6),
    City("KXHIGHNY", "New York City", "CLINYC", -5, 63, 22),
    City("KXHIGHPHIL", "Philadelphia", "CLIPHL", -5, 65, 22),
    City("KXHIGHCHI", "Chicago", "CLIMDW", -6, 60, 25),
    City("KXHIGHLAX", "Los Angeles", "CLILAX", -8, 72, 7),
    City("KXHIGHAUS", "Austin", "CLIAUS", -6, 81, 17),
    City("KXHIGHDEN", "Denver", "CLIDEN", -7, 66, 21),
)


@dataclass(frozen=True)
class Market:
    """One contract. Times are aware UTC; ``result`` and ``settled`` are what will be in the end."""

    ticker: str
    event: Event = field(repr=False)
    strike_type: str
    floor: int | None
    cap: int | None
    result: str

    def status(self, now: datetime) -> str:
        """The market's status in answers."""
        if now < self.event.opens:
            return "initialized"
        if now < self.event.closes:
            return "active"
        if now < self.event.settles - timedelta(minutes=5):
            return "closed"
        return "determined" if now < self.event.settles else "finalized"

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


@dataclass(frozen=True)
class Event:
    """One day's question in one city."""

    ticker: str
    city: City
    day: date
    created: datetime
    opens: datetime
    closes: datetime
    settles: datetime
    forecast: float
    high: int
    markets: list[Market] = field(default_factory=list, repr=False)


def ticker_day(day: date) -> str:
    """26SEP23 for 2026-09-23."""
    return f"{day:%y}{MONTHS[day.month - 1]}{day:%d}"


def weather_event(city: City, day: date, seed: int) -> Event:
    """One event with its six markets, from the seed alone."""
    dice = random.Random(f"{seed}/{city.series}/{day}")
    season = city.mean - city.swing * math.cos(2 * math.pi * (day.timetuple().tm_yday - 20) / 365.25)
    forecast = season + dice.gauss(0, 6)
    high = round(forecast + dice.gauss(0, 2.5))
    before = datetime.combine(day - timedelta(days=1), time(), UTC)
    closes = datetime.combine(day + timedelta(days=1), time(-city.standard_offset), UTC)
    event = Event(
        ticker=f"{city.series}-{ticker_day(day)}",
        city=city,
        day=day,
        created=before + timedelta(hours=9, minutes=34, seconds=dice.randrange(60)),
        opens=before + timedelta(hours=14),
        closes=closes,
        settles=datetime.combine(day + timedelta(days=1), time(11, 20), UTC)
        + timedelta(seconds=dice.randrange(2520), microseconds=dice.randrange(1_000_000)),
        forecast=forecast,
        high=high,
    )
    lowest = round(forecast) - 4
    # The recorded event keeps the strikes that it really had.
    event.markets.extend(_strikes(event, 65 if event.ticker == RECORDED_EVENT else lowest))
    return event


def _strikes(event: Event, lowest: int) -> Iterator[Market]:
    def market(suffix: str, kind: str, floor: int | None, cap: int | None) -> Market:
        if kind == "less":
            yes = event.high < (cap or 0)
        elif kind == "greater":
            yes = event.high > (floor or 0)
        else:
            yes = (floor or 0) <= event.high <= (cap or 0)
        return Market(f"{event.ticker}-{suffix}", event, kind, floor, cap, "yes" if yes else "no")

    yield market(f"T{lowest}", "less", None, lowest)
    for floor in range(lowest, lowest + 8, 2):
        yield market(f"B{floor + 0.5}", "between", floor, floor + 1)
    yield market(f"T{lowest + 7}", "greater", lowest + 7, None)


@dataclass
class Clock:
    """The exchange's time: stands at ``start``, or moves ``speed`` times as fast as the real one."""

    start: datetime
    speed: float = 0.0
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def now(self) -> datetime:
        return self.start + (datetime.now(UTC) - self.began) * self.speed


class World:
    """All events from ``since`` on, and a wide series ``KXSANDBOXWIDE`` with ``wide_markets`` markets."""

    def __init__(
        self, clock: Clock, *, seed: int = 1, since: date = date(2023, 1, 1), wide_markets: int = 2500
    ) -> None:
        self.clock = clock
        self.seed = seed
        self.since = since
        self.wide_markets = wide_markets
        self._events: dict[str, list[Event]] = {city.series: [] for city in CITIES}
        self._next_day = since
        self.events_by_ticker: dict[str, Event] = {}
        self.wide = self._wide_event() if wide_markets else None

    def series_tickers(self) -> list[str]:
        return [*self._events, *(["KXSANDBOXWIDE"] if self.wide else [])]

    def cutoff(self) -> datetime:
        """Where the live tier begins: a midnight, so that it moves once a day."""
        day = (self.clock.now() - timedelta(days=LIVE_DAYS)).date()
        return datetime.combine(day, time(), UTC)

    def events(self, series: str | None = None) -> list[Event]:
        """Every event created by now, oldest first."""
        self._grow()
        now = self.clock.now()
        if series == "KXSANDBOXWIDE":
            return [self.wide] if self.wide else []
        chosen = self._events.values() if series is None else [self._events.get(series, [])]
        events = [e for some in chosen for e in some if e.created <= now]
        return events + ([self.wide] if series is None and self.wide else [])

    def event(self, ticker: str) -> Event | None:
        self._grow()
        event = self.events_by_ticker.get(ticker)
        return event if event and event.created <= self.clock.now() else None

    def market(self, ticker: str) -> Market | None:
        event = self.event(ticker.rpartition("-")[0])
        return next((m for m in event.markets if m.ticker == ticker), None) if event else None

    def in_live_tier(self, market: Market) -> bool:
        return market.event.settles >= self.cutoff()

    def in_historical_tier(self, market: Market) -> bool:
        return market.event.settles < self.cutoff() + TIER_OVERLAP

    def _grow(self) -> None:
        until = self.clock.now().date() + timedelta(days=1)
        while self._next_day <= until:
            for city in CITIES:
                event = weather_event(city, self._next_day, self.seed)
                self._events[city.series].append(event)
                self.events_by_ticker[event.ticker] = event
            self._next_day += timedelta(days=1)

    def _wide_event(self) -> Event:
        city = City("KXSANDBOXWIDE", "Sandbox City", "CLISBX", -5, 50, 0)
        day = date(2099, 12, 31)
        far = datetime(2100, 1, 1, 5, tzinfo=UTC)
        opened = datetime(2023, 1, 1, tzinfo=UTC)
        event = Event(f"KXSANDBOXWIDE-{ticker_day(day)}", city, day, opened, opened, far, far, 50, 50)
        for number in range(self.wide_markets):
            event.markets.append(Market(f"{event.ticker}-T{number}", event, "greater", number, None, "no"))
        self.events_by_ticker[event.ticker] = event
        return event
