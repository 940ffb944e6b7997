"""The synthetic series, as a part of the exchange."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sandbox.bodies import Body
from sandbox.candles import Candle
from sandbox.part import Page, PageFrom, TradeWindow
from sandbox.queries import Query
from sandbox.synthetic import filters, lists
from sandbox.synthetic.calendar import Place, Rows, lives, markets_of
from sandbox.synthetic.chart import Chart
from sandbox.synthetic.dice import Flags
from sandbox.synthetic.facts import COLLECTION, Facts
from sandbox.synthetic.flow import flow
from sandbox.synthetic.plan import SECOND, Plan
from sandbox.synthetic.tape import Tape
from sandbox.synthetic.tickers import Tickers
from sandbox.tape import Trade, at, micros
from sandbox.world import TIER_OVERLAP, World

MOST_NESTED = 5_000
"""A page of events with their markets ends before it has more of these than that, if it has more than one event."""
KEPT_CHARTS = 2_048
"""A reader asks for the same markets' candles again, for the next window."""
EVENTS_AT_ONCE = 25
"""How many events are checked at once: each may have more than a thousand markets."""


class Synthetic:
    """The part: everything at the world's time."""

    def __init__(self, plan: Plan, world: World) -> None:
        self.plan = plan
        self.world = world
        self.tickers = Tickers(plan)
        self.facts = Facts(plan, self.tickers)
        self._tape = Tape(plan, self.tickers)
        self.chart = lru_cache(KEPT_CHARTS)(self._make_chart)
        self._by_ticker = {series.ticker: series for series in plan.series}

    def _make_chart(self, place: Place) -> Chart:
        rows = place.rows()
        return Chart(self.plan, rows, flow(self.plan, rows, lives(self.plan, rows)), self.world.chart.dense)

    def now(self) -> int:
        return micros(self.world.clock.now())

    def cutoff(self) -> int:
        return micros(self.world.cutoff())

    def series(self, *, include_volume: bool) -> list[Body]:
        return [self.facts.series(series, include_volume=include_volume) for series in self.plan.series]

    def one_series(self, ticker: str, *, include_volume: bool) -> Body | None:
        series = self._by_ticker.get(ticker)
        return self.facts.series(series, include_volume=include_volume) if series else None

    def event(self, ticker: str) -> SyntheticEvent | None:
        place = self.tickers.event_place(ticker)
        return SyntheticEvent(self, place) if place and self._exists(place) else None

    def market(self, ticker: str) -> SyntheticMarket | None:
        place = self.tickers.market_place(ticker)
        market = SyntheticMarket(self, place) if place else None
        return market if market and market.created <= self.now() else None

    def _exists(self, place: Place) -> bool:
        [created] = lives(self.plan, place.rows()).created
        return bool(created <= self.now())

    def events(self, query: Query) -> PageFrom:
        return self._events(query, ~self.plan.is_combo)

    def combo_events(self, query: Query) -> PageFrom:
        collection = (query.text("collection_ticker") or "").removesuffix(COLLECTION)
        known = {"series_ticker": query.text("series_ticker") or collection}
        known["with_nested_markets"] = query.text("with_nested_markets") or ""
        return self._events(Query(known), self.plan.is_combo)

    def _events(self, query: Query, kinds: Flags) -> PageFrom:
        now, nested = self.now(), query.flag("with_nested_markets")
        series = filters.of_series(self.plan, query) & kinds
        span, matches = filters.events(self.plan, query, now)
        found: lists.Listing | lists.Chosen
        found = lists.listing(self.plan, span.only(series), np.ones(len(series), np.int64))
        if tickers := query.text("tickers"):
            places = [place for ticker in tickers.split(",") if (place := self.tickers.event_place(ticker))]
            found = lists.chosen([place for place in places if series[place.series] and self._exists(place)])

        def page_from(place: str, limit: int) -> Page:
            rows, following = lists.page(found, matches, place, limit, EVENTS_AT_ONCE)
            bodies = [self.facts.event(of) for of in rows.places()]
            if not nested:
                return bodies, following
            fit = int(np.searchsorted(np.cumsum(self.plan.markets[rows.series]), MOST_NESTED, side="right"))
            if max(fit, 1) < len(rows):
                fit = max(fit, 1)
                rows, bodies, following = rows.take(np.arange(fit)), bodies[:fit], lists.name(rows, fit)
            its = self.live_markets_of(rows)
            return [{**body, "markets": its.get(body["event_ticker"], [])} for body in bodies], following

        return page_from

    def live_markets_of(self, events: Rows) -> dict[str, list[Body]]:
        """The markets of events that are in the live tier, by the events' tickers."""
        rows, now = markets_of(self.plan, events), self.now()
        rows = rows.take(np.flatnonzero(lives(self.plan, rows).settled >= self.cutoff()))
        found: defaultdict[str, list[Body]] = defaultdict(list)
        for body in self.facts.markets(rows, now):
            found[body["event_ticker"]].append(body)
        return found

    def live_markets(self, query: Query) -> PageFrom:
        return self._markets(query, *filters.live_markets(self.plan, query, self.now(), self.cutoff()))

    def historical_markets(self, query: Query) -> PageFrom:
        before = min(micros(self.world.cutoff() + TIER_OVERLAP), self.now())
        return self._markets(query, *filters.historical_markets(self.plan, before))

    def _markets(self, query: Query, span: lists.Span, matches: lists.Test) -> PageFrom:
        now = self.now()
        series = filters.of_series(self.plan, query) & filters.combos(self.plan, query)
        found: lists.Listing | lists.Chosen | None = self._chosen(query, series)
        if found is None:
            found = lists.listing(self.plan, span.only(series), self.plan.markets)
        listed = found

        def page_from(place: str, limit: int) -> Page:
            rows, following = lists.page(listed, matches, place, limit)
            return self.facts.markets(rows, now), following

        return page_from

    def _chosen(self, query: Query, series: Flags) -> lists.Chosen | None:
        """The markets that the request names by their tickers or by that of their event; None if it names none."""
        tickers, event_ticker = query.text("tickers"), query.text("event_ticker")
        if not tickers and not event_ticker:
            return None
        event = self.tickers.event_place(event_ticker) if event_ticker else None
        if tickers:
            named = [place for ticker in tickers.split(",") if (place := self.tickers.market_place(ticker))]
        else:
            named = [*markets_of(self.plan, event.rows()).places()] if event else []
        same_event = [p for p in named if not event_ticker or (event and p[:2] == event[:2])]
        return lists.chosen([place for place in same_event if series[place.series]])

    def trades(self, window: TradeWindow) -> Iterator[Trade]:
        return self._tape.trades(window)

    def first_opening(self) -> datetime:
        return at(self.plan.since)


