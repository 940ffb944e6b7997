"""The JSON bodies, as Kalshi's OpenAPI 3.34 shapes them; recorded ones are served verbatim."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.world import CITIES, RECORDED_EVENT, Event, Market, World

RECORDED = Path(__file__).parent / "recorded"
SOURCES = [{"name": "The Weather Company", "url": "https://weather.com/kalshi"}]
RULES = (
    "Not all weather data is the same. The official and final value used to determine this market is the "
    "maximum temperature as reported by the named source. Preliminary readings may be subject to rounding "
    "and conversion differences from the final reported value; use caution when interpreting them.\n\n"
    "If no data is available at the end of the period, all markets resolve to the last fair price."
)


def stamp(moment: datetime) -> str:
    """RFC 3339 with as many digits as needed, as the exchange writes it."""
    text = moment.astimezone(UTC).isoformat().replace("+00:00", "")
    return (text.rstrip("0") if "." in text else text) + "Z"


def dollars(value: float) -> str:
    return f"{value:.4f}"


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
        "mutually_exclusive": found.city.series != "KXSANDBOXWIDE",
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


def market(found: Market, world: World, *, archived: bool = False) -> dict[str, Any]:
    """A market as it looks at the world's clock; null optionals are left out, as the live exchange does."""
    now = world.clock.now()
    status = found.status(now)
    if status == "active" and found.ticker in recorded_markets():
        return dict(recorded_markets()[found.ticker])
    of = found.event
    seen = min(max(now, of.opens), of.closes)
    dice = random.Random(f"{world.seed}/{found.ticker}")
    bid = ask = 0.0
    volume = 0.0
    if status == "initialized":
        ask = 1.0
    else:
        fair = found.chance(seen)
        bid = max(0.0, round(fair - 0.015, 2))
        ask = min(1.0, round(bid + 0.01 + 0.01 * dice.randrange(4), 2))
        volume = round(dice.uniform(200, 4000) * (seen - of.opens) / (of.closes - of.opens), 2)
    question, yes = _wording(found)
    day = f"{of.day:%b} {of.day.day}, {of.day.year}"
    body: dict[str, Any] = {
        "can_close_early": True,
        "close_time": stamp(of.closes),
        "created_time": stamp(of.created),
        "early_close_condition": f"The Last Trading Time will be 11:59 PM local time on {day}.",
        "event_ticker": of.ticker,
        "exchange_index": 0,
        "expected_expiration_time": stamp(of.closes + timedelta(hours=14)),
        "expiration_time": stamp(of.closes + timedelta(days=6, hours=9)),
        "expiration_value": "",
        "last_price_dollars": dollars(bid),
        "latest_expiration_time": stamp(of.closes + timedelta(days=6, hours=9)),
        "market_type": "binary",
        "no_ask_dollars": dollars(1 - bid),
        "no_bid_dollars": dollars(1 - ask),
        "no_sub_title": yes,
        "notional_value_dollars": "1.0000",
        "open_interest_fp": f"{volume * 0.6:.2f}",
        "open_time": stamp(of.opens),
        "previous_price_dollars": "0.0000",
        "previous_yes_ask_dollars": "0.0000",
        "previous_yes_bid_dollars": "0.0000",
        "price_level_structure": "linear_cent",
        "price_ranges": [{"end": "1.0000", "start": "0.0000", "step": "0.0100"}],
        "result": "",
        "rules_primary": f"If the maximum temperature recorded at {of.city.name} ({of.city.station}) for {day} "
        f"is {question}, then the market resolves to Yes.",
        "rules_secondary": RULES,
        "settlement_bounds_type": "default",
        "settlement_timer_seconds": 300,
        "status": status,
        "strike_type": found.strike_type,
        "ticker": found.ticker,
        "title": f"Will the maximum temperature be {question} on {day}?",
        "updated_time": stamp(of.opens if status == "active" else of.created),
        "volume_24h_fp": "0.00" if archived or status in ("determined", "finalized") else f"{volume:.2f}",
        "volume_fp": f"{volume:.2f}",
        "yes_ask_dollars": dollars(ask),
        "yes_ask_size_fp": f"{dice.uniform(5, 200):.2f}",
        "yes_bid_dollars": dollars(bid),
        "yes_bid_size_fp": f"{dice.uniform(5, 200):.2f}",
        "yes_sub_title": yes,
    }
    if found.floor is not None:
        body["floor_strike"] = found.floor
    if found.cap is not None:
        body["cap_strike"] = found.cap
    if status in ("determined", "finalized"):
        body["result"] = found.result
        body["expiration_value"] = f"{of.high:.2f}"
        body["updated_time"] = stamp(of.settles)
    if status == "finalized":
        body["settlement_ts"] = stamp(of.settles)
        body["settlement_value_dollars"] = "1.0000" if found.result == "yes" else "0.0000"
    return body
