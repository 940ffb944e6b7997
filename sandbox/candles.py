"""The candles of every market, from its quotes and trades on the tape.

Like the tape, they are generated per clock hour, independently of earlier hours; hours and days are merged
from minutes. A candle opens with the quote at which the previous one closed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from sandbox import periods, tape
from sandbox.markets import Market
from sandbox.tape import Tape, Trade


class Prices(NamedTuple):
    """In cents, or parts of a cent."""

    open: float
    low: float
    high: float
    close: float


@lru_cache(101**2)
def _step(before: int, now: int) -> Prices:
    return Prices(before, min(before, now), max(before, now), now)


class Candle(NamedTuple):
    """A period that ends with the unix second ``end``, inclusive.

    ``price``: of its trades, None if there are none. ``previous``: the last price before it, 0 before the first
    trade. ``turnover``: the sum of price times count. ``total``: the contracts traded since the market
    opened.
    """

    end: int
    bid: Prices
    ask: Prices
    price: Prices | None
    previous: float
    turnover: float
    volume: int
    total: int

    @property
    def last(self) -> float:
        """The last price at its end."""
        return self.price.close if self.price else self.previous


class Chart:
    """Candles by market and period.

    Minutes without a change are left out unless ``dense``. Hours and days are always complete, like the days
    recorded in January 2026.
    """

    def __init__(self, of: Tape, *, dense: bool = False) -> None:
        self.dense = dense
        self._tape = of
        self._minutes = lru_cache(2048)(partial(self._make_minutes, every=dense))
        self._hour = lru_cache(65536)(self._make_hour)

    def ends(self, market: Market, period: int, start: int, end: int, now: int) -> Sequence[int]:
        """The possible candle ends from ``start`` to ``end``: periods in the market's life that are over by ``now``."""
        opens, closes = (minute * 60 for minute in (market.event.minutes.start, market.event.minutes.stop))
        return periods.ends(period, max(start, opens + 1), min(end, now, periods.end_from(period, closes)))

    def candles(self, market: Market, period: int, ends: Sequence[int]) -> list[Candle]:
        """The candles of successive ``ends``."""
        if period != periods.MINUTE:
            return [self._candle(market, period, end) for end in ends]
        if not ends:
            return []
        first, last = ends[0], ends[-1]
        return [
            candle
            for hour in range((first - 60) // 3600, (last - 60) // 3600 + 1)
            for candle in self._minutes(market, hour)
            if first <= candle.end <= last
        ]

    def carried(self, market: Market, period: int, start: int, now: int) -> Candle | None:
        """The state before ``start``, as a candle at the first end after it; None before the first candle."""
        before = self.ends(market, period, 0, start - 1, now)
        if not before or start > now:
            return None
        return carried_over(self._candle(market, period, before[-1]), periods.end_from(period, start + 1))

    def _candle(self, market: Market, period: int, end: int) -> Candle:
        """The candle of a minute, whether or not anything changed in it."""
        if period == periods.MINUTE:
            minutes = self._make_minutes(market, (end - 60) // 3600, every=True)
            return next(candle for candle in minutes if candle.end == end)
        if period == periods.HOUR:
            return self._hour(market, end // 3600 - 1)
        opens, closes = market.event.minutes.start // 60, market.event.minutes.stop // 60
        hours = periods.hours(end)
        return _merged([self._hour(market, hour) for hour in hours if opens <= hour < closes], end)

    def _make_minutes(self, market: Market, hour: int, *, every: bool) -> list[Candle]:
        """The open minutes of an hour: the market's first and those with a trade or a new quote; all if dense."""
        trades: defaultdict[int, list[Trade]] = defaultdict(list)
        begin = hour * tape.HOUR
        for trade in self._tape.trades(market, begin, begin + tape.HOUR):
            trades[trade.created // tape.MINUTE].append(trade)
        before = next(self._tape.trades(market, 0, begin), None)
        previous, total = before.price if before else 0, self._tape.volume(market, begin)
        old = next(self._tape.quotes(market, hour * 60 - 1, hour * 60), None)
        old_bid, old_ask = (old.bid, old.ask) if old else (0, 100)
        candles = []
        for minute, bid, ask, _, _ in self._tape.quotes(market, hour * 60, hour * 60 + 60):
            traded = trades.get(minute)
            if every or traded or bid != old_bid or ask != old_ask or minute == market.event.minutes.start:
                price, turnover, volume = _trading(traded) if traded else (None, 0, 0)
                total += volume
                bids, asks = _step(old_bid, bid), _step(old_ask, ask)
                candles.append(Candle(minute * 60 + 60, bids, asks, price, previous, turnover, volume, total))
                previous = price.close if price else previous
                old_bid, old_ask = bid, ask
        return candles

    def _make_hour(self, market: Market, hour: int) -> Candle:
        return _merged(self._make_minutes(market, hour, every=True), (hour + 1) * 3600)


def carried_over(latest: Candle, end: int) -> Candle:
    """The state after the candle ``latest``, as a candle that ends at ``end``."""
    bid, ask = (Prices(*[side.close] * 4) for side in (latest.bid, latest.ask))
    return Candle(end, bid, ask, None, latest.last, 0, 0, latest.total)


def _trading(newest_first: list[Trade]) -> tuple[Prices, float, int]:
    """Prices, turnover and volume of a minute's trades."""
    prices = [trade.price for trade in newest_first]
    span = Prices(prices[-1], min(prices), max(prices), prices[0])
    return span, sum(t.price * t.size for t in newest_first), sum(t.size for t in newest_first)


def _merged(parts: Sequence[Candle], end: int) -> Candle:
    traded = [part.price for part in parts if part.price]
    return Candle(
        end,
        _span([part.bid for part in parts]),
        _span([part.ask for part in parts]),
        _span(traded) if traded else None,
        parts[0].previous,
        sum(part.turnover for part in parts),
        sum(part.volume for part in parts),
        parts[-1].total,
    )


def _span(parts: Sequence[Prices]) -> Prices:
    return Prices(parts[0].open, min(p.low for p in parts), max(p.high for p in parts), parts[-1].close)
