"""The account that every key belongs to: its trades, derived from the seed alone, and their results.

Counts are hundredths of contracts, prices cents of YES, money micro-dollars. Buying NO is
selling YES: a YES and a NO contract together make a dollar. Lots close first in, first out; a position's
realised gain comes from closed lots and the settlement, without fees.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from sandbox.markets import Event, Market
from sandbox.special import ODD, WIDE
from sandbox.tape import MINUTE, Quote, micros
from sandbox.weather import RECORDED_EVENT
from sandbox.world import World

OPENED = date(2026, 5, 1)
"""The day of the first event it traded."""
TRADED_SHARE = 0.9
"""Of the weather events."""
WIDE_MARKETS = 1250
"""Markets of the wide event that subaccount 2 holds: more than one page of positions."""
DEPOSITS = {0: 5_000_000_000, 1: 2_000_000_000, 2: 50_000_000_000}
"""Micro-dollars paid into each subaccount."""
PLANS: tuple[tuple[tuple[str, str, int], ...], ...] = (
    (("buy", "yes", 4),),
    (("buy", "no", 4),),
    (("buy", "yes", 4), ("sell", "yes", 1)),
    (("buy", "no", 5), ("sell", "no", 2), ("sell", "no", 1)),
    (("buy", "yes", 3), ("buy", "yes", 2), ("sell", "yes", 5)),
    (("buy", "no", 2), ("buy", "yes", 2)),
    (("buy", "yes", 2), ("sell", "yes", 2), ("buy", "yes", 3)),
    (("buy", "yes", 2), ("buy", "yes", 1), ("buy", "no", 7)),
    (("sell", "yes", 3), ("buy", "yes", 1)),
    (("buy", "no", 3), ("sell", "no", 3), ("buy", "no", 1), ("sell", "no", 1), ("buy", "yes", 2)),
)
"""Its plan for one market: action, side and number of units."""


class Fill(NamedTuple):
    """One execution; ``price`` is that of YES, ``created`` in microseconds since 1970."""

    created: int
    id: str
    order_id: str
    market: Market
    subaccount: int
    action: str
    side: str
    price: int
    size: int
    is_taker: bool

    @property
    def takes_yes(self) -> bool:
        return (self.action == "buy") == (self.side == "yes")

    @property
    def cost(self) -> int:
        """Cents per contract of the outcome it buys."""
        return self.price if self.takes_yes else 100 - self.price

    @property
    def fee(self) -> int:
        """7 % of price times counter-price for a taker, a quarter of that for a maker, rounded up."""
        return -(-7 * self.size * self.price * (100 - self.price) // (100 if self.is_taker else 400))


class Settlement(NamedTuple):
    """What a market paid: ``value`` in cents per contract of YES, ``revenue`` in cents."""

    settled: int
    result: str
    value: int
    yes_count: int
    yes_cost: int
    no_count: int
    no_cost: int
    revenue: int


@dataclass
class Holding:
    """One market in one subaccount. ``lots``: whether YES, cents per contract and count, oldest first."""

    market: Market
    subaccount: int
    lots: deque[tuple[bool, int, int]] = field(default_factory=deque)
    realized: int = 0
    fees: int = 0
    traded: int = 0
    shares: int = 0
    updated: int = 0
    settlement: Settlement | None = None

    @property
    def position(self) -> int:
        """Contracts held; negative means NO."""
        return sum(size if is_yes else -size for is_yes, _, size in self.lots)

    @property
    def exposure(self) -> int:
        """The cost of the contracts held."""
        return sum(100 * cost * size for _, cost, size in self.lots)

    def value(self, quote: Quote) -> int:
        """The value of the contracts held at the bid."""
        return sum(100 * size * (quote.bid if is_yes else 100 - quote.ask) for is_yes, _, size in self.lots)

    def add(self, fill: Fill) -> None:
        left = fill.size
        while left and self.lots and self.lots[0][0] != fill.takes_yes:
            is_yes, cost, size = self.lots.popleft()
            closed = min(left, size)
            self.realized += 100 * closed * (100 - cost - fill.cost)
            left -= closed
            if size > closed:
                self.lots.appendleft((is_yes, cost, size - closed))
        if left:
            self.lots.append((fill.takes_yes, fill.cost, left))
        self.fees += fill.fee
        self.traded += 100 * fill.cost * fill.size
        self.shares += fill.size
        self.updated = fill.created

    def settle(self, at: int, result: str, value: int) -> None:
        """Pay ``value`` cents per contract of YES; records a settlement if something was held."""
        counts, costs = {True: 0, False: 0}, {True: 0, False: 0}
        for is_yes, cost, size in self.lots:
            counts[is_yes] += size
            costs[is_yes] += 100 * cost * size
        paid = counts[True] * value + counts[False] * (100 - value)
        self.realized += 100 * paid - self.exposure
        if self.lots:
            self.settlement = Settlement(
                at, result, value, counts[True], costs[True], counts[False], costs[False], paid // 100
            )
            self.updated = at
        self.lots.clear()


class Account:
    """The account's history up to the world's time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[str, list[Fill]] = {}

    def fills(self) -> list[Fill]:
        """Every execution so far, oldest first."""
        now = micros(self._world.clock.now())
        return sorted(fill for event in self._events() for fill in self._fills_of(event) if fill.created <= now)

    def holdings(self) -> list[Holding]:
        """Every market traded so far, settled if its event is, sorted by ticker."""
        now = self._world.clock.now()
        held: dict[tuple[str, int], Holding] = {}
        for fill in self.fills():
            key = fill.market.ticker, fill.subaccount
            held.setdefault(key, Holding(fill.market, fill.subaccount)).add(fill)
        for holding in held.values():
            event = holding.market.event
            if event.settles <= now:
                verdict = holding.market.verdict(event.high)
                holding.settle(micros(event.settles), verdict.result, int(100 * Decimal(verdict.value or 0)))
        return [held[key] for key in sorted(held)]

    def cash(self, holdings: Iterable[Holding], subaccount: int) -> int:
        """The cash left of the deposit."""
        own = [holding for holding in holdings if holding.subaccount == subaccount]
        return DEPOSITS.get(subaccount, 0) + sum(h.realized - h.exposure - h.fees for h in own)

    def _events(self) -> list[Event]:
        return [event for event in self._world.events() if event.day >= OPENED]

    def _fills_of(self, event: Event) -> list[Fill]:
        if event.ticker not in self._made:
            self._made[event.ticker] = list(self._trade(event))
        return self._made[event.ticker]

    def _trade(self, event: Event) -> Iterator[Fill]:
        dice = random.Random(f"{self._world.seed}/account/{event.ticker}")
        if event.city == WIDE:
            for market in event.markets[:WIDE_MARKETS]:
                yield from self._follow(dice, market, 2, PLANS[dice.randrange(2)])
        elif event.city == ODD:
            for market in event.markets:
                if market.fixed and market.fixed.result == "scalar":
                    yield from self._follow(dice, market, 0, PLANS[2], unit=500)
                    yield from self._follow(dice, market, 1, PLANS[3], unit=300)
        # How the exchange treats a position in a market whose result it amends is unknown, so there is none.
        elif len(event.life) == 2 and event.ticker != RECORDED_EVENT and dice.random() < TRADED_SHARE:
            for market in dice.sample(event.markets, dice.randint(1, 4)):
                for subaccount in dice.choice(((0,), (0,), (1,), (0, 1))):
                    yield from self._follow(dice, market, subaccount, dice.choice(PLANS))

    def _follow(
        self,
        dice: random.Random,
        market: Market,
        subaccount: int,
        plan: tuple[tuple[str, str, int], ...],
        unit: int | None = None,
    ) -> Iterator[Fill]:
        """The executions of a plan, at the quotes of those minutes."""
        opened = OPENED.toordinal() - date(1970, 1, 1).toordinal()
        minutes = range(max(market.event.minutes.start, opened * 1440), market.event.minutes.stop)
        minutes = minutes[: 140 * 1440]  # the wide market is open until 2100
        unit = unit or dice.choice((dice.randrange(25, 2500), 100 * dice.randrange(1, 25)))
        early = sorted(int(len(minutes) * MINUTE * dice.random() ** 2) for _ in plan)
        for offset, (action, side, times) in zip(early, plan, strict=True):
            created = minutes.start * MINUTE + offset
            [quote] = self._world.tape.quotes(market, created // MINUTE, created // MINUTE + 1)
            takes_yes, is_taker = (action == "buy") == (side == "yes"), dice.random() < 0.7
            price = quote.ask if takes_yes == is_taker else quote.bid
            yield Fill(
                created,
                _uuid(dice),
                _uuid(dice),
                market,
                subaccount,
                action,
                side,
                min(max(price, 1), 99),
                unit * times,
                is_taker,
            )


def _uuid(dice: random.Random) -> str:
    digits = f"{dice.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
