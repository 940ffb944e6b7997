"""The synthetic series: each kind's volumes, candles, quotes, settlements and tickers agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from itertools import groupby, pairwise
from typing import Any

import pytest

from sandbox.synthetic.kinds import COMBOS, GAMES, INDICES, KINDS, OFFICES, RATES, TICKS, Kind
from tests.sandbox.listing import ends_of, every, unix
from tests.support.exchange_server import ExchangeServer
from tests.support.official_client import OfficialClient

pytestmark = pytest.mark.exchange

NOW = datetime(2026, 9, 22, 11, 25, tzinfo=UTC)
DAY = timedelta(days=1)
KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
SHORT = pytest.mark.parametrize("kind", [k for k in KINDS if k is not OFFICES], ids=lambda kind: kind.name)
"""The kinds of which a test can read every minute."""
SERIES = {kind.name: [kind.series.format(KINDS.index(kind) + n) for n in (0, len(KINDS))] for kind in KINDS}


@cache
def markets(server: ExchangeServer, kind: Kind, status: str) -> list[dict[str, Any]]:
    """Of both series of a kind, the most traded ones first; of the settled ones, those of the last days."""
    since = {"min_settled_ts": int((NOW - 5 * DAY).timestamp())} if status == "settled" and kind is not OFFICES else {}
    found = [m for s in SERIES[kind.name] for m in every(server, "/markets", series_ticker=s, status=status, **since)]
    return sorted(found, key=lambda market: -Decimal(market["volume_fp"]))


def trades_of(server: ExchangeServer, ticker: str) -> list[dict[str, Any]]:
    """A market's trades in both tiers, newest first."""
    tiers = [every(server, path, ticker=ticker) for path in ("/markets/trades", "/historical/trades")]
    once = {trade["trade_id"]: trade for trade in [*tiers[0], *tiers[1]]}
    return sorted(once.values(), key=lambda trade: (created(trade), trade["trade_id"]), reverse=True)


def created(trade: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(trade["created_time"])


def volume(trades: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(trade["count_fp"]) for trade in trades), Decimal())


def candles(server: ExchangeServer, market: dict[str, Any], period: int) -> list[dict[str, Any]]:
    """A market's candles, in as many requests as it takes."""
    event = server.get(f"/events/{market['event_ticker']}").json()["event"]
    path = f"/series/{event['series_ticker']}/markets/{market['ticker']}/candlesticks"
    begin, last = unix(market["open_time"]), unix(market["close_time"]) + 26 * 3600
    found: list[dict[str, Any]] = []
    for start in range(begin, last, 4500 * 60 * period):
        params = {"start_ts": start, "end_ts": start + 4500 * 60 * period - 1, "period_interval": period}
        answer = server.get(path, **params)
        assert answer.status_code == 200, answer.text
        found += answer.json()["candlesticks"]
    return found


@KIND
def test_a_settled_market_s_volume_is_that_of_its_trades_and_of_its_candles(whole: ExchangeServer, kind: Kind) -> None:
    for market in markets(whole, kind, "settled")[:3]:
        trades = trades_of(whole, market["ticker"])
        assert trades
        assert Decimal(market["volume_fp"]) == volume(trades)
        assert market["last_price_dollars"] == trades[0]["yes_price_dollars"]
        opens, closes = (datetime.fromisoformat(market[f"{name}_time"]) for name in ("open", "close"))
        assert all(opens <= created(trade) < closes for trade in trades)
        for period in (60, 1440) if kind is OFFICES else (1, 60, 1440):
            found = candles(whole, market, period)
            assert sum(Decimal(candle["volume_fp"]) for candle in found) == Decimal(market["volume_fp"]), period
            assert found[-1]["open_interest_fp"] == market["open_interest_fp"]


@KIND
def test_an_open_market_has_the_volume_and_the_last_price_of_its_trades(whole: ExchangeServer, kind: Kind) -> None:
    for market in markets(whole, kind, "open")[:2]:
        trades = trades_of(whole, market["ticker"])
        assert Decimal(market["volume_fp"]) == volume(trades)
        assert Decimal(market["volume_24h_fp"]) == volume([t for t in trades if created(t) > NOW - DAY])
        assert market["last_price_dollars"] == (trades[0]["yes_price_dollars"] if trades else "0.0000")


