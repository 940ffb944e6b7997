"""The tickers of events and markets, and the way back from a ticker to its numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from zlib import crc32

from sandbox.markets import MONTHS, ticker_day
from sandbox.synthetic.calendar import Place
from sandbox.synthetic.plan import Plan, Series
from sandbox.tape import at, micros

CACHED = 32_768
LETTERS = 26
LOWEST, WIDTH, LEVEL = 4000, 5, 0.25
"""The first strike of brackets and their width; the step between levels."""
LATEST = micros(datetime(2100, 1, 1, tzinfo=UTC))
"""No event opens later."""
TIME = re.compile(r"(\d\d)([A-Z]{3})(\d\d)(\d\d)(\d\d)(\d\d)?")
NUMBER = re.compile(r"R(\d{1,9})|r_(\d{1,9})\.0|S([0-9A-F]{1,9})")


class Tickers:
    """The tickers of a plan's events and markets."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._by_start = {start: s for s in plan.series for start in (s.event, s.market)}
        self._when = lru_cache(CACHED)(self._make_when)
        self.event = lru_cache(CACHED)(self._event)
        self.market = lru_cache(CACHED)(self._market)

    def _event(self, series: int, event: int) -> str:
        return f"{self._plan.series[series].event}-{self._when(series, event)}"

    def _market(self, series: int, event: int, market: int) -> str:
        found = self._plan.series[series]
        return f"{found.market}-{self._when(series, event)}-{self._suffix(found, event, market)}"

    def event_place(self, ticker: str) -> Place | None:
        """Where the event of that ticker is."""
        start, _, when = ticker.partition("-")
        series = self._by_start.get(start)
        number = self._event_number(series, when) if series else None
        if series is None or number is None or self.event(series.number, number) != ticker:
            return None
        return Place(series.number, number)

    def market_place(self, ticker: str) -> Place | None:
        """Where the market of that ticker is."""
        start, when, suffix = [*ticker.split("-"), "", ""][:3]
        series = self._by_start.get(start)
        number = self._event_number(series, when) if series else None
        if series is None or number is None:
            return None
        place = Place(series.number, number, _market_number(series, suffix, self._last(series)))
        is_one = 0 <= place.market <= self._last(series) and self.market(*place) == ticker
        return place if is_one else None

    def _last(self, series: Series) -> int:
        return int(self._plan.markets[series.number]) - 1

    def _make_when(self, series: int, event: int) -> str:
        match self._plan.series[series].kind.when:
            case "time":
                plan = self._plan
                closes = at(int(plan.start[series] + event * plan.period[series] + plan.life[series]))
                return f"{ticker_day(closes)}{closes:%H%M%S}".removesuffix("00" if closes.second == 0 else "-")
            case "number":
                return f"R{event}"
            case "dotted":
                return f"r_{event}.0"
            case "hex":
                return f"S{event:X}"

    def _event_number(self, series: Series, when: str) -> int | None:
        plan, number = self._plan, series.number
        start, period = int(plan.start[number]), int(plan.period[number])
        if found := NUMBER.fullmatch(when):
            event = int(found[1] or found[2] or found[3], 16 if found[3] else 10)
            return event if start + event * period < LATEST else None
        if not (found := TIME.fullmatch(when)) or found[2] not in MONTHS:
            return None
        year, day, hour, minute, second = (int(found[n] or 0) for n in (1, 3, 4, 5, 6))
        try:
            closes = datetime(2000 + year, MONTHS.index(found[2]) + 1, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return None
        event = (micros(closes) - int(plan.life[number]) - start) // period
        return event if event >= 0 else None

    def _suffix(self, series: Series, event: int, market: int) -> str:
        match series.kind.suffix:
            case "up":
                return "UP"
            case "letters":
                return "".join(chr(65 + market // LETTERS**power % LETTERS) for power in (1, 0))
            case "brackets":
                if market in (0, self._last(series)):
                    return f"T{LOWEST + WIDTH * max(0, market - 1)}"
                return f"B{LOWEST + WIDTH * (market - 0.5)}"
            case "levels":
                return f"T{LEVEL * market:.2f}"
            case "dotted":
                return f"x.{market}_y"
            case "hash":
                return f"{crc32(f'{series.number}/{event}'.encode()):08X}"


def _market_number(series: Series, suffix: str, last: int) -> int:
    """Where the market of that suffix is if there is one; any number otherwise."""
    digits = re.search(r"\d{1,6}(\.\d\d?)?", suffix)
    value = float(digits[0]) if digits else 0.0
    match series.kind.suffix:
        case "letters":
            return sum((ord(letter) - 65) * LETTERS**power for power, letter in zip((1, 0), suffix, strict=False))
        case "brackets":
            if suffix[:1] == "T":
                return 0 if value == LOWEST else last
            return round((value - LOWEST) / WIDTH + 0.5)
        case "levels":
            return round(value / LEVEL)
        case "dotted":
            return int(value)
        case "up" | "hash":
            return 0
