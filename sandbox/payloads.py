"""What the weather series are in the exchange's answers; recorded bodies are served verbatim."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sandbox import bodies
from sandbox.bodies import EventFacts, SeriesFacts, Shown, Terms
from sandbox.markets import Event, Market
from sandbox.tape import micros
from sandbox.weather import CITIES, RECORDED_EVENT
from sandbox.wire import stamp
from sandbox.world import World

RECORDED = Path(__file__).parent / "recorded"
SOURCES = [{"name": "The Weather Company", "url": "https://weather.com/kalshi"}]
CATEGORY = "Climate and Weather"
RULES = (
    "Not all weather data is the same. The official and final value used to determine this market is the "
    "maximum temperature as reported by the named source. Preliminary readings may be subject to rounding "
    "and conversion differences from the final reported value; use caution when interpreting them.\n\n"
    "If no data is available at the end of the period, all markets resolve to the last fair price."
)


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
        body = bodies.series(
            SeriesFacts(
                ticker=ticker,
                title=f"Highest temperature in {name}",
                categories=[CATEGORY],
                tags=["Daily temperature"],
                frequency="daily",
                terms="GLOBALTEMPERATURE",
                sources=SOURCES,
            )
        )
    return {**body, "volume_fp": "1000000.00"} if include_volume else body


def event(found: Event) -> dict[str, Any]:
    """An event without its markets."""
    if found.ticker == RECORDED_EVENT:
        return dict(_recorded("event_KXHIGHNY-26SEP23.json")["event"])
    return bodies.event(
        EventFacts(
            ticker=found.ticker,
            series=found.city.series,
            title=f"Highest temperature in {found.city.name} on {_day(found)}?",
            sub_title=f"On {_day(found)}",
            category=CATEGORY,
            sources=SOURCES,
            mutually_exclusive=found.city in CITIES,
            strike_date=found.closes,
            product_metadata={"competition": "High Temperature"},
        )
    )


def _day(event: Event) -> str:
    return f"{event.day:%b} {event.day.day}, {event.day.year}"


def _wording(market: Market) -> tuple[str, str]:
    if market.strike_type == "less":
        return f"<{market.cap}°", f"{(market.cap or 0) - 1}° or below"
    if market.strike_type == "greater":
        return f">{market.floor}°", f"{(market.floor or 0) + 1}° or above"
    return f"{market.floor}-{market.cap}°", f"{market.floor}° to {market.cap}°"


@lru_cache(1024)
def _shared(event: Event) -> dict[str, Any]:
    """The fields that the markets of an event have in common."""
    return bodies.terms(
        Terms(
            event=event.ticker,
            created=event.created,
            opens=event.opens,
            closes=event.closes,
            expected=event.closes + timedelta(hours=14),
            expires=event.closes + timedelta(days=6, hours=9),
            rules=RULES,
            early_close=f"The Last Trading Time will be 11:59 PM local time on {_day(event)}.",
        )
    )


def market(found: Market, world: World) -> dict[str, Any]:
    """A market at the world's current time; optional nulls are left out, as on the live exchange."""
    now = world.clock.now()
    status = found.status(now)
    if status == "active" and found.ticker in recorded_markets():
        return dict(recorded_markets()[found.ticker])
    event = found.event
    quote, last, volume, volume_24h = world.tape.snapshot(found, micros(now))
    question, yes = _wording(found)
    shown = Shown(
        ticker=found.ticker,
        title=f"Will the maximum temperature be {question} on {_day(event)}?",
        yes=yes,
        rules=f"If the maximum temperature recorded at {event.city.name} ({event.city.station}) for {_day(event)} "
        f"is {question}, then the market resolves to Yes.",
        strike_type=found.strike_type,
        status=status,
        updated=found.updated(now),
        bid=quote.bid,
        ask=quote.ask,
        bid_size=quote.bid_size,
        ask_size=quote.ask_size,
        last=last,
        volume=volume,
        volume_24h=volume_24h,
        more={**_strikes(found), **_settlement(found, status, world)},
    )
    return bodies.market(_shared(event), shown)


def _strikes(found: Market) -> dict[str, int]:
    strikes = {"floor_strike": found.floor, "cap_strike": found.cap}
    return {name: strike for name, strike in strikes.items() if strike is not None}


def _settlement(found: Market, status: str, world: World) -> dict[str, str]:
    """The result once it is determined; time and value once it is final."""
    step = found.event.step(world.clock.now())
    if not step:
        return {}
    verdict = found.verdict(step.high)
    settled = {"result": verdict.result}
    if verdict.result:
        settled["expiration_value"] = f"{step.high:.2f}"
    if status == "finalized" and verdict.dated:
        settled["settlement_ts"] = stamp(step.since)
    if status == "finalized" and verdict.value:
        settled["settlement_value_dollars"] = verdict.value
    return settled
