"""The expectations for ``kalshi_candle_1m_dense``."""

from kalshi.quality.suites.candle_1m import QUOTES
from kalshi.quality.suites.suite import Suite, over

SUITE = Suite(
    "kalshi_candle_1m_dense",
    "dense",
    {
        "market_ticker": "varchar key",
        "bucket_start_utc": "datetime key",
        "source": "varchar null",
        "is_synthetic": "tinyint",
        "has_trade": "tinyint",
        **dict.fromkeys(QUOTES, "decimal null"),
        "trade_close": "decimal null",
        "trade_previous": "decimal null",
        "volume": "decimal",
        "open_interest": "decimal null",
        "run_id": "bigint",
    },
    over("dense_minutes", "dense_without_hole", "dense_shows_candle", "dense_carries_quotes"),
)
