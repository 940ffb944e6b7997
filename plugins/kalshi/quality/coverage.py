"""How much of the markets' lives the candles cover, minute by minute and at each decision time."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from kalshi.quality.scope import Scope
from kalshi.settings import QualitySettings
from kalshi.warehouse import sql
from kalshi.warehouse.server import in_transaction

DAY = timedelta(days=1)
DECISION_COLUMNS = (
    "market_ticker, decision, event_ticker, series_ticker, event_date, decided_at_utc, candle_present, quote_known, "
    "quote_age_minutes, yes_bid, yes_ask, spread"
)


def write_coverage(engine: sa.Engine, scope: Scope, rules: QualitySettings) -> int:
    """Add this run's rows to ``kalshi_coverage``, one transaction per day; return how many."""
    rows, day = 0, scope.start
    while day < scope.until and scope.markets:
        values = {**scope.values(rules), "day": day, "until": min(day + DAY, scope.until)}
        rows += in_transaction(engine, lambda c, v=values: sql.run_file(c, "quality", "coverage", **v).rowcount)  # type: ignore[misc]
        day += DAY
    return rows


def write_decision_coverage(engine: sa.Engine, scope: Scope, rules: QualitySettings) -> int:
    """Add this run's rows to ``kalshi_decision_coverage``, for the decisions in its window; return how many."""
    statement = (
        f"INSERT INTO kalshi_decision_coverage (run_id, {DECISION_COLUMNS}) "
        f"SELECT :run_id, {DECISION_COLUMNS} FROM ({sql.read('quality', 'decision_quotes').text}) AS decided"
    )
    return in_transaction(engine, lambda c: sql.run(c, statement, **scope.values(rules)).rowcount)
