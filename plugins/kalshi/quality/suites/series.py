"""The expectations for ``kalshi_series``."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite(
    "kalshi_series",
    "series",
    {
        "series_ticker": "varchar key",
        "title": "text null",
        "frequency": "varchar null",
        "tags": "json null",
        "settlement_sources": "json null",
        "fee_type": "varchar null",
        "fee_multiplier": "decimal null",
        "is_placeholder": "tinyint",
        "run_id": "bigint",
    },
    over("series", "series_fees_known"),
)
