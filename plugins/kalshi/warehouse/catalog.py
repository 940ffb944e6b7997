"""Writes series, events and markets: parents before children, and never erasing a known settlement."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import NamedTuple

import sqlalchemy as sa

from kalshi.records import Event, Found, Market, Series
from kalshi.warehouse import gaps, sql
from kalshi.warehouse.checkpoints import COMBO, EVERYTHING
from kalshi.warehouse.tables import GIVEN, RAW, Column, Guard, Table
from kalshi.warehouse.writer import Row, Staging, WriteCounts, upsert

ALL = 2**31
"""In place of a number of rows."""
OF_SERIES = f"(:series = '{EVERYTHING}' OR series_ticker = :series)"
"""SQL: only the rows of a series, unless it is EVERYTHING."""
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


def _custom_strike(market: Market) -> bytes | None:
    sent = bytes(market.custom_strike)
    return None if sent == b"null" else sent


SERIES = Table(
    "kalshi_series",
    key=("series_ticker",),
    columns=(
        Column("series_ticker", "varchar", "ticker", null=False),
        Column("title", "text"),
        Column("category", "varchar"),
        Column("frequency", "varchar"),
        Column("tags", "json"),
        Column("settlement_sources", "json"),
        Column("contract_terms_url", "text"),
        Column("fee_type", "varchar"),
        Column("fee_multiplier", "decimal"),
        Column("is_placeholder", "tinyint", GIVEN, null=False),
        Column("raw_json", "longtext", RAW),
    ),
)
SERIES_PLACEHOLDER = SERIES.insert_only("series_ticker", "is_placeholder")

EVENT = Table(
    "kalshi_event",
    key=("event_ticker",),
    columns=(
        Column("event_ticker", "varchar", "ticker", null=False),
        Column("series_ticker", "varchar", null=False),
        Column("title", "text"),
        Column("sub_title", "text"),
        Column("category", "varchar"),
        Column("strike_date_utc", "datetime", "strike_date"),
        Column("strike_period", "varchar"),
        Column("event_date", "date", lambda event: event_date(event.ticker)),
        Column("mutually_exclusive", "tinyint"),
        Column("collateral_return_type", "varchar"),
        Column("is_placeholder", "tinyint", GIVEN, null=False),
        Column("raw_json", "longtext", RAW),
    ),
)
EVENT_PLACEHOLDER = EVENT.insert_only("event_ticker", "series_ticker", "event_date", "is_placeholder")

MARKET = Table(
    "kalshi_market",
    key=("market_ticker",),
    version="exchange_updated_at_utc",
    columns=(
        Column("market_ticker", "varchar", "ticker", null=False),
        Column("event_ticker", "varchar", null=False),
        Column("series_ticker", "varchar", GIVEN, null=False),
        Column("title", "text"),
        Column("subtitle", "text"),
        Column("yes_sub_title", "text"),
        Column("no_sub_title", "text"),
        Column("market_type", "varchar"),
        Column("status", "varchar", guard=Guard.KEEP_KNOWN),
        Column("settlement_value", "decimal", guard=Guard.KEEP_KNOWN_VALUE),
        Column("result", "varchar", guard=Guard.KEEP_KNOWN),
        Column("settlement_ts_utc", "datetime", "settlement_time", guard=Guard.KEEP_KNOWN_VALUE),
        Column("expiration_value", "text", guard=Guard.KEEP_KNOWN),
        Column("strike_type", "varchar"),
        Column("floor_strike", "decimal"),
        Column("cap_strike", "decimal"),
        Column("functional_strike", "text"),
        Column("custom_strike", "json", _custom_strike),
        Column("open_time_utc", "datetime", "open_time", Guard.KEEP_KNOWN_VALUE),
        Column("close_time_utc", "datetime", "close_time", Guard.KEEP_KNOWN_VALUE),
        Column("expiration_time_utc", "datetime", "expiration_time"),
        Column("expected_expiration_time_utc", "datetime", "expected_expiration_time"),
        Column("latest_expiration_time_utc", "datetime", "latest_expiration_time"),
        Column("exchange_created_at_utc", "datetime", "created_time"),
        Column("exchange_updated_at_utc", "datetime", "updated_time", guard=Guard.KEEP_KNOWN_VALUE),
        Column("can_close_early", "tinyint"),
        Column("settlement_timer_seconds", "bigint"),
        Column("last_price", "decimal"),
        Column("yes_bid", "decimal"),
        Column("yes_ask", "decimal"),
        Column("yes_bid_size", "decimal"),
        Column("yes_ask_size", "decimal"),
        Column("volume", "decimal"),
        Column("volume_24h", "decimal"),
        Column("open_interest", "decimal"),
        Column("is_placeholder", "tinyint", GIVEN, null=False),
        Column("raw_json", "longtext", RAW),
    ),
)
MARKET_PLACEHOLDER = MARKET.insert_only()
MARKET_TICKER = MARKET.insert_only("market_ticker", "event_ticker", "series_ticker", "is_placeholder")


DECISION_TIME = Table(
    "kalshi_decision_time",
    key=("event_ticker", "decision"),
    columns=(
        Column("event_ticker", "varchar", null=False),
        Column("decision", "varchar", null=False),
        Column("decided_at_utc", "datetime", null=False),
    ),
)


def write_series(connection: sa.Connection, found: Sequence[Found[Series]], run_id: int) -> WriteCounts:
    """Upsert ``kalshi_series``."""
    return upsert(connection, SERIES, SERIES.rows(found, is_placeholder=False), run_id=run_id)


def write_events(connection: sa.Connection, found: Sequence[Found[Event]], run_id: int) -> WriteCounts:
    """Upsert ``kalshi_event``, after placeholders for series that don't exist yet."""
    _expect_series(connection, {f.record.series_ticker for f in found}, run_id)
    return upsert(connection, EVENT, EVENT.rows(found, is_placeholder=False), run_id=run_id)