@KIND
def test_the_candle_of_a_minute_is_made_of_its_trades(whole: ExchangeServer, kind: Kind) -> None:
    market = next(m for m in markets(whole, kind, "settled") if Decimal(m["volume_fp"]))
    period = 60 if kind is OFFICES else 1
    by_end = {candle["end_period_ts"]: candle for candle in candles(whole, market, period)}
    oldest_first = trades_of(whole, market["ticker"])[::-1]
    span = 60 * period
    for end, within in groupby(oldest_first, key=lambda t: unix(t["created_time"]) // span * span + span):
        its = list(within)
        prices = [Decimal(trade["yes_price_dollars"]) for trade in its]
        candle = by_end.pop(end)
        assert [Decimal(candle["price"][f"{side}_dollars"]) for side in ("open", "high", "low", "close")] == [
            prices[0], max(prices), min(prices), prices[-1]
        ]  # fmt: skip
        assert Decimal(candle["volume_fp"]) == volume(its)
        mean = sum(p * Decimal(t["count_fp"]) for p, t in zip(prices, its, strict=True)) / volume(its)
        assert candle["price"]["mean_dollars"] == str(mean.quantize(Decimal("0.0001"), ROUND_HALF_UP))
    assert {candle["volume_fp"] for candle in by_end.values()} <= {"0.00"}


@SHORT
def test_trades_are_made_at_the_quotes_of_their_minute(whole: ExchangeServer, kind: Kind) -> None:
    market = next(m for m in markets(whole, kind, "settled") if Decimal(m["volume_fp"]))
    by_end = {candle["end_period_ts"]: candle for candle in candles(whole, market, 1)}
    for trade in trades_of(whole, market["ticker"]):
        candle = by_end[unix(trade["created_time"]) // 60 * 60 + 60]
        side = "yes_ask" if trade["taker_outcome_side"] == "yes" else "yes_bid"
        assert trade["yes_price_dollars"] == candle[side]["close_dollars"]


@KIND
def test_each_candle_opens_where_the_one_before_closed_and_the_last_has_the_market_s_quote(
    whole: ExchangeServer, kind: Kind
) -> None:
    market = markets(whole, kind, "settled")[0]
    found = candles(whole, market, 60 if kind is OFFICES else 1)
    assert (found[0]["yes_bid"]["open_dollars"], found[0]["yes_ask"]["open_dollars"]) == ("0.0000", "1.0000")
    for side in ("yes_bid", "yes_ask"):
        for before, after in pairwise(found):
            assert before[side]["close_dollars"] == after[side]["open_dollars"]
        assert found[-1][side]["close_dollars"] == market[f"{side}_dollars"]


@KIND
def test_the_batch_the_event_and_the_market_have_the_same_candles(whole: ExchangeServer, kind: Kind) -> None:
    market = next(m for m in markets(whole, kind, "settled") if Decimal(m["volume_fp"]))
    event = whole.get(f"/events/{market['event_ticker']}").json()["event"]
    series, ticker = event["series_ticker"], market["ticker"]
    params = {"start_ts": ends_of(market) - 3600, "end_ts": ends_of(market), "period_interval": 1}
    alone = whole.get(f"/series/{series}/markets/{ticker}/candlesticks", **params).json()["candlesticks"]
    [batch] = whole.get("/markets/candlesticks", market_tickers=ticker, **params).json()["markets"]
    assert batch["candlesticks"] == alone
    of_event = whole.get(f"/series/{series}/events/{market['event_ticker']}/candlesticks", **params).json()
    its = of_event["market_candlesticks"][of_event["market_tickers"].index(ticker)]
    assert its == [candle for candle in alone if candle["end_period_ts"] <= of_event["adjusted_end_ts"]]


@SHORT
def test_the_quote_before_a_window_is_carried_into_it(whole: ExchangeServer, kind: Kind) -> None:
    market = next(m for m in markets(whole, kind, "settled") if Decimal(m["volume_fp"]))
    start = ends_of(market) - min(kind.life // 2, 3600)
    window = {"start_ts": start, "end_ts": ends_of(market), "period_interval": 1, "include_latest_before_start": "true"}
    earlier = candles(whole, market, 1)
    [batch] = whole.get("/markets/candlesticks", market_tickers=market["ticker"], **window).json()["markets"]
    before = [candle for candle in earlier if candle["end_period_ts"] < start]
    assert before or kind is TICKS, "which lives for less than a minute"
    if before:
        carried = batch["candlesticks"][0]
        assert carried["yes_bid"]["close_dollars"] == before[-1]["yes_bid"]["close_dollars"]
        assert carried["open_interest_fp"] == before[-1]["open_interest_fp"]
        assert carried["price"]["mean_dollars"] is None


@KIND
def test_prices_lie_on_the_grid_of_their_market(whole: ExchangeServer, kind: Kind) -> None:
    for market in markets(whole, kind, "settled")[:20]:
        prices = [Decimal(market[f"yes_{side}_dollars"]) for side in ("bid", "ask")]
        trades = every(whole, "/markets/trades", ticker=market["ticker"])
        prices += [Decimal(trade["yes_price_dollars"]) for trade in trades]
        for price in prices:
            ranges = [r for r in market["price_ranges"] if Decimal(r["start"]) <= price <= Decimal(r["end"])]
            assert any((price - Decimal(r["start"])) % Decimal(r["step"]) == 0 for r in ranges), (market, price)


def test_some_counts_and_prices_have_fractions(whole: ExchangeServer) -> None:
    trades = whole.get("/markets/trades", limit=1000).json()["trades"]
    assert {True, False} == {trade["count_fp"].endswith(".00") for trade in trades}
    tenths = {trade["yes_price_dollars"][-2:] for trade in trades}
    assert {"00", "10"} <= tenths
    assert any(digits[-1] != "0" for digits in tenths), "hundredths of a cent, at the edges of combos"


@KIND
def test_a_settlement_follows_the_close_and_an_open_market_has_none(whole: ExchangeServer, kind: Kind) -> None:
    for market in markets(whole, kind, "settled"):
        assert market["close_time"] < market["settlement_ts"] <= "2026-09-22T11:25:00Z"
        value = Decimal(market["settlement_value_dollars"])
        expected = {"yes": [Decimal(1)], "no": [Decimal(0)], "scalar": [value]}[market["result"]]
        assert value in expected
        assert (market["result"] == "scalar") == (kind.outcome == "scalar")
        assert market["updated_time"] == market["settlement_ts"]
    for status in ("unopened", "open", "closed"):
        for market in markets(whole, kind, status):
            assert not {"settlement_ts", "settlement_value_dollars"} & set(market)
            assert bool(market["result"]) == (market["status"] == "determined")


def test_one_market_of_an_event_wins_where_they_exclude_each_other(whole: ExchangeServer) -> None:
    for kind in (kind for kind in KINDS if kind.outcome == "winner" and kind.together):
        settled = markets(whole, kind, "settled")
        event = settled[0]["event_ticker"]
        assert [m["result"] for m in settled if m["event_ticker"] == event].count("yes") == 1
        assert whole.get(f"/events/{event}").json()["event"]["mutually_exclusive"] is True


def test_a_combo_wins_if_all_its_legs_do(whole: ExchangeServer) -> None:
    results = {}
    for combo in markets(whole, COMBOS, "settled")[:60]:
        won = []
        for leg in combo["mve_selected_legs"]:
            market = whole.get(f"/markets/{leg['market_ticker']}").json()["market"]
            assert market["event_ticker"] == leg["event_ticker"]
            assert market["status"] == "finalized"
            won.append(market["result"] == leg["side"])
        assert (combo["result"] == "yes") == all(won)
        results[combo["result"]] = combo
    assert set(results) == {"yes", "no"}


def of_prefix(ticker: str) -> str:
    return ticker.partition("-")[0]


def test_tickers_have_all_kinds_of_shapes(whole: ExchangeServer) -> None:
    [rate] = markets(whole, RATES, "open")[:1]
    assert of_prefix(rate["ticker"]) != of_prefix(rate["event_ticker"])
    event = whole.get(f"/events/{rate['event_ticker']}").json()["event"]
    assert event["series_ticker"] not in {of_prefix(rate["ticker"]), of_prefix(rate["event_ticker"])}
    everything = [m["ticker"] for m in every(whole, "/markets", status="open")]
    assert any("." in ticker and "_" in ticker and ticker != ticker.upper() for ticker in everything)
    assert not [t for t in everything if t.startswith("KXOFFICE") and "26" in t.partition("-")[2][:2]]


def test_an_index_has_many_strikes_that_leave_no_gap(whole: ExchangeServer) -> None:
    market = markets(whole, INDICES, "open")[0]
    strikes = whole.get(f"/events/{market['event_ticker']}").json()["markets"]
    assert len(strikes) > 100
    assert (strikes[0]["strike_type"], strikes[-1]["strike_type"]) == ("less", "greater_or_equal")
    assert strikes[1]["floor_strike"] == strikes[0]["cap_strike"]
    for below, above in pairwise(strikes[1:]):
        assert above["floor_strike"] == pytest.approx(below["cap_strike"] + 0.01)


@KIND
def test_a_market_and_its_event_are_found_by_their_tickers(whole: ExchangeServer, kind: Kind) -> None:
    for status in ("open", "settled", "unopened"):
        for market in markets(whole, kind, status)[:3]:
            assert whole.get(f"/markets/{market['ticker']}").json()["market"] == market
            beside = whole.get(f"/events/{market['event_ticker']}").json()["markets"]
            assert market in beside
            assert whole.get("/markets", tickers=market["ticker"]).json()["markets"] == [market]
            assert market in every(whole, "/markets", event_ticker=market["event_ticker"])


@pytest.mark.parametrize(
    "ticker",
    [
        "KXOFFICE4-R99999999-AA", "KXOFFICE4-R1-ZZ", "KXOFFICE4-R1", "KXOFFICE4-R01-AA", "KXGAME0-26SEP99-A",
        "KXGAME0-26SEP220000-AA-x", "KXMVEPARLAY8-S1-00000000000", "KXINDEX3-26SEP222022-B4713.5",
        "KXodd.name_6-r_1.0-x.0_y",
    ],
)  # fmt: skip
def test_a_ticker_that_is_nearly_right_is_not_found(whole: ExchangeServer, ticker: str) -> None:
    assert whole.get(f"/markets/{ticker}").status_code == 404
    assert whole.get("/markets", tickers=ticker).json()["markets"] == []


@KIND
def test_every_answer_fits_the_official_model(
    whole: ExchangeServer, official_client: OfficialClient, kind: Kind
) -> None:
    series = SERIES[kind.name][0]
    events = "/events/multivariate" if kind is COMBOS else "/events"
    for path, params in (
        ("/series", {"include_volume": "true"}),
        ("/markets", {"series_ticker": series, "limit": 200}),
        ("/markets", {"series_ticker": series, "limit": 200, "status": "settled"}),
        ("/historical/markets", {"series_ticker": series, "limit": 200}),
        (events, {"series_ticker": series, "with_nested_markets": "true", "limit": 20}),
    ):
        body = whole.get(path, **params).json()
        assert body[path.rpartition("/")[2].replace("multivariate", "events")]
        official_client.model_of(path).model_validate(body, extra="forbid")


def test_a_whole_page_of_trades_fits_the_official_model(whole: ExchangeServer, official_client: OfficialClient) -> None:
    for path in ("/markets/trades", "/historical/trades"):
        body = whole.get(path, limit=1000).json()
        assert len(body["trades"]) == 1000
        official_client.model_of(path).model_validate(body, extra="forbid")


def test_an_archived_market_is_in_the_historical_tier_with_its_candles(whole: ExchangeServer) -> None:
    old = whole.get("/historical/markets", series_ticker=SERIES[GAMES.name][0], limit=1000).json()["markets"]
    cutoff = whole.get("/historical/cutoff").json()["market_settled_ts"]
    market = max((m for m in old if m["settlement_ts"] < cutoff), key=lambda m: Decimal(m["volume_fp"]))
    assert whole.get(f"/markets/{market['ticker']}").status_code == 404
    assert whole.get(f"/historical/markets/{market['ticker']}").json()["market"] == market
    params = {"start_ts": unix(market["open_time"]), "end_ts": unix(market["close_time"]) + 60, "period_interval": 1}
    found = whole.get(f"/historical/markets/{market['ticker']}/candlesticks", **params).json()["candlesticks"]
    assert sum(Decimal(candle["volume"]) for candle in found) == Decimal(market["volume_fp"])
    assert found[-1]["end_period_ts"] <= ends_of(market)
