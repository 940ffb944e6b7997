"""The expectations for each table, one module per table. The rules are in ``include/sql/checks``."""

from kalshi.quality.suites import (
    candle_1m,
    candle_1m_dense,
    checkpoint,
    decision_coverage,
    event,
    gap,
    market,
    price_snapshot,
    reconciliation,
    series,
    settlement,
    sync_run,
    trade,
)
from kalshi.quality.suites.suite import Check, Suite

SUITES: tuple[Suite, ...] = (
    series.SUITE,
    event.SUITE,
    market.SUITE,
    settlement.SUITE,
    candle_1m.SUITE,
    candle_1m_dense.SUITE,
    trade.SUITE,
    price_snapshot.SUITE,
    decision_coverage.SUITE,
    sync_run.SUITE,
    checkpoint.SUITE,
    gap.SUITE,
    reconciliation.SUITE,
)

__all__ = ["SUITES", "Check", "Suite"]
