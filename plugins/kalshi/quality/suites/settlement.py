"""The expectations for ``kalshi_settlement``."""

from kalshi.quality.suites.suite import over, suite_of
from kalshi.warehouse.settlements import SETTLEMENT

SUITE = suite_of(
    SETTLEMENT,
    "settlement",
    *over("settlements", "settlement_has_market", "settlement_fits_result", "settlement_agrees_with_market"),
)
