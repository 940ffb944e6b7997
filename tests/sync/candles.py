"""Candles as a test reads them: by a sync, from the warehouse, and from the exchange itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.sync.candles import CandlesReport, CandlesRequest, sync_candles
from tests.support.databases import select
from tests.support.exchange_server import ExchangeServer

DAY = timedelta(days=1)


class Candles(Protocol):
    def __call__(self, start: datetime, end: datetime, series: str = ..., **others: Any) -> CandlesReport: ...


def reading(exchange: Exchange, engine: sa.Engine) -> Candles:
    """``candles(start, end, "KXHIGHNY")``: one sync of a series of this exchange into this warehouse."""

    def candles(start: datetime, end: datetime, series: str = "KXHIGHNY", **others: Any) -> CandlesReport:
        cutoff = others.pop("cutoff", None) or exchange.historical_cutoff().markets_settled
        request = CandlesRequest(series, cutoff, window_start=start, window_end=end, **others)
        return sync_candles(exchange, engine, request)

    return candles


def listed(server: ExchangeServer, ticker: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """The exchange's own candles of the minutes of a market that begin in [start, end), from its tier."""
    series = ticker.partition("-")[0]
    while start < end:
        bounds = {"start_ts": int(start.timestamp()) + 60, "end_ts": int(min(start + DAY, end).timestamp())}
        for path in (f"/series/{series}/markets/{ticker}/candlesticks", f"/historical/markets/{ticker}/candlesticks"):
            answer = server.get(path, **bounds, period_interval=1)
            if answer.status_code == 200:
                yield from answer.json()["candlesticks"]
                break
        start += DAY


def tickers(engine: sa.Engine, event: str) -> list[str]:
    rows = select(engine, f"SELECT market_ticker FROM kalshi_market WHERE event_ticker = '{event}' ORDER BY 1")
    return [row["market_ticker"] for row in rows]


def stored(engine: sa.Engine, ticker: str) -> dict[datetime, dict[str, Any]]:
    """The rows of a market by the start of their minute, naive UTC."""
    rows = select(engine, f"SELECT * FROM kalshi_candle_1m WHERE market_ticker = '{ticker}'")
    return {row["bucket_start_utc"]: row for row in rows}


def candle_requests(server: ExchangeServer) -> int:
    """How many requests for candles the exchange got so far, answered or not."""
    return sum(n for path, n in server.stats()["by_path"].items() if path.endswith("/candlesticks"))
