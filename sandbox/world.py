"""The synthetic exchange: its clock, its events, its tape, and the two tiers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sandbox.candles import Chart
from sandbox.markets import Event, Market
from sandbox.special import FIRST_ODD, ODD, odd_events, wide_event
from sandbox.tape import Tape
from sandbox.weather import CITIES, weather_event

LIVE_DAYS = 90
"""Markets settled longer ago than this are in the historical tier, as on Kalshi."""
TIER_OVERLAP = timedelta(days=1)
"""Near the cutoff, both tiers have a market and its trades."""


@dataclass
class Clock:
    """The exchange's time: fixed at ``start``, or moving ``speed`` times as fast as real time."""

    start: datetime
    speed: float = 0.0
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def is_a_wall_clock(self) -> bool:
        """Whether it runs in real time, so that other machines can compare their clocks with it."""
        return self.speed == 1

    def now(self) -> datetime:
        return self.start + (datetime.now(UTC) - self.began) * self.speed


class World:
    """The weather events from ``since`` on, the edge cases, and a wide event with ``wide_markets`` markets. Those that
    settled more than ``live_days`` days ago are in the historical tier."""

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 1,
        since: date = date(2023, 1, 1),
        wide_markets: int = 2500,
        live_days: int = LIVE_DAYS,
        dense_candles: bool = False,
    ) -> None:
        self.clock = clock
        self.seed = seed
        self.live_days = live_days
        self.tape = Tape(seed)
        self.chart = Chart(self.tape, dense=dense_candles)
        self._next_day = since
        self._next_opening = FIRST_ODD
        self._events: dict[str, list[Event]] = {city.series: [] for city in (*CITIES, ODD)}
        self._by_ticker: dict[str, Event] = {}
        self._trading_on: dict[date, list[Event]] = {}
        self._listed: dict[str | None, tuple[int, list[Market]]] = {}
        if wide_markets:
            self._add(wide_event(wide_markets))

    def series_tickers(self) -> list[str]:
        return list(self._events)

    def cutoff(self) -> datetime:
        """The start of the live tier: a midnight, so that it moves once a day."""
        day = (self.clock.now() - timedelta(days=self.live_days)).date()
        return datetime.combine(day, time(), UTC)

    def events(self, series: str | None = None) -> list[Event]:
        """Every event created so far, oldest first."""
        self._grow()
        now = self.clock.now()
        chosen = self._events.values() if series is None else [self._events.get(series, [])]
        return [e for events in chosen for e in events if e.created <= now]

    def markets(self, series: str | None = None) -> Sequence[Market]:
        """The markets of those events, newest first."""
        events = self.events(series)
        number, markets = self._listed.get(series, (0, []))
        if number != len(events):
            markets = [m for e in reversed(events) for m in e.markets]
            self._listed[series] = len(events), markets
        return markets

    def event(self, ticker: str) -> Event | None:
        self._grow()
        event = self._by_ticker.get(ticker)
        return event if event and event.created <= self.clock.now() else None

    def market(self, ticker: str) -> Market | None:
        event = self.event(ticker.rpartition("-")[0])
        return next((m for m in event.markets if m.ticker == ticker), None) if event else None

    def trading(self, moment: datetime) -> list[Market]:
        """The markets open for trading at ``moment``."""
        self._grow()
        events = self._trading_on.get(moment.date(), [])
        return [m for e in events if e.opens <= moment < e.closes for m in e.markets]

    def first_opening(self) -> datetime:
        """The midnight before the first trading day."""
        return datetime.combine(min(self._trading_on), time(), UTC)

    def in_live_tier(self, market: Market) -> bool:
        return market.event.settles >= self.cutoff()

    def in_historical_tier(self, market: Market) -> bool:
        return market.event.settles < self.cutoff() + TIER_OVERLAP

    def _grow(self) -> None:
        until = self.clock.now().date() + timedelta(days=1)
        while self._next_opening <= until:
            for event in odd_events(self._next_opening):
                self._add(event)
            self._next_opening += timedelta(days=1)
        while self._next_day <= until:
            for city in CITIES:
                self._add(weather_event(city, self._next_day, self.seed))
            self._next_day += timedelta(days=1)

    def _add(self, event: Event) -> None:
        self._events.setdefault(event.city.series, []).append(event)
        self._by_ticker[event.ticker] = event
        if event.book == "lively":
            for number in range((event.closes.date() - event.opens.date()).days + 1):
                self._trading_on.setdefault(event.opens.date() + timedelta(days=number), []).append(event)
