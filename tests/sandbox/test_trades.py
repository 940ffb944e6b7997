"""The trade routes: two tiers of one tape, newest first, in agreement with the markets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.exchange_server import ExchangeServer

NOW = datetime(2026, 9, 22, 11, 25, tzinfo=UTC)
LIVE, HISTORICAL = "/markets/trades", "/historical/trades"
DAY = 86400


def created(trade: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(trade["created_time"])


def listed(server: ExchangeServer, path: str = LIVE, limit: int = 1000, **params: Any) -> list[dict[str, Any]]:
    """Every page of them."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = server.get(path, limit=limit, cursor=cursor, **params)
        assert answer.status_code == 200, answer.text
        found += answer.json()["trades"]
        if not (cursor := answer.json()["cursor"]):
            return found


def unix(moment: datetime) -> int:
    return int(moment.timestamp())


@pytest.fixture(scope="module")
def week(morning: ExchangeServer) -> list[dict[str, Any]]:
    """The whole exchange's trades of the last seven days."""
    return listed(morning, min_ts=unix(NOW) - 7 * DAY)


@pytest.fixture(scope="module")
def cutoff(morning: ExchangeServer) -> datetime:
    return datetime.fromisoformat(morning.get("/historical/cutoff").json()["trades_created_ts"])


def test_the_whole_exchange_s_trades_come_newest_first_and_once(week: list[dict[str, Any]]) -> None:
    assert len({trade["ticker"].partition("-")[0] for trade in week}) == 8, "seven cities and the odd series"
    assert week == sorted(week, key=created, reverse=True)
    assert len({trade["trade_id"] for trade in week}) == len(week) > 5000


def test_nothing_is_newer_than_the_clock(week: list[dict[str, Any]], morning: ExchangeServer) -> None:
    assert NOW - timedelta(minutes=10) < created(week[0]) <= NOW
    assert listed(morning, min_ts=unix(NOW) + 1) == []


def test_both_sides_of_a_price_make_a_dollar(week: list[dict[str, Any]]) -> None:
    for trade in week:
        assert Decimal(trade["yes_price_dollars"]) + Decimal(trade["no_price_dollars"]) == 1
        sides = trade["taker_outcome_side"], trade["taker_book_side"]
        assert sides in {("yes", "bid"), ("no", "ask")}


@pytest.mark.parametrize("limit", [137, 999])
def test_pages_of_any_size_hold_the_same_trades(
    week: list[dict[str, Any]], morning: ExchangeServer, limit: int
) -> None:
    assert listed(morning, limit=limit, min_ts=unix(NOW) - 7 * DAY) == week


@pytest.mark.parametrize(("low", "high"), [(5, 4), (1.3, 1.2), (3, 3)])
def test_times_bound_the_trades_from_both_sides(
    week: list[dict[str, Any]], morning: ExchangeServer, low: float, high: float
) -> None:
    bounds = unix(NOW) - int(low * DAY), unix(NOW) - int(high * DAY)
    within = [trade for trade in week if bounds[0] <= created(trade).timestamp() <= bounds[1]]
    assert listed(morning, min_ts=bounds[0], max_ts=bounds[1]) == within


def test_a_market_s_trades_are_those_of_the_exchange_in_it(week: list[dict[str, Any]], morning: ExchangeServer) -> None:
    for ticker in {trade["ticker"] for trade in week[:200]}:
        alone = listed(morning, ticker=ticker, min_ts=unix(NOW) - 7 * DAY, limit=10)
        assert alone == [trade for trade in week if trade["ticker"] == ticker]


@pytest.mark.parametrize(
    "event", ["KXHIGHNY-26SEP22", "KXHIGHDEN-26SEP21", "KXHIGHCHI-26SEP10", "KXSANDBOXODD-26SEP15"]
)
def test_a_market_s_last_price_and_volume_are_those_of_its_trades(morning: ExchangeServer, event: str) -> None:
    for market in morning.get(f"/events/{event}").json()["markets"]:
        trades = listed(morning, ticker=market["ticker"])
        assert market["last_price_dollars"] == (trades[0]["yes_price_dollars"] if trades else "0.0000")
        assert Decimal(market["volume_fp"]) == sum(Decimal(trade["count_fp"]) for trade in trades)
        recent = [trade for trade in trades if created(trade) > NOW - timedelta(days=1)]
        assert Decimal(market["volume_24h_fp"]) == sum(Decimal(trade["count_fp"]) for trade in recent)
        assert all(market["open_time"] <= trade["created_time"] < market["close_time"] for trade in trades)