class SyntheticMarket:
    """One market, at the world's time."""

    def __init__(self, part: Synthetic, place: Place) -> None:
        self._part = part
        self._place = place
        self._chart = part.chart(place)
        self._lives = self._chart.flow.lives

    @property
    def ticker(self) -> str:
        return self._part.tickers.market(*self._place)

    @property
    def series(self) -> str:
        return self._part.plan.series[self._place.series].ticker

    @property
    def created(self) -> int:
        return int(self._lives.created[0])

    @property
    def in_live_tier(self) -> bool:
        return bool(self._lives.settled[0] >= self._part.cutoff())

    @property
    def in_historical_tier(self) -> bool:
        return bool(self._lives.settled[0] < micros(self._part.world.cutoff() + TIER_OVERLAP))

    def body(self) -> Body:
        [body] = self._part.facts.markets(self._chart.rows, self._part.now())
        return body

    def ends(self, period: int, start: int, end: int) -> Sequence[int]:
        return self._chart.ends(period, start, end, self._part.now() // SECOND)

    def candles(self, period: int, ends: Sequence[int]) -> list[Candle]:
        return self._chart.candles(period, ends)

    def carried(self, period: int, start: int) -> Candle | None:
        return self._chart.carried(period, start, self._part.now() // SECOND)


class SyntheticEvent(NamedTuple):
    """One event, at the world's time."""

    part: Synthetic
    place: Place

    @property
    def series(self) -> str:
        return self.part.plan.series[self.place.series].ticker

    def body(self) -> Body:
        return self.part.facts.event(self.place)

    def markets(self) -> list[Body]:
        [bodies] = self.part.live_markets_of(self.place.rows()).values() or [[]]
        return bodies

    def charts(self) -> list[SyntheticMarket]:
        rows = markets_of(self.part.plan, self.place.rows())
        markets = [SyntheticMarket(self.part, place) for place in rows.places()]
        return [market for market in markets if market.in_live_tier]
