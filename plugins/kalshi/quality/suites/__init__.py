"""What is expected of each table, one module a table. The rules are written in ``include/sql/checks``."""

from kalshi.quality.suites import (
    candle_1m,
    candle_1m_dense,
    decision_coverage,
    event,
    market,
    price_snapshot,
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
)

__all__ = ["SUITES", "Check", "Suite"]