def test_some_market_was_never_traded(morning: ExchangeServer) -> None:
    untraded = [m for m in morning.get("/markets", limit=1000).json()["markets"] if m["volume_fp"] == "0.00"]
    assert {m["event_ticker"].partition("-")[0] for m in untraded} > {"KXSANDBOXWIDE", "KXSANDBOXODD"}
    assert {m["last_price_dollars"] for m in untraded} == {"0.0000"}


def test_the_tiers_part_by_the_time_of_the_trade_and_overlap_by_a_day(
    morning: ExchangeServer, cutoff: datetime
) -> None:
    around = {"min_ts": unix(cutoff) - 2 * DAY, "max_ts": unix(cutoff) + 2 * DAY}
    live = {trade["trade_id"]: trade for trade in listed(morning, LIVE, **around)}
    historical = {trade["trade_id"]: trade for trade in listed(morning, HISTORICAL, **around)}
    overlap = cutoff + timedelta(days=1)
    assert {id_ for id_, t in live.items() if created(t) <= overlap} == live.keys() & historical.keys()
    assert {id_ for id_, t in historical.items() if created(t) >= cutoff} == live.keys() & historical.keys()
    assert all(live[id_] == historical[id_] for id_ in live.keys() & historical.keys())
    assert min(map(created, live.values())) >= cutoff
    assert cutoff < max(map(created, historical.values())) <= overlap
    both = [*live.values(), *(t for id_, t in historical.items() if id_ not in live)]
    seconds = {created(trade) for trade in both}
    assert max(b - a for a, b in zip(sorted(seconds), sorted(seconds)[1:], strict=False)) < timedelta(hours=1), "no gap"


def test_a_market_can_have_its_trades_in_both_tiers(morning: ExchangeServer, cutoff: datetime) -> None:
    settled_after_it = f"KXHIGHNY-{cutoff - timedelta(days=1):%y%b%d}".upper()
    for market in morning.get(f"/events/{settled_after_it}").json()["markets"]:
        live = listed(morning, LIVE, ticker=market["ticker"])
        historical = listed(morning, HISTORICAL, ticker=market["ticker"])
        ids = {trade["trade_id"]: Decimal(trade["count_fp"]) for trade in [*live, *historical]}
        assert sum(ids.values()) == Decimal(market["volume_fp"])
        assert any(created(trade) < cutoff for trade in historical) or not historical


def test_block_trades_are_included_unless_the_request_selects_or_excludes_them(
    week: list[dict[str, Any]], morning: ExchangeServer
) -> None:
    since = unix(NOW) - 7 * DAY
    for word, value in (("true", True), ("false", False)):
        assert listed(morning, is_block_trade=word, min_ts=since) == [t for t in week if t["is_block_trade"] is value]
    assert any(trade["is_block_trade"] for trade in week)
    assert any(trade["is_block_trade"] for trade in listed(morning, HISTORICAL, is_block_trade="true"))


@pytest.mark.parametrize("ticker", ["KXNOSUCH-1-T1", "KXHIGHNY-26SEP22", "KXHIGHNY-26SEP23-T65,KXHIGHNY-26SEP23-T72"])
@pytest.mark.parametrize("path", [LIVE, HISTORICAL])
def test_an_unknown_market_has_no_trades(morning: ExchangeServer, path: str, ticker: str) -> None:
    assert morning.get(path, ticker=ticker).json() == {"trades": [], "cursor": ""}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, value) for name in ("min_ts", "max_ts", "limit") for value in ("soon", "1.5", "9" * 20)],
        ("is_block_trade", "perhaps"),
        ("cursor", "NQ=="),
    ],
)
@pytest.mark.parametrize("path", [LIVE, HISTORICAL])
def test_a_wrong_parameter_is_a_400_that_names_it(morning: ExchangeServer, path: str, name: str, value: str) -> None:
    answer = morning.get(path, **{name: value})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "bad_request"
    assert name in answer.json()["error"]["message"]


def test_a_repeated_cursor_repeats_a_page_of_trades(exchange_server: ExchangeServer) -> None:
    exchange_server.faults({"kind": "repeated_cursor", "path": "/trades$", "times": 2})
    first = exchange_server.get(LIVE).json()
    second, third = (exchange_server.get(LIVE, cursor=first["cursor"]).json() for _ in range(2))
    assert first["cursor"] == second["cursor"] != third["cursor"]
    assert second["trades"] == third["trades"] != first["trades"]
