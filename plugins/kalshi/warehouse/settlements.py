"""Settlements: how they are written from settled markets, and queries about them. A series may be EVERYTHING ("*")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import sqlalchemy as sa

from kalshi.records import Found, Market, known_time
from kalshi.warehouse import sql
from kalshi.warehouse.catalog import EVENT, OF_SERIES, series_of_each, unknown
from kalshi.warehouse.tables import GIVEN, Column, Guard, Table
from kalshi.warehouse.writer import WriteCounts, upsert

MOST_NAMED = 1000


def settled_at(market: Market) -> tuple[datetime | None, str | None]:
    """When a market settled, and the source of that time.

    The exchange's ``settlement_ts`` if present, else the best proxy: the market's last update if it lies
    between its close and its latest expiration, else its expected expiration, its expiration or its close.
    (None, None) if none of them is known.
    """
    updated, close, latest = map(known_time, (market.updated_time, market.close_time, market.latest_expiration_time))
    if updated and ((close and updated < close) or (latest and updated > latest)):
        updated = None
    candidates = {
        "settlement_ts": known_time(market.settlement_time),
        "updated_time": updated,
        "expected_expiration_time": known_time(market.expected_expiration_time),
        "expiration_time": known_time(market.expiration_time),
        "close_time": close,
    }
    return next(((moment, source) for source, moment in candidates.items() if moment), (None, None))


SETTLEMENT = Table(
    "kalshi_settlement",
    key=("market_ticker",),
    columns=(
        Column("market_ticker", "varchar", "ticker", null=False),
        Column("event_ticker", "varchar", null=False),
        Column("series_ticker", "varchar", GIVEN, null=False),
        Column("settlement_value", "decimal", guard=Guard.KEEP_KNOWN_VALUE),
        Column("result", "varchar", null=False),
        Column("settled_at_utc", "datetime", lambda m: settled_at(m)[0], Guard.EXACT_TIME, null=False),
        Column("settled_at_source", "varchar", lambda m: settled_at(m)[1], Guard.EXACT_TIME, null=False),
    ),
)


def write_settlements(
    connection: sa.Connection, found: Sequence[Found[Market]], series_ticker: str, run_id: int
) -> WriteCounts:
    """Upsert ``kalshi_settlement`` from settled markets, which must already be in ``kalshi_market``.

    ``series_ticker``: as in :func:`kalshi.warehouse.catalog.write_markets`. Markets without a result are skipped, and
    so are records older than what ``kalshi_market`` has.
    """
    latest = _latest_updates(connection, [f.record.ticker for f in found])
    settled = [f for f in found if f.record.result and not _is_stale(f.record, latest.get(f.record.ticker))]
    series = series_of_each(connection, EVENT, {f.record.event_ticker for f in settled}, series_ticker)
    rows = SETTLEMENT.rows(settled, series_ticker=lambda market: series[market.event_ticker])
    return upsert(connection, SETTLEMENT, rows, run_id=run_id)


def _is_stale(market: Market, stored: datetime | None) -> bool:
    updated = known_time(market.updated_time)
    return updated is not None and stored is not None and updated < stored


def _latest_updates(connection: sa.Connection, tickers: list[str]) -> dict[str, datetime | None]:
    """When the exchange last updated these markets, as far as ``kalshi_market`` knows. Locks their rows."""
    rows = sql.run(
        connection,
        # Without the lock, this would read what was there when the transaction began.
        "SELECT market_ticker, exchange_updated_at_utc FROM kalshi_market WHERE market_ticker IN :tickers FOR UPDATE",
        tickers=tickers,
    )
    return {ticker: at and at.replace(tzinfo=UTC) for ticker, at in rows}


def latest_settled_at(connection: sa.Connection, series_ticker: str) -> datetime | None:
    """The time of a series' latest settlement, by the exchange's own timestamps."""
    latest: datetime | None = sql.run(
        connection,
        f"SELECT MAX(settled_at_utc) FROM kalshi_settlement WHERE {OF_SERIES} AND settled_at_source = 'settlement_ts'",
        series=series_ticker,
    ).scalar()
    return latest.replace(tzinfo=UTC) if latest else None


def count(connection: sa.Connection, series_ticker: str) -> int:
    """How many markets of a series are settled."""
    query = f"SELECT COUNT(*) FROM kalshi_settlement WHERE {OF_SERIES}"
    return int(sql.run(connection, query, series=series_ticker).scalar_one())


def amended_since_last_run(connection: sa.Connection, job: str, series_ticker: str, run_id: int) -> int:
    """How many known results or values of a series changed since the previous run, by any job."""
    amended = sql.run(
        connection,
        "SELECT COUNT(*) FROM kalshi_settlement_change c JOIN kalshi_market m ON m.market_ticker = c.market_ticker "
        f"WHERE {OF_SERIES} AND c.changed_at_utc >= (SELECT MAX(ended_at_utc) FROM kalshi_sync_run "
        "WHERE job = :job AND scope = :series AND run_id < :run_id)",
        series=series_ticker,
        job=job,
        run_id=run_id,
    )
    return int(amended.scalar_one())


def overdue(connection: sa.Connection, series_ticker: str) -> list[str]:
    """Markets of a series that are past their close but have no settlement here, at most MOST_NAMED."""
    rows = sql.run(
        connection,
        "SELECT m.market_ticker FROM kalshi_market m LEFT JOIN kalshi_settlement s "
        "ON s.market_ticker = m.market_ticker WHERE (:series = '*' OR m.series_ticker = :series) "
        "AND s.market_ticker IS NULL AND m.close_time_utc < UTC_TIMESTAMP(6) ORDER BY 1 LIMIT :most",
        series=series_ticker,
        most=MOST_NAMED,
    )
    return list(rows.scalars())


def doubtful(connection: sa.Connection, series_ticker: str) -> list[str]:
    """Markets of a series to look up: overdue, or settled here although the market now contradicts it.

    Excludes markets that have been final without a result for a week; they won't get one.
    """
    return list(sql.run_file(connection, "settlements", "doubtful", series=series_ticker).scalars())


def without_settlement(connection: sa.Connection, tickers: Iterable[str]) -> list[str]:
    """The markets among ``tickers`` that have no settlement here."""
    return sorted(unknown(connection, SETTLEMENT, tickers))


def events_without_one_yes(connection: sa.Connection, series_ticker: str) -> list[str]:
    """Fully settled events that don't have exactly one YES, at most MOST_NAMED.

    Excludes events that aren't mutually exclusive, and those with a result other than yes and no.
    """
    about = {"series": series_ticker, "most": MOST_NAMED}
    return list(sql.run_file(connection, "settlements", "events_without_one_yes", **about).scalars())
