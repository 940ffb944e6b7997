"""What happens to a market after its close, as the clock moves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import payloads, queries
from sandbox.markets import Event
from sandbox.queries import STATUSES, Query
from sandbox.weather import CITIES, weather_event
from sandbox.world import Clock, World
from tests.support.exchange_server import ExchangeServer
from tests.support.official_client import OfficialClient

AMENDED, LATE = "KXHIGHMIA-26SEP01", "KXHIGHLAX-26SEP15"
ALL = [weather_event(city, date(2023, 1, 1) + timedelta(days=n), 1) for city in CITIES for n in range(1362)]


def markets(clock: str, **params: str) -> dict[str, dict[str, Any]]:
    """What ``/markets`` lists at that time, by ticker."""
    world = World(Clock(datetime.fromisoformat(clock).replace(tzinfo=UTC)), since=date(2026, 8, 25), wide_markets=0)
    query = Query({"limit": "1000", **params})
    some, _ = query.page(*queries.live_markets(query, world), 1000)
    return {market.ticker: payloads.market(market, world) for market in some}


@pytest.mark.parametrize(
    ("event", "clock", "status", "winner"),
    [
        (AMENDED, "2026-09-02T05:00", "closed", None),
        (AMENDED, "2026-09-02T11:22", "determined", "B83.5"),
        (AMENDED, "2026-09-02T12:00", "finalized", "B83.5"),
        (AMENDED, "2026-09-02T15:00", "disputed", "B83.5"),
        (AMENDED, "2026-09-02T17:00", "amended", "B81.5"),
        (AMENDED, "2026-09-02T18:00", "finalized", "B81.5"),
        (LATE, "2026-09-16T08:00", "closed", None),
        (LATE, "2026-09-18T05:00", "closed", None),
        (LATE, "2026-09-18T06:00", "determined", "B75.5"),
        (LATE, "2026-09-18T12:00", "finalized", "B75.5"),
    ],
)
def test_a_life_goes_on_after_the_close(
    official_client: OfficialClient, event: str, clock: str, status: str, winner: str | None
) -> None:
    found = markets(clock, event_ticker=event)
    assert {market["status"] for market in found.values()} == {status}
    results = {ticker.rpartition("-")[2]: market["result"] for ticker, market in found.items()}
    assert results == {suffix: ("yes" if suffix == winner else "no") if winner else "" for suffix in results}
    settled = {"settlement_ts", "settlement_value_dollars"}
    assert {bool(settled <= set(market)) for market in found.values()} == {status == "finalized"}
    official_client.model_of("/markets").model_validate({"markets": [*found.values()], "cursor": ""}, extra="forbid")
    word = next(word for word, statuses in STATUSES.items() if status in statuses)
    assert found.keys() <= markets(clock, status=word).keys()


def test_an_amended_settlement_has_a_later_time_and_the_filter_sees_it() -> None:
    def settled_between(low: str, high: str, clock: str) -> set[str]:
        seconds = [str(int(datetime.fromisoformat(f"2026-09-02T{t}+00:00").timestamp())) for t in (low, high)]
        found = markets(f"2026-09-02T{clock}", min_settled_ts=seconds[0], max_settled_ts=seconds[1])
        return {market["event_ticker"] for market in found.values()}

    assert AMENDED in settled_between("11:00", "13:00", clock="13:00")
    assert AMENDED not in settled_between("11:00", "17:00", clock="17:00"), "it is not settled meanwhile"
    assert AMENDED not in settled_between("11:00", "13:00", clock="18:00")
    assert AMENDED in settled_between("17:00", "18:00", clock="18:00")


def test_a_change_of_life_is_an_update() -> None:
    found = markets("2026-09-02T17:00", event_ticker=AMENDED)
    assert {market["updated_time"] for market in found.values()} == {"2026-09-02T16:25:11.975741Z"}
    noon = str(int(datetime(2026, 9, 2, 12, tzinfo=UTC).timestamp()))
    updated = markets("2026-09-02T17:00", min_updated_ts=noon, mve_filter="exclude")
    assert found.keys() <= updated.keys()


def is_late(event: Event) -> bool:
    return event.settles - event.closes > timedelta(hours=20)


def is_amended(event: Event) -> bool:
    return len(event.life) > 2


def test_few_events_are_late_and_fewer_are_amended() -> None:
    assert 0.01 < len([event for event in ALL if is_late(event)]) / len(ALL) < 0.03
    assert 0.005 < len([event for event in ALL if is_amended(event)]) / len(ALL) < 0.02


def test_late_is_one_to_four_days() -> None:
    for event in filter(is_late, ALL):
        assert timedelta(days=1) <= event.settles - event.closes <= timedelta(days=4)


def test_an_amendment_moves_the_result_to_the_bracket_beside_it() -> None:
    for event in filter(is_amended, ALL):
        assert [step.status for step in event.life] == ["determined", "finalized", "disputed", "amended", "finalized"]
        first, last = winner(event, event.life[0].high), winner(event, event.life[-1].high)
        assert abs(first - last) == 1
        assert event.life[-1].high == event.high


def winner(event: Event, high: int) -> int:
    [won] = [number for number, market in enumerate(event.markets) if market.verdict(high).result == "yes"]
    return won


@given(seed=st.integers(0, 10_000))
def test_the_recorded_event_is_settled_on_time_whatever_the_seed(seed: int) -> None:
    recorded = weather_event(CITIES[1], date(2026, 9, 23), seed)
    assert recorded.ticker == "KXHIGHNY-26SEP23"
    assert not is_late(recorded)
    assert not is_amended(recorded)


def test_the_last_days_before_the_clock_are_settled_on_time() -> None:
    recent = [event for event in ALL if date(2026, 9, 18) < event.day < date(2026, 9, 23)]
    assert len(recent) == 4 * 7
    assert not [event.ticker for event in recent if is_late(event) or is_amended(event)]


def odd(server: ExchangeServer, name: str) -> dict[str, Any]:
    [market] = [
        m for m in server.get("/markets", series_ticker="KXSANDBOXODD").json()["markets"] if name in m["ticker"]
    ]
    return dict(market)


def test_a_scalar_result_has_a_value_between_no_and_yes(morning: ExchangeServer) -> None:
    market = odd(morning, "SCALAR")
    assert (market["status"], market["result"], market["settlement_value_dollars"]) == ("finalized", "scalar", "0.3700")


def test_a_voided_market_is_settled_without_result_or_value(morning: ExchangeServer) -> None:
    market = odd(morning, "VOID")
    assert (market["status"], market["result"], market["expiration_value"]) == ("finalized", "", "")
    assert "settlement_ts" in market
    assert "settlement_value_dollars" not in market


def test_a_settled_market_can_lack_the_time_of_its_settlement(morning: ExchangeServer) -> None:
    market = odd(morning, "UNDATED")
    assert (market["status"], market["result"], market["settlement_value_dollars"]) == ("finalized", "yes", "1.0000")
    assert "settlement_ts" not in market


def test_an_open_market_can_have_an_empty_book(morning: ExchangeServer) -> None:
    market = odd(morning, "EMPTY")
    assert (market["status"], market["yes_bid_dollars"], market["yes_ask_dollars"]) == ("active", "0.0000", "1.0000")
    assert (market["yes_bid_size_fp"], market["yes_ask_size_fp"], market["volume_fp"]) == ("0.00", "0.00", "0.00")
