"""How much of the markets' lives the candles cover, minute by minute and at each decision time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

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
        rows += in_transaction(engine, _write_day, values)
        day += DAY
    return rows


def _write_day(connection: sa.Connection, values: dict[str, Any]) -> int:
    rows = sql.run_file(connection, "quality", "coverage", **values).rowcount
    _mark_latest(connection, "kalshi_coverage", "utc_day", "utc_day = :day", values)
    return rows


def write_decision_coverage(engine: sa.Engine, scope: Scope, rules: QualitySettings) -> int:
    """Add this run's rows to ``kalshi_decision_coverage``, for the decisions in its window; return how many."""
    return in_transaction(engine, _write_decisions, scope.values(rules))


def _write_decisions(connection: sa.Connection, values: dict[str, Any]) -> int:
    statement = (
        f"INSERT INTO kalshi_decision_coverage (run_id, {DECISION_COLUMNS}) "
        f"SELECT :run_id, {DECISION_COLUMNS} FROM ({sql.read('quality', 'decision_quotes').text}) AS decided"
    )
    rows = sql.run(connection, statement, **values).rowcount
    _mark_latest(connection, "kalshi_decision_coverage", "decision", "TRUE", values)
    return rows


def _mark_latest(connection: sa.Connection, table: str, key: str, batch: str, values: dict[str, Any]) -> None:
    """Keep ``is_latest`` true of one row per market and ``key``: that of the latest run."""
    statement = sql.read("quality", "latest").text
    sql.run(connection, statement.format(table=table, key=key, batch=batch), **values)
