"""The faults that make an exchange's answers disagree with its own volume."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.support.exchange_server import ExchangeServer

SERIES = "KXHIGHNY"
EVENT = f"{SERIES}-26SEP20"


@pytest.fixture
def server(morning: ExchangeServer) -> Iterator[ExchangeServer]:
    yield morning
    morning.reset()


@pytest.fixture
def market(server: ExchangeServer) -> dict[str, Any]:
    """The most traded market of a settled event."""
    markets = server.get(f"/events/{EVENT}").json()["markets"]
    return max(markets, key=lambda market: Decimal(market["volume_fp"]))


def trades(server: ExchangeServer, market: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get("/markets/trades", ticker=market["ticker"], limit=1000).json()["trades"]
    return found


def test_a_lost_trade_is_missing_from_the_list_but_not_from_the_volume(
    server: ExchangeServer, market: dict[str, Any]
) -> None:
    lost, *left = trades(server, market)
    server.faults({"kind": "lost_trades", "path": "/trades$", "value": [lost["trade_id"]]})
    assert trades(server, market) == left
    assert server.get(f"/markets/{market['ticker']}").json()["market"]["volume_fp"] == market["volume_fp"]
    assert Decimal(market["volume_fp"]) - sum(Decimal(t["count_fp"]) for t in left) == Decimal(lost["count_fp"])


@pytest.mark.parametrize("where", ["market", "batch", "event"])
def test_lost_candles_are_missing_for_their_market_alone(
    server: ExchangeServer, market: dict[str, Any], where: str
) -> None:
    ticker = market["ticker"]
    path = {
        "market": f"/series/{SERIES}/markets/{ticker}/candlesticks",
        "batch": "/markets/candlesticks",
        "event": f"/series/{SERIES}/events/{EVENT}/candlesticks",
    }[where]

    def candles() -> dict[str, list[dict[str, Any]]]:
        end = 1790000000  # 2026-09-21 around noon
        asked = {"start_ts": end - 36 * 3600, "end_ts": end - 24 * 3600, "period_interval": 60}
        body = server.get(path, **asked, **({"market_tickers": ticker} if where == "batch" else {})).json()
        if where == "market":
            return {body["ticker"]: body["candlesticks"]}
        if where == "batch":
            return {found["market_ticker"]: found["candlesticks"] for found in body["markets"]}
        return dict(zip(body["market_tickers"], body["market_candlesticks"], strict=True))

    before = candles()
    lost, *left = before[ticker]
    server.faults({"kind": "lost_candles", "value": {"ticker": ticker, "ends": [lost["end_period_ts"]]}})
    assert candles() == {**before, ticker: left}


def test_a_volume_can_be_another_than_that_of_the_trades(server: ExchangeServer, market: dict[str, Any]) -> None:
    server.faults({"kind": "set_market", "value": {"ticker": market["ticker"], "volume_fp": "1.00"}})
    (listed,) = server.get("/markets", tickers=market["ticker"]).json()["markets"]
    assert listed["volume_fp"] == "1.00"
