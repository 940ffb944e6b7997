"""The synthetic series in the exchange's lists: every record once, in order, with the filters of the contract."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from sandbox.app import Sandbox
from sandbox.queries import STATUSES, Query, cursor_at
from sandbox.synthetic.kinds import COMBOS, KINDS, ODDITIES
from sandbox.synthetic.part import Synthetic
from sandbox.synthetic.plan import Size, make_plan
from sandbox.world import Clock, World
from tests.sandbox.conftest import WHOLE, WHOLE_SIZE
from tests.sandbox.listing import every, unix
from tests.support.exchange_server import ExchangeServer

NOW = datetime(2026, 9, 22, 11, 25, tzinfo=UTC)
HOUR, DAY = 3600, 86400
SINCE = {"min_close_ts": int(NOW.timestamp()) - 2 * DAY}
"""Filters for a list that isn't too long to be read often."""


def tickers(markets: list[dict[str, Any]]) -> list[str]:
    return [market["ticker"] for market in markets]


@pytest.fixture(scope="module")
def recent(whole: ExchangeServer) -> list[dict[str, Any]]:
    """The markets of all series that close from two days ago on, weather included."""
    return every(whole, "/markets", **SINCE)


@pytest.mark.exchange
def test_the_series_are_listed_beside_the_weather_s_with_categories_of_several_names(whole: ExchangeServer) -> None:
    series = {s["ticker"]: s for s in whole.get("/series").json()["series"]}
    assert {"KXHIGHNY", *(kind.series.format(n) for n, kind in enumerate([*KINDS, *KINDS]))} <= series.keys()
    assert ["Politics", "Elections", "World"] in [s["categories"] for s in series.values()]
    assert len({s["category"] for s in series.values()}) > 6
    for ticker in ("KXOFFICE4", "KXodd.Name_15"):
        assert whole.get(f"/series/{ticker}").json() == {"series": series[ticker]}
    assert whole.get("/series/KXOFFICE5").status_code == 404


@pytest.mark.exchange
@pytest.mark.parametrize("limit", [333, 1000])
def test_all_pages_of_markets_hold_each_market_once(
    whole: ExchangeServer, recent: list[dict[str, Any]], limit: int
) -> None:
    assert every(whole, "/markets", limit, **SINCE) == recent
    assert len(set(tickers(recent))) == len(recent) > 4000
    of = {market["ticker"].partition("-")[0] for market in recent}
    assert len(of) > 2 * len(KINDS), "of the weather series, too"


@pytest.mark.exchange
def test_a_series_lists_its_newest_event_first(recent: list[dict[str, Any]]) -> None:
    opened: dict[str, list[str]] = {}
    for market in recent:
        opened.setdefault(market["ticker"].partition("-")[0], []).append(market["open_time"])
    for times in opened.values():
        assert all(newer >= older for newer, older in pairwise(times))


@pytest.mark.exchange
@pytest.mark.parametrize("status", ["unopened", "open", "closed", "settled"])
def test_a_status_lists_what_has_it_and_nothing_else(
    whole: ExchangeServer, recent: list[dict[str, Any]], status: str
) -> None:
    listed = {m["ticker"]: m for m in every(whole, "/markets", status=status, **settled_lately(status))}
    assert {m["status"] for m in listed.values()} <= set(STATUSES[status])
    expected = {m["ticker"] for m in recent if m["status"] in STATUSES[status]}
    assert expected
    assert {t for t, m in listed.items() if unix(m["close_time"]) >= SINCE["min_close_ts"]} == expected


def settled_lately(status: str) -> dict[str, int]:
    return {"min_settled_ts": SINCE["min_close_ts"]} if status == "settled" else {}


@pytest.mark.exchange
@pytest.mark.parametrize(
    ("family", "field"),
    [("created", "created_time"), ("close", "close_time"), ("settled", "settlement_ts"), ("updated", "updated_time")],
)
def test_times_bound_the_markets_from_both_sides(
    whole: ExchangeServer, recent: list[dict[str, Any]], family: str, field: str
) -> None:
    low, high = int(NOW.timestamp()) - 30 * HOUR, int(NOW.timestamp()) - HOUR
    bounds: dict[str, Any] = {f"min_{family}_ts": low, f"max_{family}_ts": high, "mve_filter": "exclude"}
    listed = every(whole, "/markets", **bounds)
    assert {low <= unix(market[field]) <= high for market in listed} == {True}
    expected = {m["ticker"] for m in recent if field in m and low <= unix(m[field]) <= high}
    assert {t for t in expected if not t.startswith("KXMVE")} <= set(tickers(listed))


