"""Query parameters: validated as the exchange does, and turned into selections of the world."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from sandbox.markets import Event, Market
from sandbox.world import TIER_OVERLAP, World

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

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


def cursor_at(position: object) -> str:
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

    def second(self, name: str) -> int:
        """A required time, in unix seconds."""
        moment = self.moment(name)
        if moment is None:
            raise BadRequest(f"{name} is required")
        return int(moment.timestamp())

    def cursor(self) -> str:
        """The cursor's content; "" on the first page."""
        try:
            return base64.b64decode(self.text("cursor") or "", b"-_", validate=True).decode()
        except (binascii.Error, ValueError):
            raise BadRequest("invalid cursor") from None

    def page(self, items: Sequence[Item], matches: Callable[[Item], bool], limit: int) -> tuple[list[Item], str]:
        """The next items that match, and the cursor of the page after them ("" at the end).

        The cursor is a position in ``items``, so no page scans again what earlier pages have scanned.
        """
        some, place = page_from(self.cursor(), items, matches, limit)
        return some, place and cursor_at(place)


def page_from(place: str, items: Sequence[Item], matches: Callable[[Item], bool], limit: int) -> tuple[list[Item], str]:
    """The items from a position on that match, and the position of the page after them ("" at the end)."""
    try:
        start = int(place or 0)
    except ValueError:
        raise BadRequest("invalid cursor") from None
    if not 0 <= start <= len(items):
        raise BadRequest("invalid cursor")
    some: list[Item] = []
    for number in range(start, len(items)):
        if matches(items[number]):
            if len(some) == limit:
                return some, str(number)
            some.append(items[number])
    return some, ""


def status_of(query: Query) -> str | None:
    """The status that a request for markets selects."""
    status = query.text("status")
    if status is not None and status not in STATUSES:
        raise BadRequest(f"invalid status: {status}")
    return status


def check_times(query: Query, status: str | None) -> None:
    """Refuse the time filters that the exchange doesn't combine with each other, or with that status."""
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


Test = Callable[[Market], bool]


def _within(query: Query, family: str, moment: Callable[[Market], datetime]) -> list[Test]:
    """The tests for the bounds of that family."""
    tests: list[Test] = []
    if low := query.moment(f"min_{family}_ts"):
        tests.append(lambda market: moment(market) >= low)
    if high := query.moment(f"max_{family}_ts"):
        tests.append(lambda market: moment(market) <= high)
    return tests


def live_markets(query: Query, world: World) -> tuple[Sequence[Market], Test]:
    """Markets, newest event first, and whether one is in the live tier and matches."""
    status = status_of(query)
    check_times(query, status)
    now, cutoff = world.clock.now(), world.cutoff()
    settled = _within(query, "settled", lambda m: m.updated(now))
    tests: list[Test] = [
        lambda m: m.event.settles >= cutoff,
        *_within(query, "created", lambda m: m.event.created),
        *_within(query, "close", lambda m: m.event.closes),
        *_within(query, "updated", lambda m: m.updated(now)),
        *settled,
    ]
    if status or settled:
        wanted = STATUSES[status or "settled"]
        tests.append(lambda m: m.status(now) in wanted)
    if query.text("mve_filter") == "only":
        return [], lambda _: False
    return _chosen(query, world), lambda m: all(test(m) for test in tests)


def historical_markets(query: Query, world: World) -> tuple[Sequence[Market], Test]:
    """Markets, newest event first, and whether one is in the historical tier and settled."""
    if len([n for n in ("tickers", "event_ticker", "series_ticker") if query.text(n)]) > 1:
        raise BadRequest("tickers, event_ticker and series_ticker are mutually exclusive")
    before = min(world.cutoff() + TIER_OVERLAP, world.clock.now())
    return _chosen(query, world), lambda m: m.event.settles < before


def _chosen(query: Query, world: World) -> Sequence[Market]:
    series, event_ticker = query.text("series_ticker"), query.text("event_ticker")
    if tickers := query.text("tickers"):
        found = (world.market(ticker) for ticker in dict.fromkeys(tickers.split(",")))
        return [
            m for m in found if m and series in (None, m.event.city.series) and event_ticker in (None, m.event.ticker)
        ]
    if event_ticker:
        event = world.event(event_ticker)  # a comma-separated list matches no event: 200 and an empty list
        return event.markets if event and series in (None, event.city.series) else []
    return world.markets(series)


def events(query: Query, world: World) -> tuple[Sequence[Event], Callable[[Event], bool]]:
    """Events, newest first, and whether one matches; an event has every status that any of its markets has."""
    status = query.text("status")
    if status is not None and status not in ("unopened", "open", "closed", "settled"):
        raise BadRequest(f"invalid status: {status}")
    now, closing, updated = world.clock.now(), query.moment("min_close_ts"), query.moment("min_updated_ts")
    series = query.text("series_ticker")
    if tickers := query.text("tickers"):
        chosen = [e for e in map(world.event, dict.fromkeys(tickers.split(","))) if e]
    else:
        chosen = world.events(series)[::-1]
    return (
        chosen,
        lambda e: (
            (series is None or e.city.series == series)
            and (status is None or any(m.status(now) in STATUSES[status] for m in e.markets))
            and (closing is None or e.closes >= closing)
            and (updated is None or e.created >= updated)
        ),
    )