def series_of(ticker: str) -> str:
    """The series in an event or market ticker: KXHIGHNY in KXHIGHNY-26SEP23-T72."""
    return ticker.partition("-")[0]


def series_of_each(
    connection: sa.Connection, table: Table, tickers: Collection[str], series_ticker: str = EVERYTHING
) -> dict[str, str]:
    """The series of these events or markets (``table``): ``series_ticker``, or, if that is EVERYTHING, the one that is
    stored, else what their tickers say."""
    if series_ticker != EVERYTHING:
        return dict.fromkeys(tickers, series_ticker)
    (key,) = table.key
    query = f"SELECT {key}, series_ticker FROM {table.name} WHERE {key} IN :tickers"
    known = {row[0]: row[1] for row in sql.run(connection, query, tickers=list(tickers))}
    return {ticker: known.get(ticker) or series_of(ticker) for ticker in tickers}


def write_markets(
    connection: sa.Connection, found: Sequence[Found[Market]], series_ticker: str, run_id: int
) -> dict[str, WriteCounts]:
    """Upsert ``kalshi_market``, after placeholders for series and events that don't exist yet.

    ``series_ticker``: the series of all; or EVERYTHING: that of each one's event (:func:`series_of_each`).
    Every change of a known result or settlement value is recorded in ``kalshi_settlement_change``, in the
    same transaction. Returns the counts by table; of events, those of new placeholders.
    """
    series = series_of_each(connection, EVENT, {f.record.event_ticker for f in found}, series_ticker)
    placeholders = _expect_events(connection, series, run_id)
    rows = MARKET.rows(found, series_ticker=lambda market: series[market.event_ticker], is_placeholder=False)
    with _staged(connection, MARKET, rows, sorted(set(series.values()))) as (staging, stored):
        if stored:
            _note_settlement_changes(connection, staging, run_id)
        return {"kalshi_market": staging.merge(run_id), "kalshi_event": placeholders}


def _note_settlement_changes(connection: sa.Connection, staging: Staging, run_id: int) -> None:
    """Insert into ``kalshi_settlement_change`` what the staged markets will change of known settlements."""
    sql.run(
        connection,
        "INSERT INTO kalshi_settlement_change (market_ticker, old_result, new_result, "
        "old_settlement_value, new_settlement_value, run_id) "
        f"SELECT kalshi_market.market_ticker, kalshi_market.result, {MARKET.guarded('result')}, "
        f"kalshi_market.settlement_value, {MARKET.guarded('settlement_value')}, :run_id "
        f"FROM kalshi_market JOIN `{staging.name}` s ON kalshi_market.market_ticker = s.market_ticker "
        f"WHERE kalshi_market.result <> {MARKET.guarded('result')} "
        f"OR kalshi_market.settlement_value <> {MARKET.guarded('settlement_value')}",
        run_id=run_id,
    )


def write_unknown_markets(
    connection: sa.Connection, found: Sequence[Found[Market]], run_id: int
) -> dict[str, WriteCounts]:
    """Insert the markets that don't exist yet, flagged as placeholders; leave the others unchanged. Returns the counts
    by table."""
    missing = unknown(connection, MARKET, (f.record.ticker for f in found))
    new = [f for f in found if f.record.ticker in missing]
    events = series_of_each(connection, EVENT, {f.record.event_ticker for f in new})
    placeholders = _expect_events(connection, events, run_id)
    if not new:
        return {"kalshi_market": WriteCounts(), "kalshi_event": placeholders}
    rows = MARKET_PLACEHOLDER.rows(new, series_ticker=lambda m: events[m.event_ticker], is_placeholder=True)
    with _staged(connection, MARKET_PLACEHOLDER, rows, sorted(set(events.values()))) as (staging, _):
        return {"kalshi_market": staging.merge(run_id), "kalshi_event": placeholders}


