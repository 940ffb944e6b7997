"""Typed records of the exchange's JSON, and how a bad record is separated from the rest of its page.

Prices and counts stay the exact decimal **strings** that the exchange sent (dollars, contracts): they
go into DECIMAL columns unrounded, and ``Decimal(record.yes_bid)`` converts one. Times are aware UTC
datetimes. Missing, null and blank all read as None. Unknown fields are ignored here but survive in the
record's ``raw`` bytes; enum-like fields are plain strings, because the exchange adds values before it
documents them. Field names: Kalshi's OpenAPI 3.34.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

Dollars = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?\Z", max_length=40)]
"""Money or a price: a JSON string such as "0.5600". A JSON number is refused: it may be cents of the old API."""
Count = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?\Z", max_length=40)]
"""Contracts: a JSON string such as "948.07"."""
Time = Annotated[datetime, Meta(tz=True)]
Second = Annotated[int, Meta(ge=0, lt=253_402_300_800)]
"""Unix seconds, before the year 10000."""
Ticker = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\s/?#%\x00-\x1f\x7f]+\Z")]


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


class Trade(Struct, frozen=True, kw_only=True):
    """One public trade. ``taker_side`` is the outcome that the taker bought, ``yes`` or ``no``."""

    trade_id: Annotated[str, Meta(min_length=1, max_length=64)]
    ticker: Ticker
    executed: Time = field(name="created_time")
    yes_price: Dollars = field(name="yes_price_dollars")
    no_price: Dollars | None = field(name="no_price_dollars", default=None)
    count: Count = field(name="count_fp")
    taker_outcome_side: str | None = None
    old_taker_side: str | None = field(name="taker_side", default=None)
    taker_book_side: str | None = None
    is_block_trade: bool = False

    @property
    def taker_side(self) -> str | None:
        return self.taker_outcome_side or self.old_taker_side


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


class HistoricalCutoff(Struct, frozen=True, kw_only=True):
    """Where the live tier begins. Markets settled and trades created earlier are in the historical tier only."""

    markets_settled: Time = field(name="market_settled_ts")
    trades_created: Time | None = field(name="trades_created_ts", default=None)


Record = TypeVar("Record", bound=Struct)


@dataclass(frozen=True)
class Found(Generic[Record]):
    """A record and the exact bytes it was decoded from."""

    record: Record
    raw: bytes


@dataclass(frozen=True)
class Rejected:
    """A record that can't be stored: its bytes and the reason."""

    endpoint: str
    reason: str
    raw: bytes


_TICKER = re.compile(rb'"(?:market_)?ticker"\s*:\s*"([^"\\]{1,190})"|^([^\s"{\[]{1,190})\t')


def ticker_in(raw: bytes) -> str | None:
    """The market's ticker in a record that can't be read, JSON or a line of a load file; None if it shows none."""
    found = _TICKER.search(raw)
    return (found[1] or found[2]).decode("utf-8", "replace") if found else None


def known_time(moment: datetime | None) -> datetime | None:
    """The moment in UTC; None for the exchange's zero time "0001-01-01T00:00:00Z" and years MySQL can't store."""
    try:
        utc = moment.astimezone(UTC) if moment else None
    except OverflowError:
        return None
    return utc if utc and utc.year >= 1000 else None


def read_record(raw: bytes, record_type: type[Record]) -> Record:
    """Decode one record; a field containing "" counts as missing.

    Raises:
        msgspec.ValidationError: a field is missing or has an invalid value.
    """
    fields = msgspec.json.decode(raw, type=dict[str, Raw])
    filled = {name: value for name, value in fields.items() if bytes(value) != b'""'}
    return msgspec.json.decode(msgspec.json.encode(filled), type=record_type)


def sift(
    raws: list[Raw] | None, record_type: type[Record], endpoint: str
) -> tuple[list[Found[Record]], list[Rejected]]:
    """Decode each record separately, so that a bad one doesn't affect the others."""
    found: list[Found[Record]] = []
    rejected: list[Rejected] = []
    for raw in map(bytes, raws or []):
        try:
            found.append(Found(read_record(raw, record_type), raw))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            rejected.append(Rejected(endpoint, str(error), raw))
    return found, rejected
