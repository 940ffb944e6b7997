"""The expectations for ``kalshi_candle_1m_dense``."""

from kalshi.quality.suites.suite import over, suite_of
from kalshi.warehouse.dense_candles import CANDLE_1M_DENSE

SUITE = suite_of(
    CANDLE_1M_DENSE,
    "dense",
    *over("dense_minutes", "dense_without_hole", "dense_shows_candle", "dense_carries_quotes"),
)
