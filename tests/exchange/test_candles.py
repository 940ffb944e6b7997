"""The candles of an event: truncated responses are continued to their end, or refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kalshi.exchange import Exchange, ExchangeError
from tests.support.exchange_server import ExchangeServer

EVENT = "KXHIGHNY-26SEP19"
FIRST = int(datetime(2026, 9, 18, 14, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2026, 9, 20, 5, tzinfo=UTC).timestamp())
"""Where the event's first and last minute end."""
HOUR = 3600

Candles = dict[str, list[int]]


def of_event(exchange: Exchange) -> Candles:
    """The ends of the minutes of each market, as they come."""
    ends: Candles = {}
    for found in exchange.event_candles("KXHIGHNY", EVENT, FIRST, LAST):
        ends.setdefault(found.market_ticker, []).extend(candle.end_ts for candle in found.candles)
    return ends


def of_markets(exchange: Exchange) -> Candles:
    """The same, requested market by market."""
    tickers = [m.record.ticker for page in exchange.markets(event_ticker=EVENT) for m in page.records]
    return {
        found.market_ticker: [candle.end_ts for candle in found.candles]
        for ticker in tickers
        for found in exchange.candles([ticker], FIRST, LAST)
    }


def test_an_event_that_is_cut_short_comes_to_its_end_with_every_minute_once(exchange: Exchange) -> None:
    whole = of_markets(exchange)
    before = exchange.traffic.requests
    assert of_event(exchange) == whole
    assert exchange.traffic.requests - before == 3, "2,340 minutes of six markets, in answers of 5,000"
    assert len(whole) == 6


@pytest.mark.parametrize("cut", [FIRST + 1, FIRST + 60, FIRST + HOUR + 17, LAST - 1])
def test_the_result_does_not_depend_on_where_the_exchange_truncates(
    exchange: Exchange, exchange_server: ExchangeServer, cut: int
) -> None:
    whole = of_markets(exchange)
    exchange_server.faults({"kind": "adjusted_end", "path": "/events/", "value": cut})
    assert of_event(exchange) == whole


@pytest.mark.parametrize("end", [FIRST, FIRST - 60, 0])
def test_an_event_that_is_cut_at_its_start_is_an_error(
    exchange: Exchange, exchange_server: ExchangeServer, end: int
) -> None:
    exchange_server.faults({"kind": "adjusted_end", "path": "/events/", "value": end, "times": 99})
    with pytest.raises(ExchangeError, match=f"was truncated at {end}, no later than its start {FIRST}"):
        of_event(exchange)
    assert exchange.traffic.requests == 1, "asking again would give the same"


def test_an_event_that_is_cut_at_the_same_place_again_is_an_error(
    exchange: Exchange, exchange_server: ExchangeServer
) -> None:
    cut = FIRST + HOUR
    exchange_server.faults({"kind": "adjusted_end", "path": "/events/", "value": cut, "times": 99})
    with pytest.raises(ExchangeError, match=f"was truncated at {cut}, no later than its start {cut}"):
        of_event(exchange)
    assert exchange.traffic.requests == 2
