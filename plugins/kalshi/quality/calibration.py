"""How well prices foretell results: a price of 30 cents is right if three in ten such markets win."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from math import sqrt

from kalshi.quality.fees import fee

EDGES = tuple(Decimal(edge) / 100 for edge in (0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100))
"""The bins of prices: narrower at the ends, where most brackets trade. The last one includes a price of 1."""
BINS = len(EDGES) - 1
Z = 1.959964
"""The normal quantile of a 95 % interval."""
FEW = 30
"""Markets: with fewer, a share says little."""
LEAST = Decimal("0.005")
"""The probability that counts in the log loss if a price of 0 was wrong: half a cent."""


@dataclass(frozen=True)
class Quote:
    """Markets with the same quote at a decision that settled yes or no: how many, and how many ``won``."""

    bid: Decimal
    ask: Decimal
    markets: int
    won: int
    fee_type: str | None = None
    fee_multiplier: Decimal | None = None


@dataclass(frozen=True)
class Score:
    """Markets that settled yes or no. ``price``, ``brier`` and ``loss``: sums over them."""

    events: int = 0
    markets: int = 0
    won: int = 0
    price: float = 0
    brier: float = 0
    loss: float = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.events + other.events,
            self.markets + other.markets,
            self.won + other.won,
            self.price + other.price,
            self.brier + other.brier,
            self.loss + other.loss,
        )

    @property
    def mean_price(self) -> float:
        return self.price / self.markets

    @property
    def base_rate(self) -> float:
        """The share that won."""
        return self.won / self.markets

    @property
    def mean_brier(self) -> float:
        """0 if every price was right for certain, 0.25 if all were 50 cents."""
        return self.brier / self.markets

    @property
    def mean_loss(self) -> float:
        return self.loss / self.markets

    @property
    def brier_of_base_rate(self) -> float:
        """What always naming the base rate would have scored: prices that score more know nothing."""
        return self.base_rate * (1 - self.base_rate)


@dataclass(frozen=True)
class Bin:
    """The markets whose price lay from ``EDGES[number]`` up to the next edge. ``price`` and ``fees``: sums over them;
    ``fees`` is None if the formula of one of them isn't known."""

    number: int
    markets: int
    won: int
    price: Decimal
    fees: Decimal | None = Decimal(0)

    @property
    def edges(self) -> tuple[Decimal, Decimal]:
        return EDGES[self.number], EDGES[self.number + 1]

    @property
    def mean_price(self) -> float:
        return float(self.price) / self.markets

    @property
    def share(self) -> float:
        return self.won / self.markets

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.won, self.markets)

    @property
    def edge(self) -> float:
        """Dollars per contract that buying at the price would have earned, before fees."""
        return self.share - self.mean_price

    @property
    def edge_after_fees(self) -> float | None:
        return None if self.fees is None else self.edge - float(self.fees) / self.markets

    @property
    def verdict(self) -> str:
        """Whether the price fits the share that won."""
        low, high = self.interval
        if self.markets < FEW:
            return "too few to say"
        if self.mean_price < low:
            return "price too low"
        return "price too high" if self.mean_price > high else "fits"


def wilson(won: int, markets: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; also right for few markets, and for shares near 0 and 1."""
    if not markets:
        return 0.0, 1.0
    share = won / markets
    middle = share + Z * Z / (2 * markets)
    half = Z * sqrt(share * (1 - share) / markets + Z * Z / (4 * markets * markets))
    scale = 1 + Z * Z / markets
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def bin_of(price: Decimal) -> int:
    return min(bisect_right(EDGES, price), BINS) - 1


def price_of(quote: Quote, which: str) -> Decimal:
    """``which``: bid, ask, or mid, the midpoint of both."""
    return {"bid": quote.bid, "ask": quote.ask}.get(which, (quote.bid + quote.ask) / 2)


def curve(quotes: Iterable[Quote], which: str) -> list[Bin]:
    """The bins that have markets, by rising price."""
    found: dict[int, list[Bin]] = defaultdict(list)
    for quote in quotes:
        price = price_of(quote, which)
        found[bin_of(price)].append(Bin(bin_of(price), quote.markets, quote.won, price * quote.markets))
    return [reduce(_together, found[number]) for number in sorted(found)]


def purchases(quotes: Iterable[Quote]) -> list[Bin]:
    """One contract of YES bought at the ask of every market, by the bin of the ask. Without an ask, at 1 dollar, there
    is nothing to buy."""
    found: dict[int, list[Bin]] = defaultdict(list)
    for quote in (each for each in quotes if each.ask < 1):
        charged = fee(quote.fee_type, quote.fee_multiplier, quote.ask, is_maker=False)
        fees = None if charged is None else charged * quote.markets
        number = bin_of(quote.ask)
        found[number].append(Bin(number, quote.markets, quote.won, quote.ask * quote.markets, fees))
    return [reduce(_together, found[number]) for number in sorted(found)]


def _together(one: Bin, other: Bin) -> Bin:
    fees = None if one.fees is None or other.fees is None else one.fees + other.fees
    return Bin(one.number, one.markets + other.markets, one.won + other.won, one.price + other.price, fees)