@contextmanager
def _staged(
    connection: sa.Connection, table: Table, rows: Sequence[Row], series: Sequence[str]
) -> Iterator[tuple[Staging, int]]:
    """Stage markets of these series for the block to merge, and reopen windows that were read without them, or without
    part of their lives. Yields also how many of them are stored already.

    The stored ones are locked: two runs that saw the same old value would both act on it.
    """
    gaps.hold(connection, series)
    with Staging(connection, table, rows) as staging:
        joined = f"FROM `{staging.name}` s LEFT JOIN kalshi_market ON kalshi_market.market_ticker = s.market_ticker"
        # Not COUNT(*): without a column of the table, MariaDB leaves it out, and locks nothing.
        stored = sql.run(connection, f"SELECT COUNT(kalshi_market.market_ticker) {joined} FOR UPDATE").scalar_one()
        changes = _changes_of_life(connection, table, joined) if gaps.is_any_begun(connection, series) else []
        yield staging, int(stored)
        gaps.reopen_lives(connection, changes)


def _changes_of_life(connection: sa.Connection, table: Table, joined: str) -> list[gaps.LifeChange]:
    """The staged markets that are new or whose life will change; ``joined``: the SQL that joins them to the table."""
    columns = ("series_ticker", "open_time_utc", "close_time_utc")
    old = [table.qualified(column) for column in columns]
    new = [f"IF({old[0]} IS NULL, s.`{c}`, {table.guarded(c)})" for c in columns]
    is_same = " AND ".join(f"{before} <=> {after}" for before, after in zip(old, new, strict=True))
    # FOR UPDATE reads what the lock holds, not what was there when the transaction began.
    query = f"SELECT s.market_ticker, {', '.join(old + new)} {joined} WHERE NOT ({is_same}) FOR UPDATE"
    return [
        gaps.LifeChange(ticker, gaps.Life(*life[:3]) if life[0] else None, gaps.Life(*life[3:]))
        for ticker, *life in sql.run(connection, query)
    ]


def expect_markets(connection: sa.Connection, tickers: Sequence[str], run_id: int) -> None:
    """Insert placeholders for markets that don't exist yet, from their tickers alone."""
    missing = sorted(unknown(connection, MARKET, tickers))
    _expect_events(connection, {t.rpartition("-")[0] or t: series_of(t) for t in missing}, run_id)
    rows = [(t, t.rpartition("-")[0] or t, series_of(t), True) for t in missing]
    upsert(connection, MARKET_TICKER, rows, run_id=run_id)


def unknown(connection: sa.Connection, table: Table, tickers: Iterable[str]) -> set[str]:
    """Those of the tickers that the table doesn't have."""
    wanted, (key,) = set(tickers), table.key
    if not wanted:
        return set()
    query = f"SELECT {key} FROM {table.name} WHERE {key} IN :tickers"
    return wanted - set(sql.run(connection, query, tickers=wanted).scalars())


def _expect_events(connection: sa.Connection, series_by_event: dict[str, str], run_id: int) -> WriteCounts:
    """Insert placeholders for events, and first for series, that don't exist yet."""
    _expect_series(connection, set(series_by_event.values()), run_id)
    missing = sorted(unknown(connection, EVENT, series_by_event))
    rows = [(ticker, series_by_event[ticker], event_date(ticker), True) for ticker in missing]
    written = upsert(connection, EVENT_PLACEHOLDER, rows, run_id=run_id)
    return WriteCounts(inserted=written.inserted)  # an event that was there is no placeholder


def _expect_series(connection: sa.Connection, tickers: set[str], run_id: int) -> None:
    missing = sorted(unknown(connection, SERIES, tickers))
    upsert(connection, SERIES_PLACEHOLDER, [(ticker, True) for ticker in missing], run_id=run_id)


class MarketLife(NamedTuple):
    """When a market may trade, aware UTC. An open or close that isn't known counts as 1970 or 9999."""

    ticker: str
    event_ticker: str
    series_ticker: str
    opens: datetime
    closes: datetime
    settled: datetime | None


