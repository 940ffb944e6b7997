"""An event with its markets, as its page knows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from kalshi.cells import Unit
from kalshi.settings import SeriesSettings, load_settings
from kalshi.ui.forecast import Bracket, measured
from kalshi.ui.warehouse import ask

MOST_DRAWN = 10
"""Markets in the chart: the most traded."""


@dataclass(frozen=True)
class Event:
    """An event with its markets, as the warehouse has them, and what follows from that."""

    row: dict[str, Any]
    markets: list[dict[str, Any]]
    city: SeriesSettings | None

    @property
    def ticker(self) -> str:
        return str(self.row["event_ticker"])

    @property
    def series(self) -> str:
        return str(self.row["series_ticker"])

    @cached_property
    def names(self) -> dict[str, str]:
        """The brackets by market."""
        return {row["market"]: row["bracket"] for row in self.markets}

    @cached_property
    def drawn(self) -> list[str]:
        """The most traded markets, by strike."""
        most = sorted(self.markets, key=lambda row: row["volume"] or 0, reverse=True)[:MOST_DRAWN]
        return [row["market"] for row in self.markets if row in most]

    @cached_property
    def brackets(self) -> list[Bracket]:
        return [Bracket(m["market"], m["bracket"], m["floor_strike"], m["cap_strike"]) for m in self.markets]

    @property
    def unit(self) -> Unit:
        """Of what its strikes measure."""
        return "°F" if self.city else ""

    @property
    def opens(self) -> datetime | None:
        return min((m["open_time_utc"] for m in self.markets if m["open_time_utc"]), default=None)

    @property
    def closes(self) -> datetime | None:
        return max((m["close_time_utc"] for m in self.markets if m["close_time_utc"]), default=None)

    @property
    def settled(self) -> datetime | None:
        """When the last of its markets settled; None while one has not."""
        times = [m["settled_at_utc"] for m in self.markets]
        return max(times) if times and all(times) else None

    @property
    def is_over(self) -> bool:
        return self.closes is not None and self.closes <= datetime.now(UTC).replace(tzinfo=None)

    @property
    def winners(self) -> list[str]:
        return [m["bracket"] for m in self.markets if m["result"] == "yes"]

    @property
    def volume(self) -> Decimal:
        return sum((m["volume"] or Decimal(0) for m in self.markets), Decimal(0))

    @property
    def is_exclusive(self) -> bool:
        """Whether exactly one of its markets pays, so that their prices are a distribution."""
        return bool(self.row["mutually_exclusive"]) and len(self.markets) > 1

    @property
    def observed(self) -> Decimal | str:
        return measured(m["expiration_value"] for m in self.markets)

    def observed_in(self, market: dict[str, Any]) -> Decimal | str:
        """The same by one of its markets."""
        return measured([market["expiration_value"]])


@dataclass(frozen=True)
class Moment:
    """A moment at which the page looks at the prices: its name, and when it is in words."""

    name: str
    at: datetime
    words: str


def read_event(connection: sa.Connection, event_ticker: str) -> Event | None:
    found = ask(connection, "event", event=event_ticker)
    if not found:
        return None
    city = next((s for s in load_settings().series if s.ticker == found[0]["series_ticker"]), None)
    return Event(found[0], ask(connection, "event_markets", event=event_ticker), city)
