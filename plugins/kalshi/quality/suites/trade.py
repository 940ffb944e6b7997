"""The expectations for ``kalshi_trade``."""

from kalshi.quality.suites.suite import over, suite_of
from kalshi.warehouse.trades import TRADE

SUITE = suite_of(
    TRADE,
    "trade",
    *over("trades", "trade_numbers_in_range", "trade_in_market_life", "trade_has_candle"),
    *over("trade_tickers", "trade_has_market"),
)
