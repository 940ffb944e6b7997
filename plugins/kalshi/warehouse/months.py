"""Tables partitioned by month, so that a month is dropped in one statement however large the table is.

A month is its first day, in UTC. One before the first partition, or after the last, lies in the partition beside it.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

import sqlalchemy as sa

from kalshi.warehouse import sql

log = logging.getLogger(__name__)
PARTITIONED = {
    "kalshi_candle_1m": "bucket_start_utc",
    "kalshi_candle_1m_dense": "bucket_start_utc",
    "kalshi_price_snapshot": "snapshot_at_utc",
}
"""The tables with a row a minute, each with the column that says in which month a row lies."""
FIRST = date(2021, 7, 1)
"""The month in which the exchange opened."""
AHEAD, FEWEST = 24, 12
"""Partitions are made for the next 24 months, once there are fewer than 12; later rows go to one more partition."""
NAME = re.compile(r"p\d{4}_\d\d")
LATER = "later"
"""The partition of all months that have no partition yet."""
SAMPLE_ROWS = 200_000
SAMPLE = "kalshi_months_sample"
TOLD_SECONDS = 30


def name_of(month: date) -> str:
    """The partition's name, such as ``p2026_09``."""
    return f"p{month:%Y_%m}"


def month_of(moment: datetime) -> date:
    """The first day of the month of an aware time."""
    return moment.astimezone(UTC).date().replace(day=1)


def midnight(day: date) -> datetime:
    """When a day begins, aware UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def after(month: date, number: int = 1) -> date:
    """So many months later; earlier, if the number is negative."""
    year, index = divmod(12 * month.year + month.month - 1 + number, 12)
    return date(year, index + 1, 1)


def each_month(first: date, end: date) -> Iterator[date]:
    """The months from ``first`` on that begin before ``end``."""
    while first < end:
        yield first
        first = after(first)


def partition(connection: sa.Connection) -> None:
    """Partition what isn't partitioned yet, and make the months ahead. Goes on with the next table where it stopped.

    While a table is rebuilt, which takes as much disk again, it can be read; writes wait. DDL: commits.
    """
    if not _has_files(connection):
        log.warning("The server keeps all tables in one file, so none is partitioned: set innodb_file_per_table = 1.")
        return
    for table, column in PARTITIONED.items():
        if not months_of(connection, table):
            with _telling(table, seconds_about(connection, table)):
                connection.exec_driver_sql(f"ALTER TABLE `{table}` {_by_month(column, ahead())}")
    for table, last in ending(connection, ahead(AHEAD - 1)).items():
        extend(connection, table, last)


def ending(connection: sa.Connection, before: date) -> dict[str, date]:
    """The partitioned tables whose last month is ``before`` this one, each with it."""
    there = {table: months_of(connection, table) for table in PARTITIONED}
    return {table: each[-1] for table, each in there.items() if each and each[-1] < before}


def extend(connection: sa.Connection, table: str, last: date) -> None:
    """Make the months after the ``last`` of a partitioned table. DDL: commits."""
    more = _definitions(after(last), ahead())
    connection.exec_driver_sql(f"ALTER TABLE `{table}` REORGANIZE PARTITION {LATER} INTO ({more})")


def has_later_rows(connection: sa.Connection, table: str) -> bool:
    """Whether rows already lie in the partition of all later months, so that making those rewrites them."""
    return bool(sql.run(connection, f"SELECT EXISTS (SELECT 1 FROM `{table}` PARTITION ({LATER}))").scalar_one())


def rows_to_partition(connection: sa.Connection) -> int:
    """About how many rows :func:`partition` will rewrite."""
    if not _has_files(connection):
        return 0
    return sum(_rows_about(connection, table) for table in PARTITIONED if not months_of(connection, table))


def ahead(number: int = AHEAD) -> date:
    """The month so many months after the current one."""
    return after(month_of(datetime.now(UTC)), number)


@contextmanager
def _telling(what: str, seconds: float) -> Iterator[None]:
    """Log what long work the block does, how long it will take and how far it is."""
    if not seconds:
        yield
        return
    log.info("Partitioning %s: about %s.", what, _in_words(seconds))
    began, is_done = time.monotonic(), threading.Event()

    def tell() -> None:
        while not is_done.wait(TOLD_SECONDS):
            log.info("%s: %s of about %s.", what, _in_words(time.monotonic() - began), _in_words(seconds))

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        is_done.set()
        teller.join()
    log.info("%s: partitioned in %s.", what, _in_words(time.monotonic() - began))


def months_of(connection: sa.Connection, table: str) -> list[date]:
    """The months that have a partition of their own, the earliest first; none if the table isn't partitioned."""
    names = sql.run_file(connection, "retention", "partitions", table=table).scalars()
    return [date(int(name[1:5]), int(name[6:]), 1) for name in names if NAME.fullmatch(name)]


def _has_files(connection: sa.Connection) -> bool:
    """Whether each table is a file: MySQL partitions no other."""
    return bool(sql.run(connection, "SELECT @@innodb_file_per_table").scalar_one())


def _rows_about(connection: sa.Connection, table: str) -> int:
    """How many rows the server estimates now. By itself MySQL would say what it estimated up to a day ago, or none just
    after the table was altered."""
    connection.exec_driver_sql(f"ANALYZE TABLE `{table}`").all()
    query = "SELECT table_rows FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = :table"
    return int(sql.run(connection, query, table=table).scalar_one_or_none() or 0)


def seconds_about(connection: sa.Connection, table: str) -> float:
    """How long partitioning it will take: copies a sample into a table like it. 0 if that would take as long."""
    if (rows := _rows_about(connection, table)) <= SAMPLE_ROWS:
        return 0
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {SAMPLE}")  # of a migration that was killed
    connection.exec_driver_sql(f"CREATE TABLE {SAMPLE} LIKE `{table}`")
    connection.exec_driver_sql(f"ALTER TABLE {SAMPLE} {_by_month(PARTITIONED[table], ahead())}")
    began = time.monotonic()
    connection.exec_driver_sql(f"INSERT INTO {SAMPLE} SELECT * FROM `{table}` LIMIT {SAMPLE_ROWS}")
    connection.commit()
    seconds = (time.monotonic() - began) * rows / SAMPLE_ROWS
    connection.exec_driver_sql(f"DROP TABLE {SAMPLE}")
    return seconds


def _by_month(column: str, until: date) -> str:
    return f"PARTITION BY RANGE COLUMNS (`{column}`) ({_definitions(FIRST, until)})"


def _definitions(first: date, until: date) -> str:
    each = (f"PARTITION {name_of(m)} VALUES LESS THAN ('{after(m)}')" for m in each_month(first, until))
    return ", ".join([*each, f"PARTITION {LATER} VALUES LESS THAN (MAXVALUE)"])


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:,.0f} minutes" if seconds >= 120 else f"{seconds:,.0f} seconds"
