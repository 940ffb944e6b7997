"""What the HTTP routes ask of each part of the exchange: the weather series, and the synthetic ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from sandbox.bodies import Body
from sandbox.candles import Candle
from sandbox.queries import Query
from sandbox.tape import Trade

Page = tuple[list[Body], str]
"""The next bodies of a list, and the place of the page after them ("" at the end)."""
PageFrom = Callable[[str, int], Page]
"""A list of the exchange: the page that begins at a place ("" for the beginning) and has so many bodies at most."""


class TradeWindow(NamedTuple):
    """Which trades: from ``start`` until before ``end``, in microseconds since 1970.

    ``before``: only those older than the trade with this time and id. ``blocks``: only the block trades, only the
    others, or both.
    """

    start: int
    end: int
    before: tuple[int, str] | None = None
    ticker: str | None = None
    blocks: bool | None = None


class Listed(Protocol):
    """A market that the exchange knows by its ticker. The times of candles are unix seconds."""

    @property
    def ticker(self) -> str: ...

    @property
    def series(self) -> str: ...

    @property
    def in_live_tier(self) -> bool: ...

    @property
    def in_historical_tier(self) -> bool: ...

    def body(self) -> Body: ...

    def ends(self, period: int, start: int, end: int) -> Sequence[int]:
        """The possible candle ends from ``start`` to ``end``: periods in the market's life that are over."""

    def candles(self, period: int, ends: Sequence[int]) -> list[Candle]:
        """The candles of successive ``ends``."""

    def carried(self, period: int, start: int) -> Candle | None:
        """The state before ``start``, as a candle at the first end after it; None before the first candle."""


class ListedEvent(Protocol):
    """An event that the exchange knows by its ticker."""

    @property
    def series(self) -> str: ...

    def body(self) -> Body: ...

    def markets(self) -> list[Body]:
        """Its markets in the live tier."""

    def charts(self) -> Sequence[Listed]:
        """The same, for their candles."""


class Part(Protocol):
    """A part of the exchange: its own series with their events, markets and trades."""

    def series(self, *, include_volume: bool) -> list[Body]: ...

    def one_series(self, ticker: str, *, include_volume: bool) -> Body | None: ...

    def event(self, ticker: str) -> ListedEvent | None: ...

    def market(self, ticker: str) -> Listed | None: ...

    def events(self, query: Query) -> PageFrom: ...

    def combo_events(self, query: Query) -> PageFrom:
        """The multivariate events, which :meth:`events` leaves out."""

    def live_markets(self, query: Query) -> PageFrom: ...

    def historical_markets(self, query: Query) -> PageFrom: ...

    def trades(self, window: TradeWindow) -> Iterator[Trade]:
        """Newest first."""

    def first_opening(self) -> datetime:
        """A time before which nothing was traded."""
