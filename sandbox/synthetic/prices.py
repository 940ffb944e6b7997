"""The quotes of markets in each minute, in hundredths of a cent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.synthetic.calendar import Lives, Rows
from sandbox.synthetic.dice import Flags, Floats, Ints, draw, mixed, shares
from sandbox.synthetic.kinds import GRIDS
from sandbox.synthetic.outcomes import values
from sandbox.synthetic.plan import Plan

MINUTE = 60_000_000
DOLLAR = 10_000
EDGES = np.array([[max(1, round(float(end) * DOLLAR)) for _, end, _ in ranges][:1] for ranges in GRIDS.values()])[:, 0]
"""Where the first range of each grid ends; the last one begins as far below a dollar."""
EDGE_TICKS = np.array([round(float(ranges[0][2]) * DOLLAR) for ranges in GRIDS.values()])
TICKS = np.array([round(float(ranges[len(ranges) // 2][2]) * DOLLAR) for ranges in GRIDS.values()])


@dataclass(frozen=True, eq=False)
class Quotes:
    """Best bids and asks, and their sizes. 0 and a dollar, both of size 0, mean no bid and no ask."""

    bid: Ints
    ask: Ints
    bid_size: Ints
    ask_size: Ints


@dataclass(frozen=True, eq=False)
class Book:
    """What the quotes of markets are made of: the first price, what they settle at, how long a quote stays, ticks."""

    lives: Lives
    first: Floats
    last: Floats
    hold: Ints
    spread: Ints
    grid: Ints

    def take(self, places: Ints) -> Book:
        return Book(
            self.lives.take(places), *(values[places] for name, values in vars(self).items() if name != "lives")
        )

    def quotes(self, minute: Ints) -> Quotes:
        """In each minute (since 1970) of its life; the last ones before it, and while it is stopped, stay."""
        lives = self.lives
        stopped = (minute * MINUTE >= lives.stops) & (minute * MINUTE < lives.resumes)
        minute = np.where(stopped, (lives.stops - 1) // MINUTE, np.minimum(minute, (lives.closes - 1) // MINUTE))
        words = mixed(lives.key, 41, minute // self.hold)
        middle = self._chance(minute, shares(words)) * DOLLAR
        ticks = self._ticks(middle.astype(np.int64))
        bid = self._on_grid(np.clip(middle - ticks * self.spread / 2, 0, DOLLAR - ticks).astype(np.int64))
        ask = np.minimum(-self._on_grid(-(bid + ticks * self.spread)), DOLLAR)
        before = minute < lives.opens // MINUTE
        bid, ask = np.where(before, 0, bid), np.where(before, DOLLAR, ask)
        sizes = (words & np.uint64(0xFF)).astype(np.int64) * 77 + 100
        return Quotes(bid, ask, np.where(bid > 0, sizes, 0), np.where(ask < DOLLAR, 20_000 - sizes, 0))

    def _chance(self, minute: Ints, noise: Floats) -> Floats:
        """From the first price to what it settles at, with some noise, as time goes by."""
        lives = self.lives
        gone = np.clip((minute * MINUTE - lives.opens) / (lives.closes - lives.opens), 0, 1)
        fair = self.first + (self.last - self.first) * gone * gone
        found: Floats = np.clip(fair + 0.3 * fair * (1 - fair) * (noise - 0.5), 0, 1)
        return found

    def _ticks(self, price: Ints) -> Ints:
        edge = EDGES[self.grid]
        return np.where((price < edge) | (price > DOLLAR - edge), EDGE_TICKS[self.grid], TICKS[self.grid])

    def _on_grid(self, price: Ints) -> Ints:
        """The next price of the grid, downwards."""
        ticks = self._ticks(np.abs(price))
        return price // ticks * ticks


def book(plan: Plan, rows: Rows, lives: Lives) -> Book:
    """The books of markets; the more markets an event has, the lower they begin."""
    begin = draw(lives.key, 42) ** (1 + np.log2(plan.markets[rows.series]))
    return Book(
        lives=lives,
        first=0.02 + 0.95 * begin,
        last=values(plan, rows),
        hold=plan.hold[rows.series],
        spread=1 + (draw(lives.key, 43) * 4).astype(np.int64),
        grid=plan.grid[rows.series],
    )


def traded(quotes: Quotes, takes_yes: Flags) -> tuple[Ints, Flags]:
    """The prices of trades at these quotes, and whether their takers buy YES: they take what there is."""
    yes = np.where(quotes.bid == 0, True, np.where(quotes.ask == DOLLAR, False, takes_yes))
    return np.where(yes, quotes.ask, quotes.bid), yes
