"""The sandbox's world: the same bytes each time, recorded data where available, two tiers, a clock, a rate limit."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import requests

from kalshi.exchange.transport import SYNTHETIC
from sandbox.account import Account
from sandbox.app import MARK
from sandbox.payloads import RECORDED
from sandbox.world import Clock, World
from tests.support.exchange_server import ExchangeServer

SMALL = ("--since=2026-06-15", "--requests-per-second=0", "--wide-markets=20")
EVENT = "KXHIGHCHI-26SEP10"
CANDLES = f"/series/KXHIGHCHI/events/{EVENT}/candlesticks?start_ts=1788962400&end_ts=1789000000&period_interval=1"
ROUTES = [
    "/series",
    "/series/KXHIGHCHI",
    "/events?limit=50&with_nested_markets=true",
    f"/events/{EVENT}",
    "/markets?limit=300",
    "/historical/cutoff",
    "/historical/markets?limit=300",
    "/markets/trades?limit=300",
    "/historical/trades?limit=300",
    CANDLES,
    "/exchange/status",
]


def bytes_of(*arguments: str) -> dict[str, bytes]:
    with ExchangeServer(*SMALL, *arguments) as server:
        return {route: server.get(route).content for route in ROUTES}


@pytest.mark.exchange
def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    first, again, other = bytes_of("--seed=5"), bytes_of("--seed=5"), bytes_of("--seed=6")
    assert first == again
    assert {route for route in ROUTES if first[route] != other[route]} >= {
        "/markets?limit=300",
        "/historical/markets?limit=300",
        "/markets/trades?limit=300",
        "/historical/trades?limit=300",
        f"/events/{EVENT}",
        CANDLES,
    }


def recorded(name: str) -> Any:
    return json.loads((RECORDED / name).read_text("utf-8"))


def test_the_recorded_event_and_series_are_served_as_they_were_recorded(exchange_server: ExchangeServer) -> None:
    event = recorded("event_KXHIGHNY-26SEP23.json")
    assert exchange_server.get("/events/KXHIGHNY-26SEP23").json() == event
    assert exchange_server.get("/markets", event_ticker="KXHIGHNY-26SEP23").json()["markets"] == event["markets"]
    market = event["markets"][0]
    assert exchange_server.get(f"/markets/{market['ticker']}").json() == {"market": market}
    assert exchange_server.get("/series/KXHIGHNY").json() == recorded("series_KXHIGHNY_2026-09-23.json")


def test_an_event_has_six_markets_and_every_temperature_wins_just_one(morning: ExchangeServer) -> None:
    markets = morning.get(f"/events/{EVENT}").json()["markets"]
    assert [m["strike_type"] for m in markets] == ["less", *["between"] * 4, "greater"]
    assert "floor_strike" not in markets[0]
    assert "cap_strike" not in markets[-1]
    for degrees in range(-20, 130):
        assert len([m for m in markets if wins(m, degrees)]) == 1


def wins(market: dict[str, Any], degrees: int) -> bool:
    """The contract's rule: both ends of a "between" are included, the open ends are strict."""
    if market["strike_type"] == "between":
        return bool(market["floor_strike"] <= degrees <= market["cap_strike"])
    return bool(degrees < market["cap_strike"] if "cap_strike" in market else degrees > market["floor_strike"])


def test_the_temperature_that_was_measured_decides_a_settled_event(morning: ExchangeServer) -> None:
    markets = morning.get(f"/events/{EVENT}").json()["markets"]
    for market in markets:
        assert market["result"] == ("yes" if wins(market, round(float(market["expiration_value"]))) else "no")
        assert market["settlement_value_dollars"] == ("1.0000" if market["result"] == "yes" else "0.0000")
        assert market["close_time"] < market["settlement_ts"]


def test_an_unsettled_market_has_no_settlement(morning: ExchangeServer) -> None:
    for status in ("unopened", "open", "closed"):
        for market in morning.get("/markets", status=status).json()["markets"]:
            assert not {"settlement_ts", "settlement_value_dollars"} & set(market)
            assert bool(market["result"]) == (market["status"] == "determined")


