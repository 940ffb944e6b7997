"""Series, events and markets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from msgspec import UNSET, Raw, Struct, UnsetType, field

from kalshi.records.types import Count, Dollars, Ticker, Time


class UncertainUnit(ValueError):
    """A price came as an integer without its dollar counterpart: cents of the old API, or something else."""


class Series(Struct, frozen=True, kw_only=True):
    """A family of events, such as KXHIGHNY, the daily high in New York."""

    ticker: Ticker
    title: str | None = None
    category: str | None = None
    frequency: str | None = None
    tags: list[str] | None = None
    settlement_sources: list[Any] | None = None
    contract_terms_url: str | None = None
    fee_type: str | None = None
    fee_multiplier: Decimal | None = None
    last_updated: Time | None = field(name="last_updated_ts", default=None)


class Event(Struct, frozen=True, kw_only=True):
    """One question with its markets, such as KXHIGHNY-26SEP23."""

    ticker: Ticker = field(name="event_ticker")
    series_ticker: Ticker
    title: str | None = None
    sub_title: str | None = None
    category: str | None = None
    collateral_return_type: str | None = None
    mutually_exclusive: bool | None = None
    strike_date: Time | None = None
    strike_period: str | None = None
    last_updated: Time | None = field(name="last_updated_ts", default=None)


class Market(Struct, frozen=True, kw_only=True):
    """One yes/no (or scalar) contract of an event. Live and historical tiers use the same field names."""

    ticker: Ticker
    event_ticker: Ticker
    market_type: str | None = None
    title: str | None = None
    subtitle: str | None = None
    yes_sub_title: str | None = None
    no_sub_title: str | None = None
    status: str | None = None
    result: str | None = None
    settlement_time: Time | None = field(name="settlement_ts", default=None)
    settlement_value: Dollars | None = field(name="settlement_value_dollars", default=None)
    expiration_value: str | None = None
    strike_type: str | None = None
    floor_strike: Decimal | None = None
    cap_strike: Decimal | None = None
    functional_strike: str | None = None
    custom_strike: Raw = Raw(b"null")
    created_time: Time | None = None
    updated_time: Time | None = None
    open_time: Time | None = None
    close_time: Time | None = None
    expiration_time: Time | None = None
    expected_expiration_time: Time | None = None
    latest_expiration_time: Time | None = None
    can_close_early: bool | None = None
    settlement_timer_seconds: int | None = None
    last_price: Dollars | None = field(name="last_price_dollars", default=None)
    yes_bid: Dollars | None = field(name="yes_bid_dollars", default=None)
    yes_ask: Dollars | None = field(name="yes_ask_dollars", default=None)
    yes_bid_size: Count | None = field(name="yes_bid_size_fp", default=None)
    yes_ask_size: Count | None = field(name="yes_ask_size_fp", default=None)
    volume: Count | None = field(name="volume_fp", default=None)
    volume_24h: Count | None = field(name="volume_24h_fp", default=None)
    open_interest: Count | None = field(name="open_interest_fp", default=None)
    # Fields of the old API, read only to refuse a price whose unit is uncertain.
    old_last_price: Any = field(name="last_price", default=UNSET)
    old_yes_bid: Any = field(name="yes_bid", default=UNSET)
    old_yes_ask: Any = field(name="yes_ask", default=UNSET)
    old_settlement_value: Any = field(name="settlement_value", default=UNSET)

    def __post_init__(self) -> None:
        for name in ("last_price", "yes_bid", "yes_ask", "settlement_value"):
            old = getattr(self, f"old_{name}")
            if not isinstance(old, UnsetType) and old is not None and getattr(self, name) is None:
                raise UncertainUnit(
                    f"{name} is {old!r} without {name}_dollars: integer prices (cents in the old API) are rejected, "
                    "because their unit is uncertain"
                )
