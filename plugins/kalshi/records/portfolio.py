"""The user's own fills, positions, settlements and balance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct, field

from kalshi.records.types import Count, Dollars, Second, Ticker, Time


class Fill(Struct, frozen=True, kw_only=True):
    """One execution of the user's own order.

    Buying NO and selling YES are the same trade; ``outcome`` is the outcome whose position it increases.
    """

    fill_id: Annotated[str, Meta(min_length=1, max_length=64)]
    ticker: Ticker
    order_id: str | None = None
    yes_price: Dollars = field(name="yes_price_dollars")
    no_price: Dollars = field(name="no_price_dollars")
    count: Count = field(name="count_fp")
    fee_cost: Dollars
    is_taker: bool | None = None
    created_time: Time | None = None
    created_second: Second | None = field(name="ts", default=None)
    outcome_side: str | None = None
    book_side: str | None = None
    subaccount: int | None = field(name="subaccount_number", default=None)
    old_action: str | None = field(name="action", default=None)
    old_side: str | None = field(name="side", default=None)

    def __post_init__(self) -> None:
        outcomes = {self.outcome_side, {"bid": "yes", "ask": "no"}.get(self.book_side or "", self.book_side)} - {None}
        if not outcomes and self.old_action in ("buy", "sell") and self.old_side in ("yes", "no"):
            outcomes = {self.old_side if self.old_action == "buy" else _other(self.old_side)}
        if len(outcomes) != 1 or not outcomes <= {"yes", "no"}:
            raise ValueError(
                f"the direction is uncertain: outcome_side {self.outcome_side!r}, book_side {self.book_side!r}, "
                f"action {self.old_action!r}, side {self.old_side!r}"
            )
        if self.created_time is None and self.created_second is None:
            raise ValueError("the time is missing: neither created_time nor ts is set")

    @property
    def outcome(self) -> str:
        """``yes`` or ``no``: the outcome whose position it increases (or whose opposite it reduces)."""
        if self.outcome_side or self.book_side:
            return self.outcome_side or ("yes" if self.book_side == "bid" else "no")
        return str(self.old_side if self.old_action == "buy" else _other(self.old_side))

    @property
    def action(self) -> str:
        """``buy`` or ``sell`` of :attr:`side`, as reported by the exchange; else a purchase of the outcome."""
        return self.old_action if self.old_action and self.old_side else "buy"

    @property
    def side(self) -> str:
        return self.old_side if self.old_action and self.old_side else self.outcome

    @property
    def price(self) -> str:
        """Dollars per contract of the side traded."""
        return self.yes_price if self.side == "yes" else self.no_price

    @property
    def executed(self) -> datetime:
        return self.created_time or datetime.fromtimestamp(self.created_second or 0, UTC)


def _other(side: str | None) -> str:
    return "no" if side == "yes" else "yes"


class Position(Struct, frozen=True, kw_only=True):
    """The user's position in one market, by the exchange's own figures. ``quantity``: negative means NO."""

    ticker: Ticker
    quantity: Count = field(name="position_fp")
    exposure: Dollars = field(name="market_exposure_dollars")
    realized_pnl: Dollars = field(name="realized_pnl_dollars")
    fees_paid: Dollars = field(name="fees_paid_dollars")
    total_traded: Dollars | None = field(name="total_traded_dollars", default=None)
    last_updated: Time | None = field(name="last_updated_ts", default=None)


class PortfolioSettlement(Struct, frozen=True, kw_only=True):
    """The payout of a market that the user held. ``revenue_cents`` and ``value_cents`` are whole cents."""

    ticker: Ticker
    event_ticker: Ticker
    result: str = field(name="market_result")
    yes_count: Count = field(name="yes_count_fp")
    no_count: Count = field(name="no_count_fp")
    yes_total_cost: Dollars = field(name="yes_total_cost_dollars")
    no_total_cost: Dollars = field(name="no_total_cost_dollars")
    revenue_cents: int = field(name="revenue")
    value_cents: int | None = field(name="value", default=None)
    fee_cost: Dollars
    settled: Time = field(name="settled_time")


class Balance(Struct, frozen=True, kw_only=True):
    """Cash, and the exchange's valuation of the open positions in whole cents."""

    balance: Dollars = field(name="balance_dollars")
    portfolio_value_cents: int = field(name="portfolio_value")
    updated_second: Second = field(name="updated_ts")

    @property
    def updated(self) -> datetime:
        return datetime.fromtimestamp(self.updated_second, UTC)
