"""Kalshi's HTTP API, read-only. Works from a notebook: it depends on neither SQL nor Airflow.

from kalshi.exchange import Exchange, ExchangeConfig

exchange = Exchange(ExchangeConfig())
for page in exchange.markets(series_ticker="KXHIGHNY"):
    for found in page.records:
        print(found.record.ticker, found.record.yes_bid)
"""

from kalshi.exchange.client import Exchange
from kalshi.exchange.config import ExchangeConfig, RetryPolicy
from kalshi.exchange.errors import (
    ExchangeError,
    ExchangeUnavailable,
    PageCapReached,
    RepeatedCursor,
    RequestRefused,
)

__all__ = [
    "Exchange",
    "ExchangeConfig",
    "ExchangeError",
    "ExchangeUnavailable",
    "PageCapReached",
    "RepeatedCursor",
    "RequestRefused",
    "RetryPolicy",
]
