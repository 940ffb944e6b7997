"""The expectations for ``kalshi_price_snapshot``."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite(
    "kalshi_price_snapshot",
    "snapshot",
    {
        "market_ticker": "varchar key",
        "snapshot_at_utc": "datetime key",
        "observed_at_utc": "datetime",
        **dict.fromkeys(
            ["yes_bid", "yes_ask", "last_price", "yes_bid_size", "yes_ask_size", "volume", "open_interest"],
            "decimal null",
        ),
        "is_empty_book": "tinyint",
        "run_id": "bigint",
    },
    (
        *over(
            "snapshots",
            "snapshot_numbers_in_range",
            "snapshot_not_crossed",
            "snapshot_empty_book_marked",
            "snapshot_volume_never_falls",
        ),
        *over("snapshot_tickers", "snapshot_has_market"),
    ),
)
