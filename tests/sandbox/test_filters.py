"""Each filter of the list routes, as the contract describes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.queries import Query
from tests.support.exchange_server import ExchangeServer

NOW = datetime(2026, 9, 22, 11, 25, tzinfo=UTC)
DAY = 86400
SETTLED_EVENT, OPEN_EVENT = "KXHIGHNY-26SEP01", "KXHIGHNY-26SEP22"


def listed(server: ExchangeServer, path: str = "/markets", **params: Any) -> list[dict[str, Any]]:
    answer = server.get(path, **{"limit": 200, **params})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    items: list[dict[str, Any]] = body["markets"] if path.endswith("/markets") else body["events"]
    return items


def refused(server: ExchangeServer, path: str, **params: Any) -> str:
    """The message of a 400, whose body has the shape of the exchange's errors."""
    answer = server.get(path, **params)
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message"}
    assert body["error"]["code"] == "bad_request"
    return str(body["error"]["message"])


def unix(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("unopened", {"initialized"}),
        ("open", {"active"}),
        ("paused", set()),
        ("closed", {"closed", "determined"}),
        ("settled", {"finalized"}),
    ],
)
def test_the_status_filter_uses_other_words_than_the_responses(
    morning: ExchangeServer, asked: str, answered: set[str]
) -> None:
    assert {market["status"] for market in listed(morning, status=asked)} == answered


@pytest.mark.parametrize("status", ["active", "finalized", "bogus", "open,closed", "OPEN"])
@pytest.mark.parametrize("path", ["/markets", "/events"])
def test_another_status_is_a_400(morning: ExchangeServer, path: str, status: str) -> None:
    assert "status" in refused(morning, path, status=status)


@pytest.mark.parametrize("status", ["unopened", "open", "closed", "settled"])
def test_an_event_has_the_status_of_any_of_its_markets(morning: ExchangeServer, status: str) -> None:
    markets = {market["event_ticker"] for market in listed(morning, status=status, limit=1000)}
    events = {event["event_ticker"] for event in listed(morning, "/events", status=status)}
    assert events
    assert events & markets
    assert not events & {m["event_ticker"] for m in listed(morning, limit=1000)} - markets


FAMILIES: dict[str, set[str | None]] = {
    "created": {"unopened", "open", None},
    "close": {"closed", None},
    "settled": {"settled", None},
    "updated": {None},
}


