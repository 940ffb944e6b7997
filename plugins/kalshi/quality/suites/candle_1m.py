"""The expectations for ``kalshi_candle_1m``."""

from kalshi.quality.suites.suite import over, suite_of
from kalshi.warehouse.api_candles import CANDLE_1M

SUITE = suite_of(
    CANDLE_1M,
    "candle",
    *over(
        "candles",
        "candle_prices_in_range",
        "candle_prices_ordered",
        "candle_quotes_there",
        "candle_not_crossed",
        "candle_uncrossed_all_minute",
        "candle_spread_fillable",
        "candle_trades_complete",
        "candle_numbers_not_negative",
        "candle_on_the_minute",
        "candle_in_market_life",
        "candle_source_known",
        "candle_sources_agree",
    ),
    *over("candle_tickers", "candle_has_market"),
)
