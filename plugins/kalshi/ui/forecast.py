"""What an event's prices say about its outcome: the probability of each bracket, and the value to be expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from statistics import median

LEAST_TOTAL = 0.5
"""Dollars that the midpoints of all brackets must add up to, or too few are quoted to say anything."""


@dataclass(frozen=True)
class Quote:
    """Bid and ask of YES, dollars."""

    bid: Decimal
    ask: Decimal

    @property
    def middle(self) -> float:
        return float(self.bid + self.ask) / 2


@dataclass(frozen=True)
class Bracket:
    """What a market asks: whether the value lies between two strikes; one of them is None where it is open-ended."""

    market: str
    name: str
    floor: Decimal | None = None
    cap: Decimal | None = None


def quote(bid: Decimal | None, ask: Decimal | None) -> Quote | None:
    """None before the first quote and in an empty book (bid 0, ask 1)."""
    if bid is None or ask is None or (bid == 0 and ask == 1):
        return None
    return Quote(bid, ask)


def probabilities(quotes: Mapping[str, Quote | None]) -> dict[str, float]:
    """The implied probability of each quoted market: its midpoint as a share of all midpoints."""
    middles = {market: each.middle for market, each in quotes.items() if each}
    total = sum(middles.values())
    return {market: middle / total for market, middle in middles.items()} if total >= LEAST_TOTAL else {}


def centres(brackets: Sequence[Bracket]) -> dict[str, float]:
    """The middle of each bracket; an open-ended one lies one step beyond its neighbour.

    None at all if the brackets have no strikes, or if more than one is open-ended at the same end.
    """
    closed = {b.market: float(b.floor + b.cap) / 2 for b in brackets if b.floor is not None and b.cap is not None}
    lower = [b.market for b in brackets if b.floor is None and b.cap is not None]
    upper = [b.market for b in brackets if b.floor is not None and b.cap is None]
    known = len(closed) + len(lower) + len(upper)
    if not closed or known < len(brackets) or len(lower) > 1 or len(upper) > 1:
        return {}
    places = sorted(closed.values())
    step = median(after - before for before, after in pairwise(places)) if places[1:] else 1.0
    return closed | dict.fromkeys(lower, places[0] - step) | dict.fromkeys(upper, places[-1] + step)


def expected(shares: Mapping[str, float], centres: Mapping[str, float]) -> float | None:
    """The mean of the brackets' centres, weighted by their probabilities; None where either is missing."""
    if not shares or not shares.keys() <= centres.keys():
        return None
    return sum(share * centres[market] for market, share in shares.items())


def measured(values: Iterable[str | None]) -> Decimal | str:
    """What was measured, by the ``expiration_value`` of the event's markets: a number if it is one; "" if it isn't
    known or they disagree."""
    known = {value for value in values if value}
    text = known.pop() if len(known) == 1 else ""
    try:
        number = Decimal(text)
    except ArithmeticError:
        return text
    return number if number.is_finite() else text
