"""When markets trade, and how much.

A market has a number of trades in its life, one in each part of equal expectation, which rises over time. So the
trades before any moment can be counted, and each one's time found, without the others. Their counts are an average
plus one random number minus another: the next trade's minus its own. So the sum of any number of trades is known
from the last alone, and volumes agree with trades by construction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.synthetic.calendar import Lives, Rows
from sandbox.synthetic.dice import Flags, Ints, Words, draw, mixed, shares
from sandbox.synthetic.plan import Plan

SKEW = 0.6
"""Within a series, a market's trades are distributed like a Pareto distribution with the exponent 1 / SKEW."""
ONE_BLOCK_IN = 512


@dataclass(frozen=True, eq=False)
class Flow:
    """The trades of markets: how many in all, how many hundredths of contracts on average, and in which units."""

    lives: Lives
    trades: Ints
    average: Ints
    unit: Ints

    def take(self, places: Ints) -> Flow:
        return Flow(self.lives.take(places), self.trades[places], self.average[places], self.unit[places])

    def count(self, moment: Ints | int) -> Ints:
        """The trades until that microsecond, itself included.

        ``moment`` may lie in the trade number ``floor(done)``; earlier ones are over, later ones to come.
        """
        until = self.lives.traded_before(np.asarray(moment) + 1) / self.lives.trading
        done = np.floor(self.trades * (until + until * until) / 2).astype(np.int64)
        partly = (done < self.trades) & (self.times(np.minimum(done, self.trades - 1)) <= moment)
        return done + partly.astype(np.int64)

    def times(self, number: Ints) -> Ints:
        """When the trade of that number is made: in its part, not too near to the edges."""
        within = ((self.words(number) >> np.uint64(48)).astype(np.float64) + 0.5) / 65536
        share = (np.sqrt(1 + 8 * np.maximum(number + within, 0) / np.maximum(self.trades, 1)) - 1) / 2
        after = np.minimum((share * self.lives.trading).astype(np.int64), self.lives.trading - 1)
        pause = np.where(after >= self.lives.stops - self.lives.opens, self.lives.resumes - self.lives.stops, 0)
        found: Ints = self.lives.opens + after + pause
        return found

    def volume(self, number: Ints) -> Ints:
        """The contracts of the first so many trades."""
        return number * self.average + self._extra(number) - self._extra(np.zeros(1, np.int64))

    def sizes(self, number: Ints) -> Ints:
        """The contracts of the trade of that number."""
        return self.average + self._extra(number + 1) - self._extra(number)

    def words(self, number: Ints) -> Words:
        """Random bits of a trade: the upper 16 are where it is in its part, the lowest ones are for :func:`sides`."""
        return mixed(self.lives.key, 21, number)

    def _extra(self, number: Ints) -> Ints:
        most = self.average // self.unit
        return (shares(mixed(self.lives.key, 22, number)) ** 3 * most).astype(np.int64) * self.unit


def sides(words: Words) -> tuple[Flags, Flags]:
    """Whether a trade's taker buys YES, and whether it is a block trade."""
    return (words & np.uint64(1)) == 1, (words >> np.uint64(1)) % np.uint64(ONE_BLOCK_IN) == 0


def flow(plan: Plan, rows: Rows, lives: Lives) -> Flow:
    """The trades of markets."""
    interest = (1 - SKEW) * np.maximum(draw(lives.key, 23), 1e-5) ** -SKEW
    unit = plan.unit[rows.series]
    return Flow(
        lives=lives,
        trades=(plan.trades[rows.series] * interest + draw(lives.key, 24)).astype(np.int64),
        average=unit * (1 + (draw(lives.key, 25) ** 3 * np.where(unit == 1, 8000, 60)).astype(np.int64)),
        unit=unit,
    )
