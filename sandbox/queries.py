"""Query parameters: checked as the exchange checks them, and turned into selections of the world."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from sandbox.world import Event, Market, World

Item = TypeVar("Item")
STATUSES: dict[str, tuple[str, ...]] = {
    "unopened": ("initialized",),
    "open": ("active",),
    "paused": ("inactive",),
    "closed": ("closed", "determined", "disputed", "amended"),
    "settled": ("finalized",),
}
ALLOWED_WITH: dict[str, tuple[str | None, ...]] = {
    "created": ("unopened", "open", None),
    "close": ("closed", None),
    "settled": ("settled", None),
    "updated": (None,),
}


class BadRequest(ValueError):
    """A parameter that the exchange refuses with a 400."""


def cursor_at(position: int) -> str:
    """The cursor of the page that begins there."""
    return base64.urlsafe_b64encode(str(position).encode()).decode()


class Query:
    """The parameters of one request. Unknown ones are ignored, as the exchange does."""

    def __init__(self, params: Mapping[str, str]) -> None:
        self._params = params

    def text(self, name: str) -> str | None:
        return self._params.get(name) or None

    def flag(self, name: str) -> bool:
        value = (self._params.get(name) or "false").lower()
        if value not in ("true", "false"):
            raise BadRequest(f"{name} must be true or false")
        return value == "true"

    def number(self, name: str) -> int | None:
        value = self._params.get(name)
        if not value:
            return None
        try:
            return int(value)
        except ValueError:
            raise BadRequest(f"{name} must be an integer") from None

    def limit(self, default: int, lowest: int, highest: int) -> int:
        value = self.number("limit")
        if value is None:
            return default
        if not lowest <= value <= highest:
            raise BadRequest(f"limit must be between {lowest} and {highest}")
        return value or default

    def moment(self, name: str) -> datetime | None:
        value = self.number(name)
        try:
            return None if value is None else datetime.fromtimestamp(value, UTC)
        except (OverflowError, ValueError, OSError):
            raise BadRequest(f"{name} is out of range") from None

    def page(self, items: Iterable[Item], limit: int) -> tuple[list[Item], str]:
        """A page of the items, and the cursor of the next one ("" at the end)."""
        try:
            start = int(base64.urlsafe_b64decode(self.text("cursor") or cursor_at(0)))
            window = islice(items, start, start + limit + 1)
        except (binascii.Error, ValueError):
            raise BadRequest("invalid cursor") from None
        some = list(window)
        return some[:limit], cursor_at(start + limit) if len(some) > limit else ""


def _status(query: Query) -> str | None:
    status = query.text("status")
    if status is not None and status not in STATUSES:
        raise BadRequest(f"invalid status: {status}")
    return status


def _check_times(query: Query, status: str | None) -> None:
    families = {f for f in ALLOWED_WITH if query.text(f"min_{f}_ts") or query.text(f"max_{f}_ts")}
    if len(families) > 1:
        raise BadRequest(f"timestamp filters {', '.join(sorted(families))} can't be combined")
    for family in families:
        if status not in ALLOWED_WITH[family]:
            raise BadRequest(f"{family} timestamp filters can't be combined with status {status}")
    if "updated" in families:
        others = [n for n in ("event_ticker", "tickers") if query.text(n)]
        if others or (query.text("series_ticker") and query.text("mve_filter") != "exclude"):
            raise BadRequest("updated timestamp filters only go with mve_filter=exclude")


def _within(query: Query, family: str, moment: Callable[[Market], datetime]) -> Callable[[Market], bool]:
    low, high = query.moment(f"min_{family}_ts"), query.moment(f"max_{family}_ts")
    return lambda market: (low is None or moment(market) >= low) and (high is None or moment(market) <= high)


def live_markets(query: Query, world: World) -> Iterable[Market]:
    """The markets of the live tier that match, newest event first."""
    status = _status(query)
    _check_times(query, status)
    now = world.clock.now()
    tests: list[Callable[[Market], bool]] = [
        world.in_live_tier,
        _within(query, "created", lambda m: m.event.created),
        _within(query, "close", lambda m: m.event.closes),
    ]
    if query.text("min_settled_ts") or query.text("max_settled_ts"):
        tests += [_within(query, "settled", lambda m: m.event.settles), lambda m: m.status(now) == "finalized"]
    if query.text("min_updated_ts") or query.text("max_updated_ts"):
        tests.append(_within(query, "updated", lambda m: min(now, m.event.settles)))
    if status:
        tests.append(lambda m: m.status(now) in STATUSES[status])
    if query.text("mve_filter") == "only":
        return []
    return (m for m in _chosen(query, world) if all(test(m) for test in tests))


def historical_markets(query: Query, world: World) -> Iterable[Market]:
    """The markets of the historical tier that match, newest event first."""
    if len([n for n in ("tickers", "event_ticker", "series_ticker") if query.text(n)]) > 1:
        raise BadRequest("tickers, event_ticker and series_ticker are mutually exclusive")
    return (m for m in _chosen(query, world) if world.in_historical_tier(m) and m.event.settles <= world.clock.now())


def _chosen(query: Query, world: World) -> Iterable[Market]:
    series, event_ticker = query.text("series_ticker"), query.text("event_ticker")
    if tickers := query.text("tickers"):
        found = (world.market(ticker) for ticker in dict.fromkeys(tickers.split(",")))
        markets: Iterable[Market] = (m for m in found if m)
        if series:
            markets = (m for m in markets if m.event.city.series == series)
        return (m for m in markets if not event_ticker or m.event.ticker == event_ticker)
    if event_ticker:
        event = world.event(event_ticker)  # a comma list names no event: 200 and an empty list
        return event.markets if event and series in (None, event.city.series) else []
    return (m for e in reversed(world.events(series)) for m in e.markets)


def events(query: Query, world: World) -> Iterable[Event]:
    """The events that match; one matches a status when any of its markets does."""
    status = query.text("status")
    if status is not None and status not in ("unopened", "open", "closed", "settled"):
        raise BadRequest(f"invalid status: {status}")
    now, closing, updated = world.clock.now(), query.moment("min_close_ts"), query.moment("min_updated_ts")
    series = query.text("series_ticker")
    if tickers := query.text("tickers"):
        chosen: Iterable[Event] = [e for e in map(world.event, dict.fromkeys(tickers.split(","))) if e]
    else:
        chosen = reversed(world.events(series))
    return (
        e
        for e in chosen
        if (series is None or e.city.series == series)
        and (status is None or any(m.status(now) in STATUSES[status] for m in e.markets))
        and (closing is None or e.closes >= closing)
        and (updated is None or e.created >= updated)
    )
