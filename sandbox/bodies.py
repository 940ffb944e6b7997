"""The JSON bodies, as Kalshi's OpenAPI 3.34 shapes them, from the facts that each part of the exchange knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sandbox.tape import Trade
from sandbox.wire import contracts, dollars, open_interest, stamp, stamp_of

Body = dict[str, Any]
LINEAR_CENT = {"linear_cent": (("0.0000", "1.0000", "0.0100"),)}
"""Name of a price grid, and its ranges: start, end, step."""


class SeriesFacts(NamedTuple):
    """A series, with the words that only it has."""

    ticker: str
    title: str
    categories: Sequence[str]
    tags: Sequence[str]
    frequency: str
    terms: str
    sources: Sequence[Mapping[str, str]]
    shard: int = 0


class EventFacts(NamedTuple):
    """An event without its markets."""

    ticker: str
    series: str
    title: str
    sub_title: str
    category: str
    sources: Sequence[Mapping[str, str]]
    mutually_exclusive: bool
    strike_date: datetime | None
    product_metadata: Mapping[str, str]
    shard: int = 0


class Terms(NamedTuple):
    """What the markets of an event have in common."""

    event: str
    created: datetime
    opens: datetime
    closes: datetime
    expected: datetime
    expires: datetime
    rules: str
    early_close: str | None
    grid: Mapping[str, Sequence[tuple[str, str, str]]] = LINEAR_CENT
    market_type: str = "binary"
    settlement_timer_seconds: int = 300
    shard: int = 0


class Shown(NamedTuple):
    """A market at one moment, beside its terms: prices in cents, counts in hundredths of contracts.

    ``more``: the optional fields that it has, as they are in its body: strikes, settlement, legs.
    """

    ticker: str
    title: str
    yes: str
    rules: str
    strike_type: str
    status: str
    updated: datetime
    bid: float
    ask: float
    bid_size: int
    ask_size: int
    last: float
    volume: int
    volume_24h: int
    more: Mapping[str, Any]


def series(of: SeriesFacts) -> Body:
    """A series."""
    return {
        "additional_prohibitions": [],
        "categories": list(of.categories),
        "category": of.categories[0],
        "contract_terms_url": f"https://assets.kalshi.com/contract_terms/{of.terms}.pdf",
        "contract_url": f"https://assets.kalshi.com/regulatory/product-certifications/{of.terms}.pdf",
        "exchange_index": of.shard,
        "fee_multiplier": 1,
        "fee_type": "quadratic",
        "frequency": of.frequency,
        "last_updated_ts": "2026-09-17T13:14:19.94284Z",
        "settlement_sources": list(of.sources),
        "tags": list(of.tags),
        "ticker": of.ticker,
        "title": of.title,
    }


def event(of: EventFacts) -> Body:
    """An event without its markets."""
    return {
        "category": of.category,
        "collateral_return_type": "MECNET",
        "event_ticker": of.ticker,
        "exchange_index": of.shard,
        "last_updated_ts": "0001-01-01T00:00:00Z",
        "mutually_exclusive": of.mutually_exclusive,
        "product_metadata": dict(of.product_metadata),
        "series_ticker": of.series,
        "settlement_sources": list(of.sources),
        "strike_date": of.strike_date and stamp(of.strike_date),
        "strike_period": "",
        "sub_title": of.sub_title,
        "title": of.title,
    }


def terms(of: Terms) -> Body:
    """The fields that the markets of an event have in common, before any of them is settled."""
    [(structure, ranges)] = of.grid.items()
    expires = stamp(of.expires)
    return {
        "can_close_early": True,
        "close_time": stamp(of.closes),
        "created_time": stamp(of.created),
        **({"early_close_condition": of.early_close} if of.early_close else {}),
        "event_ticker": of.event,
        "exchange_index": of.shard,
        "expected_expiration_time": stamp(of.expected),
        "expiration_time": expires,
        "expiration_value": "",
        "latest_expiration_time": expires,
        "market_type": of.market_type,
        "notional_value_dollars": "1.0000",
        "open_time": stamp(of.opens),
        "previous_price_dollars": "0.0000",
        "previous_yes_ask_dollars": "0.0000",
        "previous_yes_bid_dollars": "0.0000",
        "price_level_structure": structure,
        "price_ranges": [{"end": end, "start": start, "step": step} for start, end, step in ranges],
        "result": "",
        "rules_secondary": of.rules,
        "settlement_bounds_type": "default",
        "settlement_timer_seconds": of.settlement_timer_seconds,
    }


def market(shared: Body, of: Shown) -> Body:
    """A market, its :func:`terms` included; optional nulls are left out, as on the live exchange."""
    return {
        **shared,
        "last_price_dollars": dollars(of.last),
        "no_ask_dollars": dollars(100 - of.bid),
        "no_bid_dollars": dollars(100 - of.ask),
        "no_sub_title": of.yes,
        "open_interest_fp": open_interest(of.volume),
        "rules_primary": of.rules,
        "status": of.status,
        "strike_type": of.strike_type,
        "ticker": of.ticker,
        "title": of.title,
        "updated_time": stamp(of.updated),
        "volume_24h_fp": contracts(of.volume_24h),
        "volume_fp": contracts(of.volume),
        "yes_ask_dollars": dollars(of.ask),
        "yes_ask_size_fp": contracts(of.ask_size),
        "yes_bid_dollars": dollars(of.bid),
        "yes_bid_size_fp": contracts(of.bid_size),
        "yes_sub_title": of.yes,
        **of.more,
    }


def trade(found: Trade) -> Body:
    """A public trade."""
    return {
        "count_fp": contracts(found.size),
        "created_time": stamp_of(found.created),
        "is_block_trade": found.is_block,
        "no_price_dollars": dollars(100 - found.price),
        "taker_book_side": "bid" if found.takes_yes else "ask",
        "taker_outcome_side": "yes" if found.takes_yes else "no",
        "ticker": found.ticker,
        "trade_id": found.id,
        "yes_price_dollars": dollars(found.price),
    }
