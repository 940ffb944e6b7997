"""The expectations for ``kalshi_trade``."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite(
    "kalshi_trade",
    "trade",
    {
        "trade_id": "varchar key",
        "market_ticker": "varchar",
        "executed_at_utc": "datetime",
        "yes_price": "decimal",
        "no_price": "decimal null",
        "count": "decimal",
        "is_block_trade": "tinyint",
        "run_id": "bigint",
    },
    (
        *over("trades", "trade_numbers_in_range", "trade_in_market_life", "trade_has_candle"),
        *over("trade_tickers", "trade_has_market"),
    ),
)
