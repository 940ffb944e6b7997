"""Markets that move from the live to the historical tier, between two runs and during one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeUnavailable
from scripts.content import content
from tests.support.databases import select
from tests.support.exchange_server import ExchangeServer, quick_config
from tests.sync.candles import DAY, Candles, listed, reading, stored, tickers

EVENT = "KXHIGHNY-26JUN05"
JUN_4 = datetime(2026, 6, 4, tzinfo=UTC)
OPEN_UNTIL = datetime(2026, 6, 6, 5, tzinfo=UTC)


@pytest.fixture(params=["2026-06-05T12:00:00+00:00", "2026-06-20T12:00:00+00:00"], ids=["open", "settled"])
def in_june(request: pytest.FixtureRequest) -> Iterator[Exchange]:
    """The same exchange in June, when the event was in the live tier, still open or settled already."""
    arguments = (f"--clock={request.param}", "--since=2026-04-01", "--requests-per-second=0")
    with ExchangeServer(*arguments) as server, Exchange(quick_config(server)) as exchange:
        yield exchange


@pytest.fixture
def candles(exchange: Exchange, warehouse: sa.Engine) -> Candles:
    """The exchange in September, when June is in the historical tier."""
    return reading(exchange, warehouse)


def assert_event_is_complete(engine: sa.Engine, server: ExchangeServer) -> None:
    markets = tickers(engine, EVENT)
    assert len(markets) == 6
    for ticker in markets:
        there = [candle["end_period_ts"] - 60 for candle in listed(server, ticker, JUN_4, OPEN_UNTIL)]
        rows = [int(minute.replace(tzinfo=UTC).timestamp()) for minute in stored(engine, ticker)]
        assert sorted(rows) == there
        assert len(there) > 20


def test_a_market_archived_between_two_runs_is_complete(
    in_june: Exchange, candles: Candles, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    reading(in_june, warehouse)(JUN_4, JUN_4 + DAY)
    assert exchange_server.get("/markets", event_ticker=EVENT).json()["markets"] == [], "archived by now"
    candles(JUN_4 + DAY, JUN_4 + 3 * DAY)
    assert_event_is_complete(warehouse, exchange_server)


def test_a_failed_run_resumes_although_its_markets_were_archived_meanwhile(
    exchange: Exchange, candles: Candles, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    arguments = ("--clock=2026-06-20T12:00:00+00:00", "--since=2026-04-01", "--requests-per-second=0")
    window = JUN_4 - 8 * DAY, JUN_4 + 4 * DAY
    with ExchangeServer(*arguments) as server, Exchange(quick_config(server)) as in_june:
        server.faults({"kind": "http_500", "path": "/candlesticks", "skip": 6, "times": 99})
        with pytest.raises(ExchangeUnavailable):
            reading(in_june, warehouse)(*window)
    candles(*window)
    assert_event_is_complete(warehouse, exchange_server)
    (checkpoint,) = select(warehouse, "SELECT state, attempts FROM kalshi_checkpoint WHERE job = 'candles'")
    assert checkpoint == {"state": "COMPLETE", "attempts": 2}
    resumed = content(warehouse)
    again = candles(*window, force=True)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, resumed[0])


@pytest.mark.parametrize("days", [-20, 20])
def test_a_cutoff_that_moves_during_a_run_costs_no_minute(
    exchange: Exchange, candles: Candles, warehouse: sa.Engine, days: int
) -> None:
    cutoff = exchange.historical_cutoff().markets_settled
    window = cutoff - 5 * DAY, cutoff + 5 * DAY
    whole = candles(*window)
    stale = candles(*window, force=True, cutoff=cutoff + timedelta(days=days))
    assert stale.candle_requests > whole.candle_requests, "asked of the other tier"
    assert (stale.inserted, stale.updated, stale.unchanged) == (0, 0, whole.candles)
