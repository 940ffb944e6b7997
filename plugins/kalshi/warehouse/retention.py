"""Months of rows that are dropped on purpose: ``kalshi_dropped_month``. Times are aware UTC, a month is its first day.

What a job has read of a dropped month is forgotten with its rows, so that the month counts as never read: no gap, no
verdict, and a run that asks for it reads it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import sqlalchemy as sa

from kalshi.warehouse import catalog, checkpoints, sql
from kalshi.warehouse.checkpoints import EPOCH, EVERYTHING, Window
from kalshi.warehouse.ledger import STALE_MINUTES
from kalshi.warehouse.months import FIRST, PARTITIONED, after, each_month, midnight, month_of, name_of
from kalshi.warehouse.server import error_of, in_transaction, wait_for_long

ROWS_PER_DELETE = 10_000
LOCK_SECONDS = 20
"""A partition is emptied once no transaction uses its table; meanwhile new ones wait."""
NOT_PARTITIONED = 1505
NO_SUCH_PARTITION = {1507, 1735}
"""The servers' error numbers."""
WINDOWS = ("kalshi_checkpoint", "kalshi_gap")
READERS = ("candles", "trades", "reconciliation")
"""The jobs, as in kalshi_sync_run, that fill the tables below."""


@dataclass(frozen=True)
class Prunable:
    """A table whose old months may be dropped. ``setting``: its name in ``kalshi.toml``; ``time``: the column that says
    in which month a row lies; ``jobs``: whose windows and gaps are about its rows."""

    table: str
    setting: str
    time: str
    jobs: tuple[str, ...] = ()


PRUNABLE = (
    Prunable("kalshi_candle_1m_dense", "dense_months", "bucket_start_utc", ("candles_dense",)),
    Prunable("kalshi_price_snapshot", "snapshots_months", "snapshot_at_utc"),
    Prunable("kalshi_trade", "trades_months", "executed_at_utc", ("trades",)),
    Prunable("kalshi_candle_1m", "candles_months", "bucket_start_utc", ("candles", "candles_from_trades")),
)
"""In the order in which they are dropped: what is derived from others before them. kalshi_trade isn't partitioned: its
key is the trade's id, and a month in the key would let one trade be two."""

TABLES = tuple(prunable.table for prunable in PRUNABLE)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True)
class Month:
    """A month of a table, and how many rows it has."""

    of: Prunable
    first_day: date
    rows: int

    @property
    def start(self) -> datetime:
        """Where it begins; the first month holds everything older, too."""
        return EPOCH if self.first_day == FIRST else midnight(self.first_day)

    @property
    def end(self) -> datetime:
        return midnight(after(self.first_day))


class NotPartitioned(RuntimeError):
    """The table has no partitions, so no month of it can be dropped; the message says what to do."""


class MonthChanged(RuntimeError):
    """The month has other rows than before; nothing was dropped."""


def old_months(engine: sa.Engine, prunable: Prunable, before: date) -> Iterator[Month]:
    """The months that begin ``before`` this one and have rows, the earliest first. Each is counted when it is asked
    for."""
    for first_day in each_month(FIRST, before):
        month = Month(prunable, first_day, 0)
        if rows := in_transaction(engine, _rows, month):
            yield replace(month, rows=rows)


def _rows(connection: sa.Connection, month: Month) -> int:
    table, time = month.of.table, month.of.time
    query = f"SELECT COUNT(*) FROM `{table}` WHERE `{time}` >= :start AND `{time}` < :end"
    return int(sql.run(connection, query, start=month.start, end=month.end).scalar_one())


def check_may_drop(engine: sa.Engine, prunable: Prunable) -> None:
    """Try, before anything is decided, whether months of the table can be dropped.

    Raises:
        NotPartitioned: the table isn't partitioned.
        sqlalchemy.exc.OperationalError: the user lacks the privileges.
    """
    if prunable.table not in PARTITIONED:
        return
    try:
        _run_alone(engine, f"ALTER TABLE `{prunable.table}` TRUNCATE PARTITION no_such_partition")
    except sa.exc.DBAPIError as error:
        if error_of(error)[0] == NOT_PARTITIONED:
            raise NotPartitioned(f"{prunable.table} isn't partitioned: run python -m kalshi migrate.") from error
        if error_of(error)[0] not in NO_SUCH_PARTITION:
            raise


def _run_alone(engine: sa.Engine, statement: str) -> None:
    """Run a statement that waits for its table only for so long, in a connection of its own."""
    with engine.connect() as connection:
        wait_for_long(connection)
        connection.detach()  # what is set here goes with the connection
        connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}")
        connection.exec_driver_sql(statement)


