"""The candle routes: limits, errors, tiers, pages, and agreement with the markets and their trades."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any

import pytest

from tests.support.exchange_server import ExchangeServer

NOW = int(datetime(2026, 9, 22, 11, 25, tzinfo=UTC).timestamp())
EVENTS = ["KXHIGHNY-26SEP21", "KXHIGHLAX-26SEP10", "KXHIGHMIA-26SEP22", "KXSANDBOXODD-26SEP15"]
CLOSED_EVENT, ARCHIVED_EVENT = EVENTS[0], "KXHIGHDEN-26MAY10"
MARKET, ARCHIVED = f"{CLOSED_EVENT}-B", f"{ARCHIVED_EVENT}-B"
DAY = 86400
SIDES = ("open", "high", "low", "close")


def unix(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def markets_of(server: ExchangeServer, event: str, tier: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get(f"{tier}/markets", event_ticker=event).json()["markets"]
    return found


def path_of(ticker: str) -> str:
    return f"/series/{ticker.partition('-')[0]}/markets/{ticker}/candlesticks"


def event_path(event: str) -> str:
    return f"/series/{event.partition('-')[0]}/events/{event}/candlesticks"


def archived_path(ticker: str) -> str:
    return f"/historical/markets/{ticker}/candlesticks"


def window(start: int, end: int, period: int = 1, **others: Any) -> dict[str, Any]:
    return {"start_ts": start, "end_ts": end, "period_interval": period, **others}


def life(market: dict[str, Any], period: int = 1) -> dict[str, Any]:
    """The window in which a market has all its candles."""
    return window(unix(market["open_time"]), unix(market["close_time"]) + (DAY if period > 60 else 0), period)


def answered(server: ExchangeServer, path: str, **params: Any) -> Any:
    answer = server.get(path, **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(server: ExchangeServer, path: str, **params: Any) -> dict[str, str]:
    answer = server.get(path, **params)
    assert answer.status_code == 400, answer.text
    error: dict[str, str] = answer.json()["error"]
    assert error["code"] == "bad_request"
    return error


@pytest.fixture(scope="module")
def closed(morning: ExchangeServer) -> list[dict[str, Any]]:
    """The markets of an event that closed a few hours ago."""
    return markets_of(morning, CLOSED_EVENT)


@pytest.fixture(scope="module")
def archived(morning: ExchangeServer) -> list[dict[str, Any]]:
    """The markets of an event that is in the historical tier alone."""
    return markets_of(morning, ARCHIVED_EVENT, "/historical")


@pytest.fixture(scope="module")
def dense() -> Iterator[ExchangeServer]:
    with ExchangeServer(
        "--dense-candles", "--since=2026-09-15", "--requests-per-second=0", "--wide-markets=300"
    ) as server:
        yield server


def trades_of(server: ExchangeServer, ticker: str) -> list[dict[str, Any]]:
    """All of them in both tiers, oldest first."""
    found = {
        trade["trade_id"]: trade
        for path in ("/markets/trades", "/historical/trades")
        for trade in answered(server, path, ticker=ticker, limit=1000)["trades"]
    }
    return sorted(found.values(), key=lambda trade: str(trade["created_time"]))


def price_and_volume(trades: list[dict[str, Any]]) -> tuple[dict[str, str], str]:
    """What a candle says of its trades, but for ``previous``."""
    prices, counts = ([Decimal(trade[name]) for trade in trades] for name in ("yes_price_dollars", "count_fp"))
    low, high = min(prices), max(prices)
    mean = sum((price * count for price, count in zip(prices, counts, strict=True)), Decimal(0)) / sum(counts)
    price = {"open": prices[0], "low": low, "high": high, "close": prices[-1], "min": low, "max": high, "mean": mean}
    rounded = {name: str(value.quantize(Decimal("0.0001"), ROUND_HALF_UP)) for name, value in price.items()}
    return rounded, str(sum(counts))


@pytest.mark.parametrize("event", EVENTS)
def test_the_candles_of_whole_markets_are_those_of_their_trades(morning: ExchangeServer, event: str) -> None:
    for market in markets_of(morning, event):
        trades = trades_of(morning, market["ticker"])
        minutes = groupby(trades, key=lambda trade: unix(trade["created_time"]) // 60 * 60 + 60)
        expected = {end: price_and_volume(list(some)) for end, some in minutes}
        candles = answered(morning, path_of(market["ticker"]), **life(market))["candlesticks"]
        previous = None
        for candle in candles:
            assert candle["price"].pop("previous_dollars", None) == previous
            previous = candle["price"].get("close_dollars", previous)
        traded = {
            c["end_period_ts"]: ({n.removesuffix("_dollars"): v for n, v in c["price"].items()}, c["volume_fp"])
            for c in candles
            if c["volume_fp"] != "0.00"
        }
        assert traded == expected
        assert all(c["price"] == {} for c in candles if c["volume_fp"] == "0.00")
        assert sum(Decimal(c["volume_fp"]) for c in candles) == Decimal(market["volume_fp"])


@pytest.mark.parametrize("period", [1, 60, 1440])
@pytest.mark.parametrize("event", EVENTS[:2])
def test_the_last_candle_of_a_closed_market_says_what_the_market_says(
    morning: ExchangeServer, event: str, period: int
) -> None:
    for market in markets_of(morning, event):
        candles = answered(morning, path_of(market["ticker"]), **life(market, period))["candlesticks"]
        if period > 60 and candles[-1]["end_period_ts"] < unix(market["close_time"]):
            assert unix(market["close_time"]) > NOW - DAY, "its last day isn't over yet"
            continue
        assert candles[-1]["open_interest_fp"] == market["open_interest_fp"]
        assert sum(Decimal(c["volume_fp"]) for c in candles) == Decimal(market["volume_fp"])
        for side in ("yes_bid", "yes_ask"):
            assert candles[-1][side]["close_dollars"] == market[f"{side}_dollars"]
        last = candles[-1]["price"]
        said = last.get("close_dollars") or last.get("previous_dollars") or "0.0000"
        assert said == market["last_price_dollars"]


def test_the_candles_of_an_open_market_end_at_the_clock(dense: ExchangeServer) -> None:
    now = unix("2026-09-22T15:00:00Z")
    for market in markets_of(dense, "KXHIGHNY-26SEP22"):
        candles = answered(dense, path_of(market["ticker"]), **life(market))["candlesticks"]
        assert candles[-1]["end_period_ts"] == now


def test_dense_candles_are_every_minute_of_a_market_s_life(dense: ExchangeServer) -> None:
    for market in markets_of(dense, "KXHIGHCHI-26SEP20"):
        asked = life(market)
        found = [c["end_period_ts"] for c in answered(dense, path_of(market["ticker"]), **asked)["candlesticks"]]
        assert found == list(range(asked["start_ts"] + 60, asked["end_ts"] + 1, 60))


def test_without_them_minutes_are_missing_and_the_first_is_not(
    morning: ExchangeServer, closed: list[dict[str, Any]]
) -> None:
    for market in closed:
        asked = life(market)
        found = [c["end_period_ts"] for c in answered(morning, path_of(market["ticker"]), **asked)["candlesticks"]]
        assert found[0] == asked["start_ts"] + 60
        assert 0.05 < len(found) / ((asked["end_ts"] - asked["start_ts"]) / 60) < 0.6


def test_both_ends_of_the_window_are_in_it(dense: ExchangeServer) -> None:
    [market, *_] = markets_of(dense, "KXHIGHCHI-26SEP20")
    start = unix(market["open_time"]) + 3600
    for low, high, number in ((0, 600, 11), (1, 600, 10), (0, 599, 10), (1, 59, 0), (60, 60, 1)):
        asked = window(start + low, start + high)
        assert len(answered(dense, path_of(market["ticker"]), **asked)["candlesticks"]) == number


def test_the_batch_and_the_event_have_the_same_candles_as_each_market_alone(
    morning: ExchangeServer, closed: list[dict[str, Any]]
) -> None:
    for period, hours in ((1, 12), (60, 48), (1440, 72)):
        start = unix(closed[0]["open_time"])
        asked = window(start, start + hours * 3600, period)
        alone = {m["ticker"]: answered(morning, path_of(m["ticker"]), **asked)["candlesticks"] for m in closed}
        batch = answered(morning, "/markets/candlesticks", market_tickers=",".join(alone), **asked)["markets"]
        assert {found["market_ticker"]: found["candlesticks"] for found in batch} == alone
        event = answered(morning, event_path(CLOSED_EVENT), **asked)
        assert dict(zip(event["market_tickers"], event["market_candlesticks"], strict=True)) == alone
        assert event["adjusted_end_ts"] == asked["end_ts"]


def test_the_historical_tier_has_the_same_numbers_under_its_own_names(morning: ExchangeServer) -> None:
    cutoff = unix(answered(morning, "/historical/cutoff")["market_settled_ts"])
    newest = answered(morning, "/historical/markets", limit=100)["markets"]
    both = [market for market in newest if unix(market["settlement_ts"]) >= cutoff]
    assert both, "around the cutoff both tiers have a market"
    for market in both[:12]:
        live = answered(morning, path_of(market["ticker"]), **life(market))
        old = answered(morning, archived_path(market["ticker"]), **life(market))
        assert old["ticker"] == live["ticker"] == market["ticker"]
        assert [as_archived(candle) for candle in live["candlesticks"]] == old["candlesticks"]


def as_archived(candle: dict[str, Any]) -> dict[str, Any]:
    """No suffixes, every price with a value or null, and neither min nor max."""
    return {
        "end_period_ts": candle["end_period_ts"],
        "volume": candle["volume_fp"],
        "open_interest": candle["open_interest_fp"],
        "price": {name: candle["price"].get(f"{name}_dollars") for name in (*SIDES, "mean", "previous")},
        **{side: {name: candle[side][f"{name}_dollars"] for name in SIDES} for side in ("yes_bid", "yes_ask")},
    }


def test_an_archived_market_has_candles_in_its_own_tier_only(
    morning: ExchangeServer, archived: list[dict[str, Any]]
) -> None:
    for market in archived:
        ticker = market["ticker"]
        assert answered(morning, archived_path(ticker), **life(market))["candlesticks"]
        assert morning.get(path_of(ticker), **life(market)).status_code == 404
        assert answered(morning, "/markets/candlesticks", market_tickers=ticker, **life(market)) == {"markets": []}
    nothing = {"market_tickers": [], "market_candlesticks": [], "adjusted_end_ts": life(archived[0])["end_ts"]}
    assert answered(morning, event_path(ARCHIVED_EVENT), **life(archived[0])) == nothing


def test_an_unknown_market_is_a_404_and_left_out_of_a_batch(
    morning: ExchangeServer, closed: list[dict[str, Any]]
) -> None:
    ticker, asked = closed[0]["ticker"], window(NOW - 60, NOW)
    for path in (
        path_of("KXHIGHNY-26SEP21-T1"),
        path_of(ticker).replace("/series/KXHIGHNY/", "/series/KXHIGHCHI/"),
        event_path("KXHIGHNY-1"),
        event_path(CLOSED_EVENT).replace("/series/KXHIGHNY/", "/series/KXHIGHCHI/"),
        archived_path("KXHIGHNY-26SEP21-T1"),
        archived_path(ticker),
    ):
        answer = morning.get(path, **asked)
        assert answer.status_code == 404, path
        assert answer.json()["error"]["code"] == "not_found"
    batch = answered(morning, "/markets/candlesticks", market_tickers=f"KXNOSUCH-1-T1,{ticker}", **asked)["markets"]
    assert batch == [{"market_ticker": ticker, "candlesticks": []}]


@pytest.mark.parametrize(("period", "seconds"), [(1, 60), (60, 3600)])
def test_a_market_request_for_more_than_5000_periods_is_refused_whatever_there_is_of_them(
    morning: ExchangeServer, closed: list[dict[str, Any]], archived: list[dict[str, Any]], period: int, seconds: int
) -> None:
    for path in (path_of(closed[0]["ticker"]), archived_path(archived[0]["ticker"])):
        answered(morning, path, **window(NOW - 5000 * seconds, NOW, period))
        error = refused(morning, path, **window(NOW - 5001 * seconds, NOW, period))
        assert error["details"] == "requested time range with candlesticks: 5001.000000, max candlesticks: 5000"


def test_a_batch_takes_100_tickers_and_10000_periods_of_them_all(dense: ExchangeServer) -> None:
    markets = answered(dense, "/markets", series_ticker="KXSANDBOXWIDE", limit=101)["markets"]
    tickers = [market["ticker"] for market in markets]
    now = unix("2026-09-22T15:00:00Z")

    def asked(number: int, minutes: int) -> dict[str, Any]:
        return window(now - minutes * 60 + 1, now + 1, market_tickers=",".join(tickers[:number]))

    for number, minutes in ((100, 100), (10, 1000), (4, 2500), (1, 10_000)):
        found = answered(dense, "/markets/candlesticks", **asked(number, minutes))["markets"]
        assert [len(market["candlesticks"]) for market in found] == [minutes] * number
    for number, minutes, total in ((100, 101, 10_100), (7, 1440, 10_080), (1, 10_001, 10_001)):
        error = refused(dense, "/markets/candlesticks", **asked(number, minutes))
        said = f"requested candlesticks across all markets: {total}, max candlesticks: 10000"
        assert error["details"] == said
    assert "market_tickers" in refused(dense, "/markets/candlesticks", **asked(101, 10))["message"]
    assert "market_tickers" in refused(dense, "/markets/candlesticks", **window(now - 60, now))["message"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, value) for name in ("start_ts", "end_ts") for value in (None, "soon", "1.5", "9" * 20)],
        *[("period_interval", value) for value in (None, 0, 5, 15, 1441, "day", -1)],
        ("start_ts", NOW + 1),
    ],
)
def test_a_wrong_or_missing_parameter_is_a_400_that_names_it(
    morning: ExchangeServer,
    closed: list[dict[str, Any]],
    archived: list[dict[str, Any]],
    name: str,
    value: object,
) -> None:
    asked = {**window(NOW - 60, NOW, market_tickers=closed[0]["ticker"]), name: value}
    for path in (
        path_of(closed[0]["ticker"]),
        event_path(CLOSED_EVENT),
        "/markets/candlesticks",
        archived_path(archived[0]["ticker"]),
    ):
        assert name in refused(morning, path, **asked)["message"]


def test_include_latest_before_start_must_be_true_or_false(
    morning: ExchangeServer, closed: list[dict[str, Any]]
) -> None:
    asked = window(NOW - 60, NOW, include_latest_before_start="perhaps")
    assert "include_latest_before_start" in refused(morning, path_of(closed[0]["ticker"]), **asked)["message"]


@pytest.mark.parametrize("period", [1, 60, 1440])
def test_the_latest_candle_before_the_start_comes_along_as_a_synthetic_one(
    morning: ExchangeServer, closed: list[dict[str, Any]], period: int
) -> None:
    for market in closed:
        path, whole = path_of(market["ticker"]), life(market, period)
        candles = answered(morning, path, **whole)["candlesticks"]
        start = candles[len(candles) // 2]["end_period_ts"] + 1
        latest = [candle for candle in candles if candle["end_period_ts"] < start][-1]
        asked = {**whole, "start_ts": start}
        plain = answered(morning, path, **asked)["candlesticks"]
        with_it = answered(morning, path, **asked, include_latest_before_start="true")["candlesticks"]
        if period > 60 and not plain:
            continue  # its last day isn't over yet
        [synthetic] = with_it[:1]
        assert with_it[1:] == plain
        assert start < synthetic["end_period_ts"] <= start + period * 60
        last = latest["price"].get("close_dollars") or latest["price"].get("previous_dollars")
        assert synthetic["price"] == {**{f"{n}_dollars": None for n in (*SIDES, "mean")}, "previous_dollars": last}
        assert synthetic["volume_fp"] == "0.00"
        assert synthetic["open_interest_fp"] == latest["open_interest_fp"]
        for side in ("yes_bid", "yes_ask"):
            assert set(synthetic[side].values()) == {latest[side]["close_dollars"]}
        batch = {**asked, "market_tickers": market["ticker"], "include_latest_before_start": "true"}
        assert answered(morning, "/markets/candlesticks", **batch)["markets"][0]["candlesticks"] == with_it


def test_before_its_first_candle_a_market_has_no_latest_one(
    morning: ExchangeServer, closed: list[dict[str, Any]]
) -> None:
    for market in closed:
        plain = answered(morning, path_of(market["ticker"]), **life(market))
        asked = {**life(market), "include_latest_before_start": "true"}
        assert answered(morning, path_of(market["ticker"]), **asked) == plain


@pytest.mark.parametrize(("event", "period"), [("KXHIGHCHI-26SEP20", 1), ("KXSANDBOXWIDE-99DEC31", 60)])
def test_an_event_s_candles_are_truncated_and_resume_where_they_end(
    dense: ExchangeServer, event: str, period: int
) -> None:
    markets = answered(dense, "/markets", event_ticker=event, limit=1000)["markets"]
    end = unix("2026-09-22T15:00:00Z")
    start = max(unix(markets[0]["open_time"]), end - 3 * DAY)
    path, pages = event_path(event), 0
    found: dict[str, dict[int, Any]] = {market["ticker"]: {} for market in markets}
    while True:
        body = answered(dense, path, **window(start, end, period))
        pages += 1
        assert sum(map(len, body["market_candlesticks"])) <= 5000
        for ticker, candles in zip(body["market_tickers"], body["market_candlesticks"], strict=True):
            found[ticker] |= {candle["end_period_ts"]: candle for candle in candles}
        if body["adjusted_end_ts"] == end:
            break
        assert start < body["adjusted_end_ts"] < end, "progress"
        start = body["adjusted_end_ts"]
    assert pages > 2
    for market in markets[:: len(markets) // 6]:
        asked = window(max(unix(market["open_time"]), end - 3 * DAY), end, period)
        alone = answered(dense, path_of(market["ticker"]), **asked)["candlesticks"]
        assert list(found[market["ticker"]].values()) == alone


@pytest.mark.parametrize("kind", ["http_429", "http_500", "http_502", "truncated_json", "dropped_connection", "slow"])
def test_faults_of_other_routes_strike_candle_routes_too(exchange_server: ExchangeServer, kind: str) -> None:
    [market, *_] = markets_of(exchange_server, CLOSED_EVENT)
    path = path_of(market["ticker"])
    plain = answered(exchange_server, path, **life(market))
    exchange_server.faults({"kind": kind, "path": "/candlesticks$", "value": 0.01})
    try:
        body = exchange_server.get(path, **life(market)).json()
    except OSError:  # of requests: the connection broke off, or it wasn't JSON
        body = None
    assert (body == plain) == (kind == "slow")
    assert answered(exchange_server, path, **life(market)) == plain


@pytest.mark.parametrize("kind", ["malformed_market", "integer_cents", "repeated_cursor"])
def test_a_fault_of_markets_leaves_candles_alone(exchange_server: ExchangeServer, kind: str) -> None:
    [market, *_] = markets_of(exchange_server, CLOSED_EVENT)
    asked = {**life(market), "market_tickers": market["ticker"]}
    plain = answered(exchange_server, "/markets/candlesticks", **asked)
    exchange_server.faults({"kind": kind})
    assert answered(exchange_server, "/markets/candlesticks", **asked) == plain


def test_an_integer_cents_candle_has_the_shape_of_the_old_api(exchange_server: ExchangeServer) -> None:
    [market, *_] = markets_of(exchange_server, CLOSED_EVENT)
    asked = {**life(market), "market_tickers": market["ticker"]}
    plain = answered(exchange_server, path_of(market["ticker"]), **asked)["candlesticks"]
    for path in (path_of(market["ticker"]), "/markets/candlesticks", event_path(CLOSED_EVENT)):
        exchange_server.faults({"kind": "integer_cents_candle"})
        body = answered(exchange_server, path, **asked)
        [candles, *_] = body.get("market_candlesticks") or [body.get("markets", [body])[0]["candlesticks"]]
        old, untouched = candles[0], candles[1:]
        assert untouched == plain[1 : len(candles)]
        assert set(old) == {"end_period_ts", "open_interest", "price", "volume", "yes_ask", "yes_bid"}
        assert old["yes_bid"] == {n: round(100 * float(plain[0]["yes_bid"][f"{n}_dollars"])) for n in SIDES}
        assert isinstance(old["volume"], int)