@pytest.mark.parametrize("edge", ["min", "max"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("status", ["unopened", "open", "closed", "settled", None])
def test_each_family_of_times_goes_with_its_own_statuses_only(
    morning: ExchangeServer, edge: str, family: str, status: str | None
) -> None:
    params: dict[str, Any] = {f"{edge}_{family}_ts": int(NOW.timestamp()), "status": status}
    if status in FAMILIES[family]:
        listed(morning, **params)
    else:
        assert family in refused(morning, "/markets", **params)


def test_two_families_of_times_do_not_go_together(morning: ExchangeServer) -> None:
    assert "can't be combined" in refused(morning, "/markets", min_close_ts=1, max_settled_ts=2)


@pytest.mark.parametrize("other", [{"series_ticker": "KXHIGHNY"}, {"event_ticker": OPEN_EVENT}, {"tickers": "A"}])
def test_the_updated_times_only_go_with_a_series_without_combos(morning: ExchangeServer, other: dict[str, str]) -> None:
    assert "mve_filter=exclude" in refused(morning, "/markets", min_updated_ts=1, **other)
    assert listed(morning, min_updated_ts=1, series_ticker="KXHIGHNY", mve_filter="exclude")


@pytest.mark.parametrize(
    ("family", "field"),
    [("created", "created_time"), ("close", "close_time"), ("settled", "settlement_ts"), ("updated", "updated_time")],
)
def test_times_bound_the_list_from_both_sides(morning: ExchangeServer, family: str, field: str) -> None:
    low, high = int(NOW.timestamp()) - 10 * DAY, int(NOW.timestamp()) - 3 * DAY
    everything = {m["ticker"]: m for m in listed(morning, limit=1000, series_ticker="KXHIGHNY")}
    bounds: dict[str, Any] = {f"min_{family}_ts": low, f"max_{family}_ts": high, "mve_filter": "exclude"}
    within = {m["ticker"] for m in listed(morning, series_ticker="KXHIGHNY", **bounds)}
    assert within == {t for t, m in everything.items() if field in m and low <= unix(m[field]) <= high}
    assert 0 < len(within) < len(everything)


@pytest.mark.parametrize("name", ["min_close_ts", "max_close_ts", "limit"])
@pytest.mark.parametrize("value", ["soon", "1.5", "99999999999999999999"])
def test_a_number_that_is_none_is_a_400(morning: ExchangeServer, name: str, value: str) -> None:
    assert name in refused(morning, "/markets", **{name: value})


@pytest.mark.parametrize(
    ("path", "lowest", "highest", "default"),
    [
        ("/markets", 0, 1000, 100),
        ("/historical/markets", 0, 1000, 100),
        ("/markets/trades", 0, 1000, 100),
        ("/historical/trades", 0, 1000, 100),
        ("/events", 1, 200, 200),
    ],
)
def test_a_limit_outside_its_bounds_is_a_400(
    morning: ExchangeServer, path: str, lowest: int, highest: int, default: int
) -> None:
    name = path.rpartition("/")[2]
    for limit, size in ((lowest, lowest or default), (highest, highest), (None, default), (7, 7)):
        assert len(morning.get(path, limit=limit).json()[name]) == size
    for limit in (lowest - 1, highest + 1):
        assert "limit must be between" in refused(morning, path, limit=limit)


@pytest.mark.parametrize("cursor", ["nonsense", "LTU=", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "%", "ü"])
@pytest.mark.parametrize(
    "path", ["/markets", "/events", "/historical/markets", "/markets/trades", "/historical/trades"]
)
def test_a_cursor_that_the_exchange_never_gave_is_a_400(morning: ExchangeServer, path: str, cursor: str) -> None:
    assert refused(morning, path, cursor=cursor) == "invalid cursor"


@given(wanted=st.sets(st.integers(0, 49)), limit=st.integers(1, 60))
def test_no_page_looks_again_at_what_earlier_ones_have_seen(wanted: set[int], limit: int) -> None:
    looked_at: list[int] = []

    def matches(number: int) -> bool:
        looked_at.append(number)
        return number in wanted

    found, cursor, pages = [], "", 0
    while cursor or not pages:
        page, cursor = Query({"cursor": cursor}).page(range(50), matches, limit)
        found += page
        pages += 1
    assert found == sorted(wanted)
    assert len(looked_at) == 50 + pages - 1, "only the first of a page is looked at twice"


def test_one_event_is_found_and_a_comma_list_of_events_is_not(morning: ExchangeServer) -> None:
    assert {m["event_ticker"] for m in listed(morning, event_ticker=OPEN_EVENT)} == {OPEN_EVENT}
    assert listed(morning, event_ticker=f"{OPEN_EVENT},{SETTLED_EVENT}") == []
    assert listed(morning, event_ticker=OPEN_EVENT, series_ticker="KXHIGHCHI") == []


def test_markets_are_found_by_their_tickers(morning: ExchangeServer) -> None:
    some = [market["ticker"] for market in listed(morning, event_ticker=OPEN_EVENT)][:3]
    found = listed(morning, tickers=",".join([*some, "KXNOSUCH-1-T1", some[0]]))
    assert sorted(market["ticker"] for market in found) == sorted(some)
    assert listed(morning, tickers=some[0], series_ticker="KXHIGHCHI") == []
    assert listed(morning, tickers=some[0], event_ticker=SETTLED_EVENT) == []


def test_a_series_lists_its_own_markets_and_events(morning: ExchangeServer) -> None:
    markets = listed(morning, series_ticker="KXHIGHDEN")
    assert {market["event_ticker"].partition("-")[0] for market in markets} == {"KXHIGHDEN"}
    assert {e["series_ticker"] for e in listed(morning, "/events", series_ticker="KXHIGHDEN")} == {"KXHIGHDEN"}
    assert listed(morning, series_ticker="KXNOSUCH") == listed(morning, "/events", series_ticker="KXNOSUCH") == []


def test_there_are_no_combos_so_that_only_combos_is_an_empty_list(morning: ExchangeServer) -> None:
    assert listed(morning, mve_filter="only") == []
    assert listed(morning, mve_filter="a typo")


def test_events_are_found_by_tickers_and_by_closing_time(morning: ExchangeServer) -> None:
    found = listed(morning, "/events", tickers=f"{OPEN_EVENT},{SETTLED_EVENT},KXNOSUCH-1")
    assert {event["event_ticker"] for event in found} == {OPEN_EVENT, SETTLED_EVENT}
    since = int(NOW.timestamp())
    closing = listed(morning, "/events", min_close_ts=since, series_ticker="KXHIGHNY")
    assert {event["event_ticker"] for event in closing} == {OPEN_EVENT, "KXHIGHNY-26SEP23"}


def test_events_are_found_by_their_last_change(morning: ExchangeServer) -> None:
    changed = listed(morning, "/events", min_updated_ts=int(NOW.timestamp()) - 7200, series_ticker="KXHIGHNY")
    assert [event["event_ticker"] for event in changed] == ["KXHIGHNY-26SEP23"]


def test_nested_markets_stand_in_the_event_and_else_beside_it(morning: ExchangeServer) -> None:
    beside = morning.get(f"/events/{OPEN_EVENT}").json()
    within = morning.get(f"/events/{OPEN_EVENT}", with_nested_markets="true").json()
    assert "markets" not in beside["event"]
    assert beside["markets"] == within["event"]["markets"]
    assert len(beside["markets"]) == 6
    [nested] = listed(morning, "/events", tickers=OPEN_EVENT, with_nested_markets="true")
    assert nested["markets"] == beside["markets"]
    assert "markets" not in listed(morning, "/events", tickers=OPEN_EVENT)[0]
    assert "with_nested_markets" in refused(morning, "/events", with_nested_markets="perhaps")


def test_pages_of_any_size_hold_the_same_list(morning: ExchangeServer) -> None:
    whole = [m["ticker"] for m in listed(morning, limit=1000)]
    pages: list[str] = []
    cursor = ""
    while len(pages) < 1000:
        body = morning.get("/markets", limit=250, cursor=cursor).json()
        pages += [m["ticker"] for m in body["markets"]]
        cursor = body["cursor"]
    assert pages == whole


@pytest.mark.parametrize(
    "path", ["/series/KXNOSUCH", "/events/KXNOSUCH-1", "/markets/KXNOSUCH-1-T1", "/historical/markets/KXNOSUCH-1-T1"]
)
def test_what_does_not_exist_is_a_404_with_the_shape_of_the_exchange_s_errors(
    morning: ExchangeServer, path: str
) -> None:
    answer = morning.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert "not found" in answer.json()["error"]["message"]


@pytest.mark.parametrize("both", [("tickers", "event_ticker"), ("event_ticker", "series_ticker")])
def test_the_historical_tier_takes_one_of_its_selectors(morning: ExchangeServer, both: tuple[str, str]) -> None:
    message = refused(morning, "/historical/markets", **dict.fromkeys(both, "KXHIGHNY"))
    assert "mutually exclusive" in message
