"""The JSON bodies, as Kalshi's OpenAPI 3.34 shapes them; recorded ones are served verbatim."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sandbox.markets import Event, Market
from sandbox.tape import Trade, at, micros
from sandbox.weather import CITIES, RECORDED_EVENT
from sandbox.world import World

RECORDED = Path(__file__).parent / "recorded"
SOURCES = [{"name": "The Weather Company", "url": "https://weather.com/kalshi"}]
RULES = (
    "Not all weather data is the same. The official and final value used to determine this market is the "
    "maximum temperature as reported by the named source. Preliminary readings may be subject to rounding "
    "and conversion differences from the final reported value; use caution when interpreting them.\n\n"
    "If no data is available at the end of the period, all markets resolve to the last fair price."
)


def stamp(moment: datetime) -> str:
    """RFC 3339 with only as many digits as needed, as the exchange writes it."""
    text = moment.astimezone(UTC).isoformat().replace("+00:00", "")
    return (text.rstrip("0") if "." in text else text) + "Z"


def dollars(cents: int) -> str:
    return f"{cents / 100:.4f}"


def contracts(hundredths: int) -> str:
    return f"{hundredths / 100:.2f}"


def open_interest(volume: int) -> str:
    """The open interest after that volume."""
    return contracts(volume * 3 // 5)


@cache
def _recorded(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((RECORDED / name).read_text(encoding="utf-8"))
    return body


@cache
def recorded_markets() -> dict[str, dict[str, Any]]:
    return {m["ticker"]: m for m in _recorded("event_KXHIGHNY-26SEP23.json")["markets"]}


def series(ticker: str, *, include_volume: bool = False) -> dict[str, Any]:
    """A series; KXHIGHNY as recorded on 2026-09-23."""
    if ticker == "KXHIGHNY":
        body = dict(_recorded("series_KXHIGHNY_2026-09-23.json")["series"])
    else:
        name = next((c.name for c in CITIES if c.series == ticker), "Sandbox City")
        body = {
            "additional_prohibitions": [],
            "categories": ["Climate and Weather"],
            "category": "Climate and Weather",
            "contract_terms_url": "https://assets.kalshi.com/contract_terms/GLOBALTEMPERATURE.pdf",
            "contract_url": "https://assets.kalshi.com/regulatory/product-certifications/GLOBALTEMPERATURE.pdf",
            "exchange_index": 0,
            "fee_multiplier": 1,
            "fee_type": "quadratic",
            "frequency": "daily",
            "last_updated_ts": "2026-09-17T13:14:19.94284Z",
            "settlement_sources": SOURCES,
            "tags": ["Daily temperature"],
            "ticker": ticker,
            "title": f"Highest temperature in {name}",
        }
    return {**body, "volume_fp": "1000000.00"} if include_volume else body


def event(found: Event) -> dict[str, Any]:
    """An event without its markets."""
    if found.ticker == RECORDED_EVENT:
        return dict(_recorded("event_KXHIGHNY-26SEP23.json")["event"])
    return {
        "category": "Climate and Weather",
        "collateral_return_type": "MECNET",
        "event_ticker": found.ticker,
        "exchange_index": 0,
        "last_updated_ts": "0001-01-01T00:00:00Z",
        "mutually_exclusive": found.city in CITIES,
        "product_metadata": {"competition": "High Temperature"},
        "series_ticker": found.city.series,
        "settlement_sources": SOURCES,
        "strike_date": stamp(found.closes),
        "strike_period": "",
        "sub_title": f"On {found.day:%b} {found.day.day}, {found.day.year}",
        "title": f"Highest temperature in {found.city.name} on {found.day:%b} {found.day.day}, {found.day.year}?",
    }


def _wording(market: Market) -> tuple[str, str]:
    if market.strike_type == "less":
        return f"<{market.cap}°", f"{(market.cap or 0) - 1}° or below"
    if market.strike_type == "greater":
        return f">{market.floor}°", f"{(market.floor or 0) + 1}° or above"
    return f"{market.floor}-{market.cap}°", f"{market.floor}° to {market.cap}°"


@lru_cache(1024)
def _shared(event: Event) -> dict[str, Any]:
    """The fields that all markets of an event share at all times."""
    day = f"{event.day:%b} {event.day.day}, {event.day.year}"
    expires = stamp(event.closes + timedelta(days=6, hours=9))
    return {
        "can_close_early": True,
        "close_time": stamp(event.closes),
        "created_time": stamp(event.created),
        "early_close_condition": f"The Last Trading Time will be 11:59 PM local time on {day}.",
        "event_ticker": event.ticker,
        "exchange_index": 0,
        "expected_expiration_time": stamp(event.closes + timedelta(hours=14)),
        "expiration_time": expires,
        "expiration_value": "",
        "latest_expiration_time": expires,
        "market_type": "binary",
        "notional_value_dollars": "1.0000",
        "open_time": stamp(event.opens),
        "previous_price_dollars": "0.0000",
        "previous_yes_ask_dollars": "0.0000",
        "previous_yes_bid_dollars": "0.0000",
        "price_level_structure": "linear_cent",
        "price_ranges": [{"end": "1.0000", "start": "0.0000", "step": "0.0100"}],
        "result": "",
        "rules_secondary": RULES,
        "settlement_bounds_type": "default",
        "settlement_timer_seconds": 300,
    }


def market(found: Market, world: World) -> dict[str, Any]:
    """A market at the world's current time; optional nulls are left out, as on the live exchange."""
    now = world.clock.now()
    status = found.status(now)
    if status == "active" and found.ticker in recorded_markets():
        return dict(recorded_markets()[found.ticker])
    event = found.event
    quote, last, volume, volume_24h = world.tape.snapshot(found, micros(now))
    question, yes = _wording(found)
    day = f"{event.day:%b} {event.day.day}, {event.day.year}"
    body: dict[str, Any] = {
        **_shared(event),
        "last_price_dollars": dollars(last),
        "no_ask_dollars": dollars(100 - quote.bid),
        "no_bid_dollars": dollars(100 - quote.ask),
        "no_sub_title": yes,
        "open_interest_fp": open_interest(volume),
        "rules_primary": f"If the maximum temperature recorded at {event.city.name} ({event.city.station}) for {day} "
        f"is {question}, then the market resolves to Yes.",
        "status": status,
        "strike_type": found.strike_type,
        "ticker": found.ticker,
        "title": f"Will the maximum temperature be {question} on {day}?",
        "updated_time": stamp(found.updated(now)),
        "volume_24h_fp": contracts(volume_24h),
        "volume_fp": contracts(volume),
        "yes_ask_dollars": dollars(quote.ask),
        "yes_ask_size_fp": contracts(quote.ask_size),
        "yes_bid_dollars": dollars(quote.bid),
        "yes_bid_size_fp": contracts(quote.bid_size),
        "yes_sub_title": yes,
    }
    if found.floor is not None:
        body["floor_strike"] = found.floor
    if found.cap is not None:
        body["cap_strike"] = found.cap
    if step := event.step(now):
        verdict = found.verdict(step.high)
        body["result"] = verdict.result
        if verdict.result:
            body["expiration_value"] = f"{step.high:.2f}"
        if status == "finalized" and verdict.dated:
            body["settlement_ts"] = stamp(step.since)
        if status == "finalized" and verdict.value:
            body["settlement_value_dollars"] = verdict.value
    return body


def trade(found: Trade) -> dict[str, Any]:
    """A public trade."""
    return {
        "count_fp": contracts(found.size),
        "created_time": stamp(at(found.created)),
        "is_block_trade": found.is_block,
        "no_price_dollars": dollars(100 - found.price),
        "taker_book_side": "bid" if found.takes_yes else "ask",
        "taker_outcome_side": "yes" if found.takes_yes else "no",
        "ticker": found.ticker,
        "trade_id": found.id,
        "yes_price_dollars": dollars(found.price),
    }
