"""The candles of one market, from its quotes and trades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sandbox import periods
from sandbox.candles import Candle, Prices, carried_over
from sandbox.synthetic.calendar import Rows
from sandbox.synthetic.dice import Ints
from sandbox.synthetic.flow import Flow, sides
from sandbox.synthetic.plan import SECOND, Plan
from sandbox.synthetic.prices import MINUTE, Book, book, traded
from sandbox.synthetic.tape import last_price


@dataclass(frozen=True, eq=False)
class _Side:
    """The opening, lowest, highest and closing price of periods."""

    open: Ints
    low: Ints
    high: Ints
    close: Ints

    def cents(self) -> list[Prices]:
        """In cents, a period each."""
        columns = (self.open / 100, self.low / 100, self.high / 100, self.close / 100)
        return list(map(Prices, *(column.tolist() for column in columns)))


@dataclass(frozen=True, eq=False)
class Chart:
    """The candles of the market in ``rows``, which is one row. Their times are unix seconds."""

    plan: Plan
    rows: Rows
    flow: Flow
    dense: bool

    @property
    def life(self) -> tuple[int, int]:
        """Its first and last second."""
        [opens], [closes] = self.flow.lives.opens, self.flow.lives.closes
        return int(opens // SECOND), int(-(-closes // SECOND))

    def ends(self, period: int, start: int, end: int, now: int) -> Sequence[int]:
        """The possible candle ends from ``start`` to ``end``: periods in the market's life that are over by ``now``."""
        opens, closes = self.life
        return periods.ends(period, max(start, opens + 1), min(end, now, periods.end_from(period, closes)))

    def carried(self, period: int, start: int, now: int) -> Candle | None:
        """The state before ``start``, as a candle at the first end after it; None before the first candle."""
        before = self.ends(period, 0, start - 1, now)
        if not before or start > now:
            return None
        [latest] = self.candles(period, before[-1:], every=True)
        return carried_over(latest, periods.end_from(period, start + 1))

    def candles(self, period: int, ends: Sequence[int], *, every: bool = False) -> list[Candle]:
        """The candles of successive ``ends``; minutes without a change are left out unless dense, or asked for."""
        if not ends:
            return []
        stop = np.array(ends, np.int64) // 60
        start = np.array([_begin(period, end) for end in ends], np.int64) // 60
        bid, ask = self._quotes(start, stop)
        low, high = self.flow.count(start * MINUTE - 1), self.flow.count(stop * MINUTE - 1)
        price, turnover = self._trading(low, high)
        kept = (high > low) | (bid.low < bid.high) | (ask.low < ask.high) | (start <= self.life[0] // 60)
        if every or self.dense or period != periods.MINUTE:
            kept = np.ones(len(stop), bool)
        return self._listed(np.flatnonzero(kept), stop * 60, bid, ask, price, turnover, low, high)

    def _listed(
        self, kept: Ints, ends: Ints, bid: _Side, ask: _Side, price: _Side, turnover: Ints, low: Ints, high: Ints
    ) -> list[Candle]:
        before, total = self.flow.volume(low), self.flow.volume(high)
        previous = last_price(self._book, self.flow, low) / 100
        bids, asks, prices = (_Side(*(v[kept] for v in vars(side).values())).cents() for side in (bid, ask, price))
        traded_in = (high > low)[kept].tolist()
        return list(
            map(
                Candle,
                ends[kept].tolist(),
                bids,
                asks,
                (found if traded else None for found, traded in zip(prices, traded_in, strict=True)),
                previous[kept].tolist(),
                (turnover[kept] / 100).tolist(),
                (total - before)[kept].tolist(),
                total[kept].tolist(),
            )
        )

    def _quotes(self, start: Ints, stop: Ints) -> tuple[_Side, _Side]:
        """Bids and asks of the periods; each opens with the quote at which the minute before it closed."""
        opens, closes = self.life
        first, last = max(int(start[0]), opens // 60) - 1, min(int(stop[-1]), -(-closes // 60))
        minutes = np.arange(first, last)
        quotes = self._book.quotes(minutes)
        begins = np.clip(start, first + 1, last - 1) - first
        ends = np.clip(stop, first + 2, last) - first
        return _spans(quotes.bid, begins, ends), _spans(quotes.ask, begins, ends)

    @cached_property
    def _book(self) -> Book:
        return book(self.plan, self.rows, self.flow.lives)

    def _trading(self, low: Ints, high: Ints) -> tuple[_Side, Ints]:
        """Prices and turnovers of the trades from number ``low`` until before ``high``, for each period."""
        number = np.arange(int(low[0]), int(high[-1]))
        nothing = np.zeros(len(low), np.int64)
        if not len(number):
            return _Side(nothing, nothing, nothing, nothing), nothing
        takes_yes, _ = sides(self.flow.words(number))
        price, _ = traded(self._book.quotes(self.flow.times(number) // MINUTE), takes_yes)
        paid = np.concatenate(([0], np.cumsum(price * self.flow.sizes(number))))
        some = np.flatnonzero(high > low)
        begins, ends = low - number[0], high - number[0]
        span = _reduced(price, begins[some], ends[some])
        found = [_spread_out(nothing, some, values) for values in vars(span).values()]
        return _Side(*found), paid[ends] - paid[begins]


def _spread_out(nothing: Ints, places: Ints, values: Ints) -> Ints:
    whole = nothing.copy()
    whole[places] = values
    return whole


def _spans(values: Ints, begins: Ints, ends: Ints) -> _Side:
    """The values from each period's beginning to its end, and the one before it, with which it opens."""
    return _reduced(values, begins - 1, ends)


def _reduced(values: Ints, begins: Ints, ends: Ints) -> _Side:
    """What the values from ``begins`` until before ``ends`` come to; successive spans may share an edge."""
    edges = np.column_stack((begins, ends)).ravel()
    padded = np.append(values, values[-1])
    low = np.minimum.reduceat(padded, edges)[::2]
    high = np.maximum.reduceat(padded, edges)[::2]
    return _Side(values[begins], low, high, values[ends - 1])


def _begin(period: int, end: int) -> int:
    """Where the period begins that ends there."""
    return periods.hours(end).start * 3600 if period == periods.DAY else end - period * 60
