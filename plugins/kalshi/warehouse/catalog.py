"""Writes series, events and markets: parents before children, and never erasing a known settlement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from kalshi.records import Event, Found, Market, Series, known_time
from kalshi.warehouse import gaps
from kalshi.warehouse.server import text_with_lists
from kalshi.warehouse.tables import (
    EVENT,
    EVENT_PLACEHOLDER,
    MARKET,
    MARKET_PLACEHOLDER,
    MARKET_TICKER,
    SERIES,
    SERIES_PLACEHOLDER,
)
from kalshi.warehouse.times import naive_utc
from kalshi.warehouse.writer import Staging, WriteCounts, upsert

EVENT_DAY = re.compile(r"-(\d{2})([A-Z]{3})(\d{2})(?!\d{3})")


def event_date(event_ticker: str) -> date | None:
    """The local climate date in a ticker such as KXHIGHNY-26SEP23, or None."""
    match = EVENT_DAY.search(event_ticker)
    if not match:
        return None
    try:
        return datetime.strptime("".join(match.groups()), "%y%b%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _json(value: Any) -> bytes | None:
    return None if value is None else msgspec.json.encode(value)


def _series_row(found: Found[Series]) -> Sequence[Any]:
    s = found.record
    return (
        s.ticker,
        s.title,
        s.category,
        s.frequency,
        _json(s.tags),
        _json(s.settlement_sources),
        s.contract_terms_url,
        s.fee_type,
        s.fee_multiplier,
        False,
        found.raw,
    )


def _event_row(found: Found[Event]) -> Sequence[Any]:
    e = found.record
    return (
        e.ticker,
        e.series_ticker,
        e.title,
        e.sub_title,
        e.category,
        known_time(e.strike_date),
        e.strike_period,
        event_date(e.ticker),
        e.mutually_exclusive,
        e.collateral_return_type,
        False,
        found.raw,
    )


def _market_row(found: Found[Market], series_ticker: str, *, is_placeholder: bool = False) -> Sequence[Any]:
    m = found.record
    return (
        m.ticker,
        m.event_ticker,
        series_ticker,
        m.title,
        m.subtitle,
        m.yes_sub_title,
        m.no_sub_title,
        m.market_type,
        m.status or None,
        m.settlement_value,
        m.result or None,
        known_time(m.settlement_time),
        m.expiration_value or None,
        m.strike_type,
        m.floor_strike,
        m.cap_strike,
        m.functional_strike,
        None if bytes(m.custom_strike) == b"null" else bytes(m.custom_strike),
        known_time(m.open_time),
        known_time(m.close_time),
        known_time(m.expiration_time),
        known_time(m.expected_expiration_time),
        known_time(m.latest_expiration_time),
        known_time(m.created_time),
        known_time(m.updated_time),
        m.can_close_early,
        m.settlement_timer_seconds,
        m.last_price,
        m.yes_bid,
        m.yes_ask,
        m.yes_bid_size,
        m.yes_ask_size,
        m.volume,
        m.volume_24h,
        m.open_interest,
        is_placeholder,
        found.raw,
    )


def write_series(connection: sa.Connection, found: Sequence[Found[Series]], run_id: int) -> WriteCounts:
    """Upsert ``kalshi_series``."""
    return upsert(connection, SERIES, map(_series_row, found), run_id=run_id)


def write_events(connection: sa.Connection, found: Sequence[Found[Event]], run_id: int) -> WriteCounts:
    """Upsert ``kalshi_event``, after placeholders for series that don't exist yet."""
    _expect_series(connection, {f.record.series_ticker for f in found}, run_id)
    return upsert(connection, EVENT, map(_event_row, found), run_id=run_id)


def series_of(ticker: str) -> str:
    """The series in an event or market ticker: KXHIGHNY in KXHIGHNY-26SEP23-T72."""
    return ticker.partition("-")[0]


def write_markets(
    connection: sa.Connection, found: Sequence[Found[Market]], series_ticker: str, run_id: int
) -> tuple[WriteCounts, WriteCounts]:
    """Upsert ``kalshi_market``, after placeholders for series and events that don't exist yet.

    Every change of a known result or settlement value is recorded in ``kalshi_settlement_change``, in the
    same transaction. Returns the counts of markets and of placeholders.
    """
    placeholders = _expect_events(connection, {f.record.event_ticker: series_ticker for f in found}, run_id)
    with (
        _reopening(connection, [series_ticker], found),
        Staging(connection, MARKET, [_market_row(f, series_ticker) for f in found]) as staging,
    ):
        # Lock first: two runs that saw the same old value would both record the change.
        connection.exec_driver_sql(
            f"SELECT COUNT(*) FROM kalshi_market t JOIN `{staging.name}` s "
            "ON t.market_ticker = s.market_ticker FOR UPDATE"
        )
        connection.exec_driver_sql(
            "INSERT INTO kalshi_settlement_change (market_ticker, old_result, new_result, "
            "old_settlement_value, new_settlement_value, run_id) "
            "SELECT kalshi_market.market_ticker, kalshi_market.result, "
            f"{MARKET.guarded('result')}, kalshi_market.settlement_value, {MARKET.guarded('settlement_value')}, %s "
            f"FROM kalshi_market JOIN `{staging.name}` s ON kalshi_market.market_ticker = s.market_ticker "
            f"WHERE kalshi_market.result <> {MARKET.guarded('result')} "
            f"OR kalshi_market.settlement_value <> {MARKET.guarded('settlement_value')}",
            (run_id,),
        )
        return staging.merge(run_id), placeholders