def decide(connection: sa.Connection, month: Month, exported_to: str | None, run_id: int) -> list[str]:
    """Note that the month is dropped, and forget what was read up to its end; or, if living runs read it, return them.

    No reading begins before the transaction ends.

    Raises:
        MonthChanged: it doesn't have the rows any more that were exported.
    """
    if exported_to and (rows := _rows(connection, month)) != month.rows:
        raise MonthChanged(
            f"{month.of.table} had {month.rows:,} rows of {month.first_day:%Y-%m} when it was exported, and has "
            f"{rows:,} now: it is kept. Run it again."
        )
    if month.of.jobs:
        catalog.lock_series(connection, EVERYTHING)
        values = {"jobs": READERS, "before": month.end, "stale_minutes": STALE_MINUTES}
        readers = sql.run_file(connection, "retention", "readers", **values).all()
        if readers:
            return [f"run {run_id} ({job} of {scope})" for run_id, job, scope in readers]
        for earlier in each_month(_first_read(connection, month), month.first_day):  # may have had gaps alone
            sql.run(
                connection,
                "INSERT IGNORE INTO kalshi_dropped_month (table_name, month, row_count, run_id) "
                "VALUES (:table, :month, 0, :run_id)",
                table=month.of.table,
                month=earlier,
                run_id=run_id,
            )
        _forget(connection, month)
    _note(connection, month, exported_to, run_id)
    return []


def _first_read(connection: sa.Connection, month: Month) -> date:
    """The month in which the earliest window or gap begins."""
    query = " UNION ALL ".join(f"SELECT MIN(window_start_utc) FROM {table} WHERE job IN :jobs" for table in WINDOWS)
    found = [each.replace(tzinfo=UTC) for each in sql.run(connection, query, jobs=month.of.jobs).scalars() if each]
    return max(FIRST, month_of(min(found))) if found else month.first_day


def _forget(connection: sa.Connection, month: Month) -> None:
    values = {"jobs": month.of.jobs, "end": month.end}
    for table in WINDOWS:
        # A window that reaches further begins at the end of the month from now on, unless there is one that does.
        sql.run(
            connection,
            f"UPDATE IGNORE {table} SET window_start_utc = :end "
            "WHERE job IN :jobs AND window_start_utc < :end AND window_end_utc > :end",
            **values,
        )
        sql.run(connection, f"DELETE FROM {table} WHERE job IN :jobs AND window_start_utc < :end", **values)
    sql.run(
        connection,
        "UPDATE kalshi_rejected_record SET resolved_at_utc = CURRENT_TIMESTAMP(6) "
        "WHERE resolved_at_utc IS NULL AND job IN :jobs AND window_end_utc <= :end",
        **values,
    )


def _note(connection: sa.Connection, month: Month, exported_to: str | None, run_id: int) -> None:
    sql.run(
        connection,
        "INSERT INTO kalshi_dropped_month (table_name, month, row_count, exported_to, run_id) "
        "VALUES (:table, :month, :rows, :exported_to, :run_id) ON DUPLICATE KEY UPDATE row_count = :rows, "
        "exported_to = :exported_to, dropped_at_utc = CURRENT_TIMESTAMP(6), run_id = :run_id",
        table=month.of.table,
        month=month.first_day,
        rows=month.rows,
        exported_to=exported_to,
        run_id=run_id,
    )


def drop(engine: sa.Engine, month: Month) -> None:
    """Drop the rows of a month that was noted: a partition in one statement, other rows in batches."""
    table, time = month.of.table, month.of.time
    if table not in PARTITIONED:
        delete = f"DELETE FROM `{table}` WHERE `{time}` >= :start AND `{time}` < :end LIMIT {ROWS_PER_DELETE}"
        while in_transaction(engine, lambda c: sql.run(c, delete, start=month.start, end=month.end).rowcount):
            pass
        return
    _run_alone(engine, f"ALTER TABLE `{table}` TRUNCATE PARTITION {name_of(month.first_day)}")


@dataclass(frozen=True)
class DroppedMonth:
    """A month that was dropped on purpose. ``at``: when, aware UTC."""

    table: str
    first_day: date
    rows: int
    at: datetime

    @property
    def start(self) -> datetime:
        return midnight(self.first_day)

    @property
    def end(self) -> datetime:
        return midnight(after(self.first_day))


def dropped(
    connection: sa.Connection, tables: Iterable[str] = TABLES, start: datetime = EPOCH, end: datetime = NEVER
) -> list[DroppedMonth]:
    """The months of these tables that were dropped on purpose, and lie at least in part between ``start`` and ``end``,
    the earliest first."""
    rows = sql.run_file(connection, "retention", "dropped", tables=list(tables), start=start, end=end)
    return [DroppedMonth(table, month, count, at.replace(tzinfo=UTC)) for table, month, count, at in rows]


def missing_on_purpose(
    connection: sa.Connection, tables: Iterable[str], scope: str, start: datetime, end: datetime
) -> list[DroppedMonth]:
    """The same, but for what was read of a scope once more since."""
    job_of = {prunable.table: prunable.jobs[0] for prunable in PRUNABLE if prunable.jobs}

    def is_back(month: DroppedMonth) -> bool:
        part = Window(job_of[month.table], scope, max(start, month.start), min(end, month.end))
        return checkpoints.was_begun(connection, part)

    return [month for month in dropped(connection, tables, start, end) if not is_back(month)]
