"""The weather series, as the part of the exchange that is always there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple, TypeVar

from sandbox import payloads, queries
from sandbox.bodies import Body
from sandbox.candles import Candle
from sandbox.markets import Event, Market
from sandbox.part import Page, PageFrom, TradeWindow
from sandbox.queries import Query
from sandbox.tape import HOUR, MINUTE, Trade, at
from sandbox.world import World

Item = TypeVar("Item")


class WeatherMarket(NamedTuple):
    """A market of the world, at the world's time."""

    market: Market
    world: World

    @property
    def ticker(self) -> str:
        return self.market.ticker

    @property
    def series(self) -> str:
        return self.market.event.city.series

    @property
    def in_live_tier(self) -> bool:
        return self.world.in_live_tier(self.market)

    @property
    def in_historical_tier(self) -> bool:
        return self.world.in_historical_tier(self.market)

    def body(self) -> Body:
        return payloads.market(self.market, self.world)

    def ends(self, period: int, start: int, end: int) -> Sequence[int]:
        return self.world.chart.ends(self.market, period, start, end, self._now)

    def candles(self, period: int, ends: Sequence[int]) -> list[Candle]:
        return self.world.chart.candles(self.market, period, ends)

    def carried(self, period: int, start: int) -> Candle | None:
        return self.world.chart.carried(self.market, period, start, self._now)

    @property
    def _now(self) -> int:
        return int(self.world.clock.now().timestamp())


class WeatherEvent(NamedTuple):
    """An event of the world, at the world's time."""

    event: Event
    world: World

    @property
    def series(self) -> str:
        return self.event.city.series

    def body(self) -> Body:
        return payloads.event(self.event)

    def markets(self) -> list[Body]:
        return [chart.body() for chart in self.charts()]

    def charts(self) -> list[WeatherMarket]:
        return [WeatherMarket(m, self.world) for m in self.event.markets if self.world.in_live_tier(m)]


class WeatherPart(NamedTuple):
    """The whole world."""

    world: World

    def series(self, *, include_volume: bool) -> list[Body]:
        return [payloads.series(t, include_volume=include_volume) for t in self.world.series_tickers()]

    def one_series(self, ticker: str, *, include_volume: bool) -> Body | None:
        known = ticker in self.world.series_tickers()
        return payloads.series(ticker, include_volume=include_volume) if known else None

    def event(self, ticker: str) -> WeatherEvent | None:
        event = self.world.event(ticker)
        return WeatherEvent(event, self.world) if event else None

    def market(self, ticker: str) -> WeatherMarket | None:
        market = self.world.market(ticker)
        return WeatherMarket(market, self.world) if market else None

    def events(self, query: Query) -> PageFrom:
        nested = query.flag("with_nested_markets")

        def shape(event: Event) -> Body:
            listed = WeatherEvent(event, self.world)
            return listed.body() | ({"markets": listed.markets()} if nested else {})

        return partial(_page, *queries.events(query, self.world), shape)

    def combo_events(self, query: Query) -> PageFrom:
        return lambda place, limit: ([], "")

    def live_markets(self, query: Query) -> PageFrom:
        return partial(_page, *queries.live_markets(query, self.world), self._body)

    def historical_markets(self, query: Query) -> PageFrom:
        return partial(_page, *queries.historical_markets(query, self.world), self._body)

    def _body(self, market: Market) -> Body:
        return payloads.market(market, self.world)

    def trades(self, window: TradeWindow) -> Iterator[Trade]:
        """Hour by hour, so that a page costs no more than the hours it covers."""
        market = self.world.market(window.ticker) if window.ticker else None
        if window.ticker and not market:
            return
        start, end, before, _, blocks = window
        if market:
            start, end = max(start, market.event.minutes.start * MINUTE), min(end, market.event.minutes.stop * MINUTE)
        for hour in range((end - 1) // HOUR * HOUR, start - HOUR, -HOUR):
            trading = [market] if market else self.world.trading(at(hour))
            span = max(start, hour), min(end, hour + HOUR)
            trades = (trade for m in trading for trade in self.world.tape.trades(m, *span, blocks=blocks is True))
            for trade in sorted(trades, reverse=True):
                if blocks in (None, trade.is_block) and (before is None or trade[:2] < before):
                    yield trade

    def first_opening(self) -> datetime:
        return self.world.first_opening()


def _page(
    items: Sequence[Item], matches: Callable[[Item], bool], shape: Callable[[Item], Body], place: str, limit: int
) -> Page:
    some, following = queries.page_from(place, items, matches, limit)
    return [shape(item) for item in some], following
