"""Data quality: seconds of a one-day quality run, by the rows of history in the table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.quality.run import QualityRequest, check_series
from kalshi.settings import load_settings
from kalshi.warehouse.server import in_transaction
from scripts.bench.contest import fresh_warehouse
from scripts.private_server import PrivateServer

SERIES = ("KXHIGHAA", "KXHIGHBB", "KXHIGHCC", "KXHIGHDD", "KXHIGHEE", "KXHIGHFF", "KXHIGHGG")
BRACKETS = 6
MINUTES = 39 * 60
"""A market opens at 14:00 UTC on the day before its event and closes 39 hours later."""
EVENT_ROWS = len(SERIES) * BRACKETS * MINUTES
NEWEST = datetime(2026, 9, 20, tzinfo=UTC)
DAY = timedelta(days=1)

EVENTS = """
INSERT INTO kalshi_event (event_ticker, series_ticker, event_date, mutually_exclusive, run_id)
SELECT CONCAT(s.series_ticker, '-', d.day), s.series_ticker, d.day, TRUE, 1 FROM kalshi_series s JOIN new_day d
"""
OF_THE_DAY = """
FROM new_day d
STRAIGHT_JOIN kalshi_series s
STRAIGHT_JOIN kalshi_event e ON e.event_ticker = CONCAT(s.series_ticker, '-', d.day)
"""
"""In this order, so that a day takes as long after a thousand others as it takes at first."""
MARKETS_OF_THE_DAY = f"{OF_THE_DAY}STRAIGHT_JOIN kalshi_market m ON m.event_ticker = e.event_ticker"
MARKETS = f"""
INSERT INTO kalshi_market (market_ticker, event_ticker, series_ticker, status, result, strike_type, floor_strike,
  cap_strike, open_time_utc, close_time_utc, settlement_value, run_id)
SELECT CONCAT(e.event_ticker, '-', n.seq), e.event_ticker, e.series_ticker, 'finalized', IF(n.seq = 2, 'yes', 'no'),
  CASE n.seq WHEN 0 THEN 'less' WHEN 5 THEN 'greater' ELSE 'between' END,
  CASE n.seq WHEN 0 THEN NULL WHEN 5 THEN 68 ELSE 58 + 2 * n.seq + 1 END,
  CASE n.seq WHEN 0 THEN 61 WHEN 5 THEN NULL ELSE 58 + 2 * n.seq + 2 END,
  e.event_date - INTERVAL 10 HOUR, e.event_date + INTERVAL 29 HOUR, IF(n.seq = 2, 1, 0), 1
{OF_THE_DAY} STRAIGHT_JOIN bracket n
"""
SETTLEMENTS = f"""
INSERT INTO kalshi_settlement (market_ticker, event_ticker, series_ticker, result, settlement_value, settled_at_utc,
  settled_at_source, run_id)
SELECT m.market_ticker, m.event_ticker, m.series_ticker, m.result, m.settlement_value,
  m.close_time_utc + INTERVAL 6 HOUR, 'settlement_ts', 1
{MARKETS_OF_THE_DAY}
"""
DECISIONS = f"""
INSERT INTO kalshi_decision_time (event_ticker, decision, decided_at_utc, run_id)
SELECT e.event_ticker, 'day_10', e.event_date + INTERVAL 14 HOUR, 1
{OF_THE_DAY}
"""
CANDLES = f"""
INSERT INTO kalshi_candle_1m (market_ticker, bucket_start_utc, source, period_minutes, yes_bid_open, yes_bid_high,
  yes_bid_low, yes_bid_close, yes_ask_open, yes_ask_high, yes_ask_low, yes_ask_close, volume, open_interest, run_id)
SELECT m.market_ticker, m.open_time_utc + INTERVAL t.seq MINUTE, 'api_event', 1, 0.40, 0.41, 0.40, 0.40, 0.43, 0.43,
  0.42, 0.42, 0, 10, 1
{MARKETS_OF_THE_DAY} STRAIGHT_JOIN minute t
ORDER BY m.market_ticker, t.seq
"""


def prepare(engine: sa.Engine) -> None:
    """Create the series, and tables of numbers to generate rows from."""
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO kalshi_series (series_ticker, fee_type, fee_multiplier, run_id) "
                "VALUES (:s, 'quadratic', 1, 1)"
            ),
            [{"s": ticker} for ticker in SERIES],
        )
        connection.exec_driver_sql("CREATE TABLE new_day (day DATE NOT NULL PRIMARY KEY)")
        for table, count in (("bracket", BRACKETS), ("minute", MINUTES)):
            connection.exec_driver_sql(f"CREATE TABLE {table} (seq INT NOT NULL PRIMARY KEY)")
            connection.execute(sa.text(f"INSERT INTO {table} VALUES (:n)"), [{"n": n} for n in range(count)])


def add_days(engine: sa.Engine, first: datetime, days: int) -> None:
    """Add events for that many days up to ``first``, with a candle for every minute of their markets' lives."""
    for number in range(days):
        day = (first - number * DAY).date()

        def add(connection: sa.Connection, day: object = day) -> None:
            connection.execute(sa.text("DELETE FROM new_day"))
            connection.execute(sa.text("INSERT INTO new_day VALUES (:day)"), {"day": day})
            for statement in (EVENTS, MARKETS, SETTLEMENTS, DECISIONS, CANDLES):
                connection.exec_driver_sql(statement)

        in_transaction(engine, add)


def seconds_of(engine: sa.Engine, days: int, series: Sequence[str] = SERIES, newest: datetime = NEWEST) -> float:
    """Run the quality checks on the newest days of these series."""
    rules = load_settings().quality
    began = time.perf_counter()
    for ticker in series:
        check_series(
            engine, QualityRequest(ticker, window_start=newest - (days - 1) * DAY, window_end=newest + DAY), rules
        )
    return time.perf_counter() - began


def measure(server: PrivateServer, sizes: list[int], days: int) -> str:
    """The table: seconds for one day, and for ``days`` days on the largest table, by candles in the warehouse."""
    cells: list[list[object]] = []
    there = 0
    with fresh_warehouse(server) as engine:
        prepare(engine)
        for size in sorted(sizes):
            wanted = max(3, round(size / EVENT_ROWS))
            add_days(engine, NEWEST + DAY - there * DAY, wanted - there)
            there = wanted
            with engine.begin() as connection:
                connection.exec_driver_sql("ANALYZE TABLE kalshi_candle_1m, kalshi_market, kalshi_settlement")
            seconds_of(engine, 1)  # warm the server's cache
            cells.append([f"{there * EVENT_ROWS:,}", "one day", seconds_of(engine, 1)])
            print(f"quality: one day, {cells[-1][0]} candles in the table …", flush=True)
        cells.append([cells[-1][0], f"{min(days, there)} days", seconds_of(engine, min(days, there))])
    headers = ["candles in the table", "quality run of", "seconds"]
    return tabulate(cells, headers=headers, floatfmt=".1f", colalign=("right", "left", "right"))