def lives_of_markets(
    connection: sa.Connection,
    series_ticker: str,
    start: datetime,
    end: datetime,
    *,
    market: str = "",
    after: tuple[str, str] = ("", ""),
    most: int = ALL,
) -> list[MarketLife]:
    """The markets of a series, or of EVERYTHING, that may have been open at any time between ``start`` and ``end``, by
    event and ticker.

    ``market``: only this one, unless empty; ``after``: only those behind this event and ticker; at ``most`` so many.
    """
    # Their order is that of the index: of EVERYTHING, sorting all of them for each page would take minutes.
    hint = "FORCE INDEX (event)" if series_ticker == EVERYTHING and not market else ""
    rows = sql.run(
        connection,
        "SELECT market_ticker, event_ticker, series_ticker, open_time_utc, close_time_utc, settlement_ts_utc "
        f"FROM kalshi_market {hint} WHERE {OF_SERIES} AND (:market = '' OR market_ticker = :market) "
        f"AND (:series <> '{EVERYTHING}' OR event_ticker NOT LIKE '{COMBO}%') "
        "AND (open_time_utc < :end OR open_time_utc IS NULL) "
        "AND (close_time_utc > :start OR close_time_utc IS NULL) "
        "AND event_ticker >= :event AND (event_ticker > :event OR market_ticker > :after) "
        "ORDER BY event_ticker, market_ticker LIMIT :most",
        series=series_ticker,
        start=start,
        end=end,
        market=market,
        event=after[0],
        after=after[1],
        most=most,
    )
    always, forever = gaps.ALWAYS
    return [
        MarketLife(
            ticker,
            event,
            series,
            (opens or always).replace(tzinfo=UTC),
            (closes or forever).replace(tzinfo=UTC),
            settled and settled.replace(tzinfo=UTC),
        )
        for ticker, event, series, opens, closes, settled in rows
    ]


def open_markets_by_series(connection: sa.Connection, start: datetime, end: datetime) -> dict[str, int]:
    """How many markets of each series, but for multivariate combinations, may have been open at any time between
    ``start`` and ``end``."""
    rows = sql.run(
        connection,
        "SELECT series_ticker, COUNT(*) FROM kalshi_market WHERE (open_time_utc < :end OR open_time_utc IS NULL) "
        "AND (close_time_utc > :start OR close_time_utc IS NULL) "
        f"AND series_ticker NOT LIKE '{COMBO}%' GROUP BY series_ticker",
        start=start,
        end=end,
    )
    return {series: int(markets) for series, markets in rows}


def all_series(connection: sa.Connection) -> list[str]:
    """The tickers of all series that are stored."""
    return list(sql.run(connection, "SELECT series_ticker FROM kalshi_series ORDER BY 1").scalars())


def dates_of_events(connection: sa.Connection, series_ticker: str) -> list[tuple[str, date]]:
    """The events of a series, each with its local climate date, where that is known."""
    query = "SELECT event_ticker, event_date FROM kalshi_event WHERE series_ticker = :series AND event_date IS NOT NULL"
    return [tuple(row) for row in sql.run(connection, query, series=series_ticker)]


def timeless_markets(connection: sa.Connection, series_ticker: str, market: str = "") -> list[tuple[str, str]]:
    """The markets of a series, or of EVERYTHING, whose open or close time isn't known, each with its series; only this
    ``market``, unless empty."""
    rows = sql.run(
        connection,
        "SELECT market_ticker, series_ticker FROM kalshi_market "
        f"WHERE {OF_SERIES} AND (:market = '' OR market_ticker = :market) "
        "AND (open_time_utc IS NULL OR close_time_utc IS NULL) ORDER BY 1",
        series=series_ticker,
        market=market,
    )
    return [tuple(row) for row in rows]


def open_around(
    connection: sa.Connection, series_ticker: str, start: datetime, end: datetime
) -> tuple[datetime | None, datetime | None]:
    """The latest close up to ``start`` and the first opening from ``end`` on of a series, naive UTC; None: there is
    none."""
    row = sql.run(
        connection,
        "SELECT MAX(IF(close_time_utc <= :start, close_time_utc, NULL)), "
        "MIN(IF(open_time_utc >= :end, open_time_utc, NULL)) FROM kalshi_market WHERE series_ticker = :series",
        series=series_ticker,
        start=start,
        end=end,
    ).one()
    return row[0], row[1]


def lock_series(connection: sa.Connection, series_ticker: str) -> None:
    """Allow only one transaction at a time to work on a series, or on any of EVERYTHING."""
    which = "" if series_ticker == EVERYTHING else "WHERE series_ticker = :series"
    sql.run(connection, f"SELECT 1 FROM kalshi_series {which} FOR UPDATE", series=series_ticker).all()


def placeholder_events(connection: sa.Connection, series_ticker: str) -> list[str]:
    """Tickers of a series' events, or of those of EVERYTHING, that are known only from their markets."""
    rows = sql.run(
        connection,
        f"SELECT event_ticker FROM kalshi_event WHERE {OF_SERIES} AND is_placeholder "
        f"AND (:series <> '{EVERYTHING}' OR event_ticker NOT LIKE '{COMBO}%') ORDER BY 1",
        series=series_ticker,
    )
    return list(rows.scalars())