def write_unknown_markets(
    connection: sa.Connection, found: Sequence[Found[Market]], run_id: int
) -> tuple[WriteCounts, WriteCounts]:
    """Insert the markets that don't exist yet, flagged as placeholders; leave the others unchanged.

    Their series is read from their ticker. Returns the counts of markets and of events.
    """
    unknown = _unknown(connection, [f.record.ticker for f in found])
    new = [f for f in found if f.record.ticker in unknown]
    events = {f.record.event_ticker: series_of(f.record.event_ticker) for f in new}
    placeholders = _expect_events(connection, events, run_id)
    rows = [_market_row(f, events[f.record.event_ticker], is_placeholder=True) for f in new]
    with _reopening(connection, sorted(set(events.values())), new):
        return upsert(connection, MARKET_PLACEHOLDER, rows, run_id=run_id), placeholders


@contextmanager
def _reopening(connection: sa.Connection, series: Sequence[str], found: Sequence[Found[Market]]) -> Iterator[None]:
    """Reopen windows that were read without markets that the block adds, or without part of their lives."""
    tickers = [f.record.ticker for f in found]
    gaps.hold(connection, series)
    before = gaps.lives(connection, tickers)
    yield
    gaps.reopen_lives(connection, before, gaps.lives(connection, tickers))


def expect_markets(connection: sa.Connection, tickers: Sequence[str], run_id: int) -> None:
    """Insert placeholders for markets that don't exist yet, from their tickers alone."""
    unknown = sorted(_unknown(connection, tickers))
    _expect_events(connection, {t.rpartition("-")[0] or t: series_of(t) for t in unknown}, run_id)
    rows = [(t, t.rpartition("-")[0] or t, series_of(t), True) for t in unknown]
    upsert(connection, MARKET_TICKER, rows, run_id=run_id)


def _unknown(connection: sa.Connection, tickers: Sequence[str]) -> set[str]:
    query = text_with_lists("SELECT market_ticker FROM kalshi_market WHERE market_ticker IN :tickers", "tickers")
    return set(tickers) - set(connection.execute(query, {"tickers": list(tickers)}).scalars())


def _expect_events(connection: sa.Connection, series_by_event: dict[str, str], run_id: int) -> WriteCounts:
    """Insert placeholders for events, and first for series, that don't exist yet."""
    _expect_series(connection, set(series_by_event.values()), run_id)
    rows = [(ticker, series, event_date(ticker), True) for ticker, series in sorted(series_by_event.items())]
    return upsert(connection, EVENT_PLACEHOLDER, rows, run_id=run_id)


def _expect_series(connection: sa.Connection, tickers: set[str], run_id: int) -> None:
    upsert(connection, SERIES_PLACEHOLDER, [(ticker, True) for ticker in sorted(tickers)], run_id=run_id)


def lives_of_markets(
    connection: sa.Connection, series_ticker: str, start: datetime, end: datetime
) -> list[tuple[str, str, datetime, datetime, datetime | None]]:
    """Ticker, event, open, close and settlement of the markets that may have been open at any time between ``start``
    and ``end``. An open or close that isn't known counts as 1970 or 9999: such a market may trade at any time."""
    rows = connection.execute(
        sa.text(
            "SELECT market_ticker, event_ticker, open_time_utc, close_time_utc, settlement_ts_utc "
            "FROM kalshi_market WHERE series_ticker = :s "
            "AND (open_time_utc < :end OR open_time_utc IS NULL) "
            "AND (close_time_utc > :start OR close_time_utc IS NULL)"
        ),
        {"s": series_ticker, "start": naive_utc(start), "end": naive_utc(end)},
    )
    always, forever = gaps.ALWAYS
    return [
        (
            ticker,
            event,
            (opens or always).replace(tzinfo=UTC),
            (closes or forever).replace(tzinfo=UTC),
            settled and settled.replace(tzinfo=UTC),
        )
        for ticker, event, opens, closes, settled in rows
    ]


def timeless_markets(connection: sa.Connection, series_ticker: str) -> list[str]:
    """The markets of a series whose open or close time isn't known."""
    rows = connection.execute(
        sa.text(
            "SELECT market_ticker FROM kalshi_market WHERE series_ticker = :s "
            "AND (open_time_utc IS NULL OR close_time_utc IS NULL) ORDER BY 1"
        ),
        {"s": series_ticker},
    )
    return list(rows.scalars())


def open_around(
    connection: sa.Connection, series_ticker: str, start: datetime, end: datetime
) -> tuple[datetime | None, datetime | None]:
    """The latest close up to ``start`` and the first opening from ``end`` on of a series, naive UTC; None: there is
    none."""
    row = connection.execute(
        sa.text(
            "SELECT MAX(IF(close_time_utc <= :start, close_time_utc, NULL)), "
            "MIN(IF(open_time_utc >= :end, open_time_utc, NULL)) FROM kalshi_market WHERE series_ticker = :s"
        ),
        {"s": series_ticker, "start": naive_utc(start), "end": naive_utc(end)},
    ).one()
    return row[0], row[1]


def lock_series(connection: sa.Connection, series_ticker: str) -> None:
    """Allow only one transaction at a time to work on a series."""
    connection.execute(sa.text("SELECT 1 FROM kalshi_series WHERE series_ticker = :s FOR UPDATE"), {"s": series_ticker})


def placeholder_events(connection: sa.Connection, series_ticker: str) -> list[str]:
    """Tickers of a series' events that are known only from their markets."""
    rows = connection.execute(
        sa.text("SELECT event_ticker FROM kalshi_event WHERE series_ticker = :s AND is_placeholder ORDER BY 1"),
        {"s": series_ticker},
    )
    return list(rows.scalars())
