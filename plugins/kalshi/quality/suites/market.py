"""The expectations for ``kalshi_market``, and for a market's candles and settlement."""

from kalshi.quality.suites.suite import over, suite_of
from kalshi.warehouse.catalog import MARKET

SUITE = suite_of(
    MARKET,
    "market",
    *over(
        "markets",
        "market_has_event",
        "market_times_known",
        "market_numbers_in_range",
        "market_not_crossed",
        "market_has_candles",
        "market_opens_with_candles",
        "market_time_zone",
        "market_settlement_there",
    ),
)
