"""The prices of an event's markets over time, on one grid of moments, whatever they are known from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import sqlalchemy as sa

from kalshi.ui.forecast import Quote, quote
from kalshi.ui.warehouse import ask

MOST_DAYS = 7
POINTS = 300
"""Per market's line, at most."""
BARS = 75
"""Of volume, at most."""
MOST_TRADES = 500
"""Drawn as dots: the largest."""
MINUTE = timedelta(minutes=1)
SNAPSHOT_HOLDS = timedelta(hours=1)
"""How long the prices of a snapshot are drawn if no other follows."""
SOURCES = {
    "dense": "kalshi_candle_1m_dense",
    "candles": "kalshi_candle_1m, since kalshi_candle_1m_dense has no minutes of this event",
    "snapshots": "kalshi_price_snapshot",
}
"""Where prices are known from, as the page says it."""
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Point:
    """A quote, None in an empty book, and how long it holds."""

    at: datetime
    quote: Quote | None
    until: datetime


@dataclass(frozen=True)
class Period:
    """The days that are drawn, and how they are divided; ``step``: minutes between two points of a line."""

    since: datetime
    until: datetime

    @property
    def step(self) -> int:
        return max(1, ceil((self.until - self.since) / MINUTE / (POINTS - 1)))

    @property
    def bar(self) -> int:
        """Minutes of a bar of volume."""
        return max(1, ceil((self.until - self.since) / MINUTE / BARS))

    @property
    def moments(self) -> list[datetime]:
        """The grid; its last moment is the end."""
        number = (self.until - self.since) // (self.step * MINUTE)
        moments = [self.since + i * self.step * MINUTE for i in range(number + 1)]
        return moments if moments[-1] == self.until else [*moments, self.until]


@dataclass(frozen=True)
class History:
    """The prices of an event: by market a quote (or None) for each moment, the volume of each bar, the largest trades.

    ``sources``: the keys of ``SOURCES`` that they are known from.
    """

    period: Period
    sources: tuple[str, ...]
    moments: list[datetime]
    quotes: dict[str, list[Quote | None]]
    volume: Rows
    trades: Rows


def history(connection: sa.Connection, markets: Sequence[str], closes: datetime | None) -> History | None:
    """The latest ``MOST_DAYS`` days in which prices of these markets are known; None without any.

    Candles come first; snapshots continue them, or stand in for them, until candles are there.
    """
    spans = _spans(connection, markets)
    known = {name: span for name, span in spans.items() if name != "trades"} or spans
    if not known:
        return None
    until = max(last for _, last in known.values())
    until = min(until, closes) if closes and min(first for first, _ in known.values()) < closes else until
    since = max(min(first for first, _ in known.values()), until - timedelta(days=MOST_DAYS))
    period = Period(since, until)
    points = {name: _points(connection, name, markets, period, spans) for name in spans if name in SOURCES}
    used = tuple(name for name, found in points.items() if found)
    moments = period.moments
    quotes = {
        market: _on_grid([p for name in used for p in points[name].get(market, [])], moments, closes)
        for market in markets
    }
    window = {"markets": markets, "since": since, "until": until}
    trades = ask(connection, "event_trades", most=MOST_TRADES, **window)
    return History(period, used, moments, quotes, _volume(connection, markets, period), trades)


def _spans(connection: sa.Connection, markets: Sequence[str]) -> dict[str, tuple[datetime, datetime]]:
    """From when until when each source knows these markets: dense or other candles, snapshots after them, trades."""
    spans = {}
    for name in ("dense", "candles", "snapshots", "trades"):
        found = ask(connection, f"event_span_{name}", markets=markets)
        if found:
            spans[name] = min(row["first"] for row in found), max(row["last"] for row in found)
    if "dense" in spans and "candles" in spans:
        # Dense minutes may have been dropped of the first days.
        del spans["dense" if spans["candles"][0] < spans["dense"][0] else "candles"]
    candles = spans.get("dense") or spans.get("candles")
    if candles and "snapshots" in spans:
        first, last = max(spans["snapshots"][0], candles[1] + MINUTE), spans["snapshots"][1]
        if first <= last:
            spans["snapshots"] = first, last
        else:
            del spans["snapshots"]
    return spans


def _points(
    connection: sa.Connection,
    name: str,
    markets: Sequence[str],
    period: Period,
    spans: dict[str, tuple[datetime, datetime]],
) -> dict[str, list[Point]]:
    """What a source says, by market, in the order of time."""
    first, last = spans[name]
    window = {"markets": markets, "since": max(first, period.since), "until": min(last, period.until)}
    if name == "dense":
        rows = ask(connection, "event_prices_dense", markets=markets, moments=period.moments)
    else:
        rows = ask(connection, f"event_prices_{name}", step=period.step, **window)
    end = min(last, period.until)
    holds = {"dense": timedelta(0), "candles": period.until - period.since, "snapshots": SNAPSHOT_HOLDS}[name]
    points: dict[str, list[Point]] = {}
    for row in rows:
        until = min(row["at"] + max(holds, timedelta(0)), end) if name == "candles" else row["at"] + holds
        points.setdefault(row["market"], []).append(Point(row["at"], quote(row["bid"], row["ask"]), until))
    return points


def _on_grid(points: list[Point], moments: list[datetime], closes: datetime | None) -> list[Quote | None]:
    """The quote that holds at each moment. Nothing is quoted after the close."""
    starts = [point.at for point in points]
    quotes: list[Quote | None] = []
    for moment in moments:
        place = bisect_right(starts, moment) - 1
        holds = place >= 0 and moment <= points[place].until and (closes is None or moment <= closes)
        quotes.append(points[place].quote if holds else None)
    return quotes


def _volume(connection: sa.Connection, markets: Sequence[str], period: Period) -> Rows:
    """By market, bar: ``market``, ``at``, ``contracts``. The exchange's own candles come before those from trades."""
    window = {"markets": markets, "since": period.since, "until": period.until}
    found = ask(connection, "event_volume", step=period.bar, **window)
    chosen = min((row["source"] for row in found), default="")  # api_event comes before trades
    return [
        {
            "market": row["market"],
            "at": period.since + int(row["number"]) * period.bar * MINUTE,
            "contracts": row["contracts"],
        }
        for row in found
        if row["source"] == chosen
    ]
