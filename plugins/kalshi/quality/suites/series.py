"""The expectations for ``kalshi_series``."""

from kalshi.quality.suites.suite import over, suite_of
from kalshi.warehouse.catalog import SERIES

SUITE = suite_of(
    SERIES,
    "series",
    *over("series", "series_fees_known"),
)