@pytest.mark.exchange
def test_combos_are_markets_unless_excluded_and_their_events_have_a_list_of_their_own(
    whole: ExchangeServer, recent: list[dict[str, Any]]
) -> None:
    combos = {m["ticker"] for m in recent if "mve_selected_legs" in m}
    assert 300 < len(combos) < len(recent)
    assert set(tickers(every(whole, "/markets", mve_filter="only", **SINCE))) == combos
    assert set(tickers(every(whole, "/markets", mve_filter="exclude", **SINCE))) == set(tickers(recent)) - combos
    assert tickers(every(whole, "/markets", mve_filter="exlude", **SINCE)) == tickers(recent)
    events = every(whole, "/events", 200, status="open")
    assert not [event for event in events if event["series_ticker"].startswith("KXMVE")]
    name = COMBOS.series.format(KINDS.index(COMBOS))
    for selector in ({"series_ticker": name}, {"collection_ticker": f"{name}-R"}):
        first = whole.get("/events/multivariate", limit=200, **selector).json()["events"]
        assert {event["series_ticker"] for event in first} == {name}
        assert len(first) == 200


@pytest.mark.exchange
@pytest.mark.parametrize("status", ["unopened", "open", "closed", "settled"])
def test_an_event_has_the_status_of_any_of_its_markets(
    whole: ExchangeServer, recent: list[dict[str, Any]], status: str
) -> None:
    with_it = {m["event_ticker"] for m in recent if m["status"] in STATUSES[status] and "mve_selected_legs" not in m}
    listed = every(whole, "/events", 200, status=status, **SINCE)
    assert len({event["event_ticker"] for event in listed}) == len(listed)
    assert with_it
    assert with_it <= {event["event_ticker"] for event in listed}


@pytest.mark.exchange
def test_events_with_their_markets_hold_the_same_ones_on_pages_of_any_size(whole: ExchangeServer) -> None:
    nested = every(whole, "/events", 200, status="open", with_nested_markets="true", **SINCE)
    plain = every(whole, "/events", 200, status="open", **SINCE)
    assert [{k: v for k, v in event.items() if k != "markets"} for event in nested] == plain
    for event in nested:
        assert event["markets"]
        assert {market["event_ticker"] for market in event["markets"]} == {event["event_ticker"]}


@pytest.mark.exchange
def test_the_tape_of_the_whole_exchange_is_in_order_and_holds_each_trade_once(whole: ExchangeServer) -> None:
    since = int(NOW.timestamp()) - 6 * HOUR
    tape = every(whole, "/markets/trades", min_ts=since)
    assert every(whole, "/markets/trades", 271, min_ts=since) == tape
    moments = [datetime.fromisoformat(trade["created_time"]) for trade in tape]
    assert moments == sorted(moments, reverse=True)
    assert len({trade["trade_id"] for trade in tape}) == len(tape) > 4000
    assert NOW - timedelta(minutes=2) < moments[0] <= NOW
    for ticker in {trade["ticker"] for trade in tape[::400]}:
        alone = every(whole, "/markets/trades", 7, ticker=ticker, min_ts=since)
        assert alone == [trade for trade in tape if trade["ticker"] == ticker]
    for word in ("true", "false"):
        its = every(whole, "/markets/trades", min_ts=since, is_block_trade=word)
        assert its == [trade for trade in tape if trade["is_block_trade"] is (word == "true")]


@pytest.mark.exchange
def test_the_tiers_share_the_trades_of_a_day_after_the_cutoff(whole: ExchangeServer) -> None:
    cutoff = unix(whole.get("/historical/cutoff").json()["trades_created_ts"])
    around = {"min_ts": cutoff - 1800, "max_ts": cutoff + 1800}
    live, historical = (every(whole, path, **around) for path in ("/markets/trades", "/historical/trades"))
    assert live
    assert historical[: len(live)] == live
    assert len(historical) > len(live)
    assert whole.get("/historical/trades", min_ts=cutoff + DAY + 1).json()["trades"] == []


