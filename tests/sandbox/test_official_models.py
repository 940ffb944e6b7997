"""Every route of the sandbox, validated against the models of Kalshi's own client."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
import requests
from starlette.routing import Mount, Route

from kalshi.exchange.signing import KeySignature
from sandbox.app import Sandbox
from sandbox.weather import RECORDED_EVENT
from sandbox.world import Clock, World
from tests.support.api_key import ApiKey
from tests.support.exchange_server import ExchangeServer
from tests.support.official_client import OfficialClient, blank

NEVER = World(Clock(datetime(2023, 1, 1, tzinfo=UTC)), since=date(2023, 1, 1), wide_markets=1)
ROUTES: list[str] = [
    route.path
    for mount in Sandbox(NEVER).app().routes
    if isinstance(mount, Mount) and mount.path == "/trade-api/v2"
    for route in mount.routes
    if isinstance(route, Route)
]
TICKERS = {
    "series": ["KXHIGHNY", "KXHIGHCHI", "KXSANDBOXWIDE", "KXSANDBOXODD"],
    "event": [
        *("KXHIGHNY-26SEP23", "KXHIGHNY-26SEP22", "KXHIGHMIA-26SEP21", "KXHIGHDEN-26JUN10"),
        *("KXSANDBOXODD-26SEP15", "KXSANDBOXODD-26DEC31"),
    ],
}
"""What to put into a path. Markets are taken from the list of their tier."""
QUERIES = [
    {},
    {"include_volume": "true", "with_nested_markets": "true", "limit": "200"},
    {"series_ticker": "KXHIGHNY", "status": "settled"},
    {"status": "unopened"},
    {"status": "open"},
    {"status": "closed"},
    {"series_ticker": "KXSANDBOXODD"},
    {"is_block_trade": "true"},
    {"settlement_status": "settled", "subaccount": "1"},
    {"settlement_status": "all", "subaccount": "2"},
    {"ticker": "KXSANDBOXODD-26SEP15-SCALAR", "min_ts": "1", "max_ts": "2000000000"},
]
"""A route ignores the parameters that it doesn't know."""
CANDLE_QUERIES = [
    {
        "market_tickers": "KXHIGHNY-26SEP23-T65,KXSANDBOXODD-26SEP15-SCALAR,KXSANDBOXODD-26DEC31-EMPTY",
        "start_ts": str(start),
        "end_ts": str(start + minutes * 60),
        "period_interval": period,
        "include_latest_before_start": latest,
    }
    for start, minutes, period in (
        (1789999200, 600, "1"),
        (1789430400, 3000, "1"),
        (1781704800, 3000, "1"),
        (1780272000, 3000 * 60, "60"),
        (1777593600, 3000 * 1440, "1440"),
    )
    for latest in ("true", "false")
]


def paths(server: ExchangeServer, route: str) -> list[str]:
    """The route with its tickers filled in."""
    if "{market}" in route:
        tier = "/historical/markets" if route.startswith("/historical") else "/markets"
        markets = server.get(tier, limit=1000).json()["markets"]
        one_of_each_status = {market["status"]: market["ticker"] for market in markets}
        return [filled(route, "market", ticker) for ticker in one_of_each_status.values()]
    for name in ("event", "series"):
        if f"{{{name}}}" in route:
            return [filled(route, name, ticker) for ticker in TICKERS[name]]
    return [route]


def filled(route: str, name: str, ticker: str) -> str:
    """With that ticker, and the series that it is of."""
    return route.replace(f"{{{name}}}", ticker).replace("{series}", ticker.partition("-")[0])


@pytest.mark.parametrize("route", ROUTES)
def test_every_response_fits_the_official_model_and_has_no_unknown_fields(
    morning: ExchangeServer, key: ApiKey, official_client: OfficialClient, route: str
) -> None:
    model = official_client.model_of(route)
    auth = KeySignature(key.id, key.secret)
    of_candles, candles = route.endswith("/candlesticks"), 0
    for path in paths(morning, route):
        for query in CANDLE_QUERIES if of_candles else QUERIES:
            answer = requests.get(morning.base_url + path, params=query, auth=auth, timeout=10)
            assert answer.status_code == 200, answer.text
            model.model_validate(answer.json(), extra="forbid")
            candles += answer.text.count("end_period_ts")
    assert candles > 1000 or not of_candles


@pytest.mark.parametrize("route", ROUTES)
def test_the_same_routes_need_a_signature_as_at_the_exchange(
    morning: ExchangeServer, official_client: OfficialClient, route: str
) -> None:
    answer = morning.get(paths(morning, route)[0])
    assert (answer.status_code == 401) == official_client.operations[blank(route)].signed


def test_the_recorded_event_fits_but_for_the_one_field_that_is_newer_than_it(
    exchange_server: ExchangeServer, official_client: OfficialClient
) -> None:
    for path in (f"/events/{RECORDED_EVENT}", f"/markets?event_ticker={RECORDED_EVENT}"):
        body: dict[str, Any] = exchange_server.get(path).json()
        assert len(body["markets"]) == 6
        for market in body["markets"]:
            assert "settlement_bounds_type" not in market
            market["settlement_bounds_type"] = "default"
        model = official_client.model_of(path.partition("?")[0].replace(RECORDED_EVENT, "{}"))
        model.model_validate(body)


@pytest.mark.parametrize("damage", [{"status": "new"}, {"yes_bid_dollars": 0.5}, {"result": None}, {"liquidity": 1}])
def test_the_models_do_refuse_what_does_not_fit(
    morning: ExchangeServer, official_client: OfficialClient, damage: dict[str, Any]
) -> None:
    body = morning.get("/markets", limit=1).json()
    model = official_client.model_of("/markets")
    model.model_validate(body, extra="forbid")
    body["markets"][0].update(damage)
    with pytest.raises(ValueError, match=json.dumps(next(iter(damage))).strip('"')):
        model.model_validate(body, extra="forbid")
