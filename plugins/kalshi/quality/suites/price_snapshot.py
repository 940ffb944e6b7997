"""The expectations for ``kalshi_price_snapshot``."""

from kalshi.quality.suites.suite import over, suite_of
from kalshi.warehouse.snapshots import PRICE_SNAPSHOT

SUITE = suite_of(
    PRICE_SNAPSHOT,
    "snapshot",
    *over(
        "snapshots",
        "snapshot_numbers_in_range",
        "snapshot_not_crossed",
        "snapshot_empty_book_marked",
        "snapshot_volume_never_falls",
    ),
    *over("snapshot_tickers", "snapshot_has_market"),
)