@pytest.mark.exchange
@pytest.mark.parametrize("path", ["/markets", "/events", "/events/multivariate", "/historical/markets"])
@pytest.mark.parametrize("place", ["2:0/0/0", "1:x", "1:1/2", "1:99/0/0", "1:0/-1/0", "1:0/1/9999", "0:1"])
def test_a_place_that_no_list_has_is_a_400(whole: ExchangeServer, path: str, place: str) -> None:
    answer = whole.get(path, cursor=cursor_at(place))
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "invalid cursor")


@pytest.mark.exchange
def test_the_same_seed_gives_the_same_bytes_and_another_one_others(whole: ExchangeServer) -> None:
    paths = ["/markets?status=open", "/markets/trades?limit=1000", "/events?series_ticker=KXGAME0", "/series"]

    def digests(server: ExchangeServer) -> list[str]:
        answers = (server.get(path, mve_filter="only").content for path in paths)
        return [hashlib.sha256(answer).hexdigest() for answer in answers]

    for seed, same in ((1, 4), (2, 1)):
        with ExchangeServer(f"--clock={NOW.isoformat()}", *WHOLE, *WHOLE_SIZE, f"--seed={seed}") as other:
            pairs = zip(digests(whole), digests(other), strict=True)
            assert sum(a == b for a, b in pairs) == same, "of the series only the list depends on no seed"


def sandbox_at(moment: datetime) -> Sandbox:
    since = date(2026, 6, 1)
    world = World(Clock(moment), since=since, wide_markets=0)
    return Sandbox(world, Synthetic(make_plan(Size(18, 500, 5000), 1, since), world))


def paged(sandbox: Sandbox, name: str, step: timedelta, **params: str) -> list[dict[str, Any]]:
    """All pages of a list whose exchange's clock moves on by ``step`` from page to page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        lists = [getattr(part, name)(Query(params)) for part in sandbox.parts]
        body = sandbox._list("items", Query({**params, "cursor": cursor}), 100, lists)
        found += body["items"]
        sandbox.world.clock.start += step
        if not (cursor := body["cursor"]):
            return found


@pytest.mark.parametrize("params", [{"min_created_ts": str(int(NOW.timestamp()) - 2 * DAY)}, {"status": "open"}])
def test_a_list_that_is_read_while_time_goes_by_repeats_and_skips_nothing(params: dict[str, str]) -> None:
    before = tickers(paged(sandbox_at(NOW), "live_markets", timedelta(), **params))
    moving = sandbox_at(NOW)
    found = tickers(paged(moving, "live_markets", timedelta(minutes=1), **params))
    assert len(set(found)) == len(found)
    after = tickers(paged(sandbox_at(moving.world.clock.now()), "live_markets", timedelta(), **params))
    synthetic = {t for t in before if t in set(after) and not t.startswith("KXHIGH")}
    assert len(synthetic) > 300
    assert synthetic <= set(found)


def oddities(moment: datetime) -> dict[str, dict[str, Any]]:
    """The odd markets that opened in the last weeks, at that time."""
    opened = str(int((NOW - timedelta(days=14)).timestamp()))
    name = ODDITIES.series.format(KINDS.index(ODDITIES))
    found = paged(sandbox_at(moment), "live_markets", timedelta(), series_ticker=name, min_created_ts=opened)
    return {market["ticker"]: market for market in found}


def test_markets_stop_early_and_some_of_them_trade_again() -> None:
    seen: dict[str, list[tuple[str, str]]] = {}
    for hours in range(0, 7 * 24, 3):
        for ticker, market in oddities(NOW + timedelta(hours=hours)).items():
            seen.setdefault(ticker, []).append((market["status"], market["close_time"]))
    stopped = {t: s for t, s in seen.items() if len({close for _, close in s}) == 2}
    again = [t for t, s in stopped.items() if is_reopened([status for status, _ in s])]
    assert again, "a market was active, closed, and active again"
    assert len(stopped) > len(again) > 0
    for ticker in again:
        states = seen[ticker]
        scheduled = states[0][1] if states[0][0] == "active" else states[-1][1]
        assert {close for status, close in states if status == "active"} == {scheduled}
        assert all(close < scheduled for status, close in states[: last_active(states)] if status == "closed")


def is_reopened(statuses: list[str]) -> bool:
    return any(a == "closed" and b == "active" for a, b in pairwise(statuses))


def last_active(states: list[tuple[str, str]]) -> int:
    return max(number for number, (status, _) in enumerate(states) if status == "active")
