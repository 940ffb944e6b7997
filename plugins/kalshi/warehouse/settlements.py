"""Queries about settlements."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa

from kalshi.warehouse.server import text_with_lists


def latest_settled_at(connection: sa.Connection, series_ticker: str) -> datetime | None:
    """The time of a series' latest settlement, by the exchange's own timestamps."""
    query = sa.text(
        "SELECT MAX(settled_at_utc) FROM kalshi_settlement WHERE series_ticker = :s "
        "AND settled_at_source = 'settlement_ts'"
    )
    latest: datetime | None = connection.execute(query, {"s": series_ticker}).scalar()
    return latest.replace(tzinfo=UTC) if latest else None


def count(connection: sa.Connection, series_ticker: str) -> int:
    """How many markets of a series are settled."""
    query = sa.text("SELECT COUNT(*) FROM kalshi_settlement WHERE series_ticker = :s")
    return int(connection.execute(query, {"s": series_ticker}).scalar_one())


def amended_since_last_run(connection: sa.Connection, job: str, series_ticker: str, run_id: int) -> int:
    """How many known results or values of a series changed since the previous run, by any job."""
    query = sa.text(
        "SELECT COUNT(*) FROM kalshi_settlement_change c JOIN kalshi_market m ON m.market_ticker = c.market_ticker "
        "WHERE m.series_ticker = :s AND c.changed_at_utc >= (SELECT MAX(ended_at_utc) FROM kalshi_sync_run "
        "WHERE job = :job AND scope = :s AND run_id < :run_id)"
    )
    return int(connection.execute(query, {"s": series_ticker, "job": job, "run_id": run_id}).scalar_one())


def overdue(connection: sa.Connection, series_ticker: str) -> list[str]:
    """Markets of a series that are past their close but have no settlement here."""
    query = sa.text(
        "SELECT m.market_ticker FROM kalshi_market m LEFT JOIN kalshi_settlement s "
        "ON s.market_ticker = m.market_ticker WHERE m.series_ticker = :s AND s.market_ticker IS NULL "
        "AND m.close_time_utc < UTC_TIMESTAMP(6) ORDER BY 1"
    )
    return list(connection.execute(query, {"s": series_ticker}).scalars())


def doubtful(connection: sa.Connection, series_ticker: str) -> list[str]:
    """Markets of a series to look up: overdue, or settled here although the market now contradicts it.

    Excludes markets that have been final without a result for a week; they won't get one.
    """
    query = sa.text(
        "SELECT m.market_ticker FROM kalshi_market m LEFT JOIN kalshi_settlement s "
        "ON s.market_ticker = m.market_ticker WHERE m.series_ticker = :s AND ("
        "s.market_ticker IS NULL AND m.close_time_utc < UTC_TIMESTAMP(6) AND NOT COALESCE("
        "m.status IN ('finalized', 'settled') AND m.result IS NULL "
        "AND m.close_time_utc < UTC_TIMESTAMP(6) - INTERVAL 7 DAY, FALSE) "
        "OR s.market_ticker IS NOT NULL AND (m.status NOT IN ('finalized', 'settled') "
        "OR m.result <> s.result OR NOT m.settlement_value <=> s.settlement_value)) ORDER BY 1"
    )
    return list(connection.execute(query, {"s": series_ticker}).scalars())


def without_settlement(connection: sa.Connection, tickers: Iterable[str]) -> list[str]:
    """The markets among ``tickers`` that have no settlement here."""
    wanted = sorted(tickers)
    query = "SELECT market_ticker FROM kalshi_settlement WHERE market_ticker IN :tickers"
    settled = set(connection.execute(text_with_lists(query, "tickers"), {"tickers": wanted}).scalars())
    return [ticker for ticker in wanted if ticker not in settled]


def events_without_one_yes(connection: sa.Connection, series_ticker: str) -> list[str]:
    """Fully settled events that don't have exactly one YES.

    Excludes events that aren't mutually exclusive, and those with a result other than yes and no.
    """
    query = sa.text(
        "SELECT s.event_ticker FROM kalshi_settlement s JOIN kalshi_event e ON e.event_ticker = s.event_ticker "
        "WHERE s.series_ticker = :s AND COALESCE(e.mutually_exclusive, TRUE) GROUP BY s.event_ticker "
        "HAVING SUM(s.result NOT IN ('yes', 'no')) = 0 AND SUM(s.result = 'yes') <> 1 AND COUNT(*) = "
        "(SELECT COUNT(*) FROM kalshi_market m WHERE m.event_ticker = s.event_ticker) ORDER BY 1"
    )
    return list(connection.execute(query, {"s": series_ticker}).scalars())