def tier(server: ExchangeServer, path: str) -> dict[str, dict[str, Any]]:
    """A tier's markets that have settled, by ticker."""
    found: dict[str, dict[str, Any]] = {}
    cursor = ""
    while True:
        body = server.get(path, limit=1000, cursor=cursor).json()
        found |= {m["ticker"]: m for m in body["markets"] if "settlement_ts" in m}
        if not (cursor := body["cursor"]):
            return found


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_tiers_part_at_the_cutoff_and_overlap_by_a_day(morning: ExchangeServer) -> None:
    cutoff = moment(morning.get("/historical/cutoff").json()["market_settled_ts"])
    live, historical = tier(morning, "/markets"), tier(morning, "/historical/markets")
    assert min(moment(m["settlement_ts"]) for m in live.values()) >= cutoff
    latest = max(moment(m["settlement_ts"]) for m in historical.values())
    assert cutoff < latest < cutoff + timedelta(days=1)
    both = set(live) & set(historical)
    assert len(both) == 7 * 6
    assert both == {t for t, m in historical.items() if moment(m["settlement_ts"]) >= cutoff}


def test_an_archived_market_is_found_in_its_own_tier_only(morning: ExchangeServer) -> None:
    cutoff = moment(morning.get("/historical/cutoff").json()["market_settled_ts"])
    historical = tier(morning, "/historical/markets")
    archived = next(t for t, m in historical.items() if moment(m["settlement_ts"]) < cutoff)
    event = archived.rpartition("-")[0]
    assert morning.get(f"/markets/{archived}").status_code == 404
    assert morning.get("/markets", event_ticker=event).json()["markets"] == []
    assert morning.get("/markets", tickers=archived).json()["markets"] == []
    assert morning.get(f"/historical/markets/{archived}").json() == {"market": historical[archived]}
    assert morning.get("/historical/markets", tickers=archived).json()["markets"] == [historical[archived]]
    assert morning.get(f"/events/{event}").json()["markets"] == []
    assert morning.get(f"/events/{event}").json()["event"]["event_ticker"] == event


def test_an_open_market_is_not_in_the_historical_tier(morning: ExchangeServer) -> None:
    open_one = morning.get("/markets", status="open").json()["markets"][0]["ticker"]
    assert morning.get(f"/historical/markets/{open_one}").status_code == 404
    assert morning.get("/historical/markets", tickers=open_one).json()["markets"] == []


@pytest.mark.exchange
def test_the_clock_stands_still_without_a_speed() -> None:
    assert len(set(cutoffs("--speed=0", 3))) == 1
    moving = cutoffs("--speed=5000000", 3)
    assert moving == sorted(moving)
    assert len(set(moving)) == 3


def cutoffs(speed: str, number: int) -> list[str]:
    """What the cutoff was, each time a tenth of a second later; it moves with the day."""
    with ExchangeServer("--since=2026-09-01", "--wide-markets=0", "--requests-per-second=0", speed) as server:
        found = []
        for _ in range(number):
            found.append(server.get("/historical/cutoff").json()["market_settled_ts"])
            time.sleep(0.1)
        return found


@pytest.fixture
def limited() -> Iterator[ExchangeServer]:
    with ExchangeServer("--since=2026-09-01", "--wide-markets=0", "--requests-per-second=5") as server:
        yield server


@pytest.mark.exchange
def test_beyond_the_rate_limit_the_response_is_a_bare_429(limited: ExchangeServer) -> None:
    answers = [limited.get("/exchange/status") for _ in range(40)]
    assert answers[0].status_code == 200
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(answer.json() == {"error": "too many requests"} for answer in refused)
    assert not {"retry-after", "x-ratelimit-limit"} & {name.lower() for name in refused[0].headers}
    assert limited.stats()["refused"] == len(refused)


