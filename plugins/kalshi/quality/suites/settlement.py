"""The expectations for ``kalshi_settlement``."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite(
    "kalshi_settlement",
    "settlement",
    {
        "market_ticker": "varchar key",
        "event_ticker": "varchar",
        "series_ticker": "varchar",
        "result": "varchar",
        "settlement_value": "decimal null",
        "settled_at_utc": "datetime",
        "settled_at_source": "varchar",
        "run_id": "bigint",
    },
    over("settlements", "settlement_has_market", "settlement_fits_result", "settlement_agrees_with_market"),
)