@pytest.mark.parametrize(
    "faults", [[{"kind": "no such fault"}], {"kind": "slow"}, [{"kind": "slow", "times": "often"}], "{"]
)
def test_a_fault_that_does_not_exist_is_refused_by_name(exchange_server: ExchangeServer, faults: object) -> None:
    answer = requests.put(f"{exchange_server.origin}/sandbox/faults", json=faults, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"


def test_a_fault_strikes_its_path_after_its_skips_and_as_often_as_configured(
    exchange_server: ExchangeServer,
) -> None:
    exchange_server.faults({"kind": "http_500", "path": "/cutoff$", "skip": 1, "times": 2})
    assert exchange_server.get("/exchange/status").status_code == 200
    seen = [exchange_server.get("/historical/cutoff").status_code for _ in range(4)]
    assert seen == [200, 500, 500, 200]


@pytest.fixture(scope="module")
def wall() -> Iterator[ExchangeServer]:
    """A sandbox as ``make demo`` and ``make sandbox`` start it, without a clock of its own."""
    with ExchangeServer("--since=2026-07-01", "--requests-per-second=0", "--wide-markets=0", clock=None) as server:
        yield server


@pytest.mark.exchange
def test_without_a_clock_the_world_ends_now_and_keeps_growing(wall: ExchangeServer) -> None:
    now = datetime.now(UTC)
    markets = wall.get("/markets", series_ticker="KXHIGHNY", limit=100).json()["markets"]
    open_now = [m for m in markets if m["status"] == "active"]
    assert open_now
    assert all(moment(m["open_time"]) <= now < moment(m["close_time"]) for m in open_now)
    before = [m for m in markets if now - timedelta(days=9) < moment(m["close_time"]) < now - timedelta(days=5)]
    assert len(before) == 4 * 6
    assert {m["status"] for m in before} == {"finalized"}
    trades = wall.get("/markets/trades", limit=1000).json()["trades"]
    assert now - timedelta(minutes=15) < max(moment(t["created_time"]) for t in trades) <= datetime.now(UTC)
    first = wall.get("/exchange/status").headers["Date"]
    time.sleep(1.1)
    assert wall.get("/exchange/status").headers["Date"] != first


@pytest.mark.parametrize("path", ["/exchange/status", "/markets?limit=0", "/markets/NOBODY", "/portfolio/balance"])
@pytest.mark.exchange
def test_every_response_says_that_the_data_is_synthetic(wall: ExchangeServer, path: str) -> None:
    assert MARK == SYNTHETIC, "the client looks for what the sandbox says"
    assert wall.get(path).headers[MARK] == "sandbox, seed 1"


@pytest.mark.parametrize(("options", "days"), [((), 90), (("--live-days=7",), 7)])
@pytest.mark.exchange
def test_settled_markets_stay_in_the_live_tier_for_as_long_as_it_is_told(options: tuple[str, ...], days: int) -> None:
    now = "2026-09-22T15:00:00+00:00"
    with ExchangeServer("--since=2026-09-01", "--wide-markets=0", *options, clock=now) as server:
        cutoff = moment(server.get("/historical/cutoff").json()["market_settled_ts"])
    assert cutoff == datetime(2026, 9, 22, tzinfo=UTC) - timedelta(days=days)


def world_at(moment: str) -> World:
    return World(Clock(datetime.fromisoformat(moment)), since=date(2026, 11, 1), wide_markets=0)


def test_a_sandbox_that_is_started_later_has_the_same_past() -> None:
    early, late = world_at("2026-12-10T08:00:00+00:00"), world_at("2027-02-01T23:00:00+00:00")
    past = early.events()
    assert past
    for event in past:
        again = late.event(event.ticker)
        assert again is not None
        assert vars(again) | {"markets": 0} == vars(event) | {"markets": 0}
        assert [vars(m) | {"event": 0} for m in again.markets] == [vars(m) | {"event": 0} for m in event.markets]
    fills = Account(early).fills()
    assert fills
    assert {fill.id for fill in fills} <= {fill.id for fill in Account(late).fills()}


@pytest.mark.parametrize("now", ["2026-09-22T15:00:00+00:00", "2026-12-20T15:00:00+00:00", "2028-03-03T03:00:00+00:00"])
def test_at_any_time_an_odd_event_settled_lately_and_a_book_is_empty(now: str) -> None:
    events = world_at(now).events("KXSANDBOXODD")
    moment = datetime.fromisoformat(now)
    assert [e for e in events if e.book == "empty" and e.opens <= moment < e.closes]
    assert [e for e in events if e.book == "lively" and moment - timedelta(days=32) < e.settles <= moment]
