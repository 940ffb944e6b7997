"""Months of rows that are dropped on purpose: ``kalshi_dropped_month``. Times are aware UTC, a month is its first day.

A month goes in three steps, each noted: ``exporting`` (no reading of it begins any more), ``dropping`` (what was read
of it is forgotten, in the same transaction) and ``dropped``. What a run that was killed has left, the next one
finishes. Afterwards the month counts as never read: no gap, no verdict, and a run that asks for it reads it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from kalshi.warehouse import catalog, checkpoints, gaps, sql
from kalshi.warehouse.capabilities import DENIED
from kalshi.warehouse.checkpoints import EPOCH, EVERYTHING, Window
from kalshi.warehouse.ledger import STALE_MINUTES
from kalshi.warehouse.months import FIRST, PARTITIONED, after, each_month, midnight, months_of, name_of
from kalshi.warehouse.server import error_of, in_transaction, wait_for_long

ROWS_PER_DELETE = 10_000
LOCK_SECONDS = 20
"""A partition is emptied once no transaction uses its table; meanwhile new ones wait."""
NO_SUCH_PARTITION = {1507, 1735}
"""The servers' error numbers."""
WINDOWS = ("kalshi_checkpoint", "kalshi_gap")
EXPORTING, DROPPING, DROPPED = "exporting", "dropping", "dropped"


class MonthsNotDroppable(RuntimeError):
    """No month of the table can be dropped; the message says what to do."""


class BeingRead(RuntimeError):
    """Living runs read the month; the message names them."""


class BeingDropped(RuntimeError):
    """The time that is to be read is being dropped on purpose: read it later."""


@dataclass(frozen=True)
class Prunable:
    """A table whose old months may be dropped. ``setting``: its name in ``kalshi.toml``; ``time``: the column that says
    in which month a row lies; ``jobs``: whose windows and gaps are about its rows."""

    table: str
    setting: str
    time: str
    jobs: tuple[str, ...] = ()


PRUNABLE = {
    prunable.table: prunable
    for prunable in (
        Prunable("kalshi_candle_1m_dense", "dense_months", "bucket_start_utc", ("candles_dense",)),
        Prunable("kalshi_price_snapshot", "snapshots_months", "snapshot_at_utc"),
        Prunable("kalshi_trade", "trades_months", "executed_at_utc", ("trades",)),
        Prunable("kalshi_candle_1m", "candles_months", "bucket_start_utc", ("candles", "candles_from_trades")),
    )
}
"""In the order in which they are dropped: what is derived from others before them. kalshi_trade isn't partitioned: its
key is the trade's id, and a month in the key would let one trade be two."""
TABLES = tuple(PRUNABLE)


@dataclass(frozen=True)
class Month:
    """A month of a table, and how many rows it has."""

    of: Prunable
    first_day: date
    rows: int = 0

    @property
    def values(self) -> dict[str, Any]:
        """Of the parameters of :attr:`where`; the first month holds everything older, too."""
        return {"start": EPOCH if self.first_day == FIRST else midnight(self.first_day), "end": self.end}

    @property
    def end(self) -> datetime:
        return midnight(after(self.first_day))

    @property
    def where(self) -> str:
        """SQL: its table, and which of the rows."""
        return f"`{self.of.table}` WHERE `{self.of.time}` >= :start AND `{self.of.time}` < :end"

    def __str__(self) -> str:
        return f"{self.first_day:%Y-%m} of {self.of.table}"


Exported = tuple[Month, str | None]
"""A month, and the file that it was exported to."""


def old_months(engine: sa.Engine, prunable: Prunable, before: date) -> Iterator[Month]:
    """The months that begin ``before`` this one and have rows, the earliest first. Each is counted when it is asked
    for."""
    for first_day in each_month(FIRST, before):
        month = Month(prunable, first_day)
        if rows := in_transaction(engine, count_rows, month):
            yield replace(month, rows=rows)


def count_rows(connection: sa.Connection, month: Month) -> int:
    return int(sql.run(connection, f"SELECT COUNT(*) FROM {month.where}", **month.values).scalar_one())


def check_may_drop(engine: sa.Engine, month: Month) -> None:
    """Try, before anything is decided, whether the month can be dropped.

    Raises:
        MonthsNotDroppable: it has no partition, or the user lacks the privileges.
    """
    table = month.of.table
    if table not in PARTITIONED:
        return
    if month.first_day not in in_transaction(engine, months_of, table):
        raise MonthsNotDroppable(f"{month} has no partition of its own: run python -m kalshi migrate.")
    try:
        _run_alone(engine, f"ALTER TABLE `{table}` TRUNCATE PARTITION no_such_partition")
    except sa.exc.DBAPIError as error:
        if error_of(error)[0] in DENIED:
            raise MonthsNotDroppable(
                f"The user of kalshi_warehouse may not drop months of {table}: python -m kalshi grants shows the "
                "privileges that it needs, ALTER and DROP."
            ) from error
        if error_of(error)[0] not in NO_SUCH_PARTITION:
            raise


def _run_alone(engine: sa.Engine, statement: str) -> None:
    """Run a statement that waits for its table only for so long, in a connection of its own."""
    with engine.connect() as connection:
        wait_for_long(connection)
        connection.detach()  # what is set here goes with the connection
        connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}")
        connection.exec_driver_sql(statement)


def begin(connection: sa.Connection, month: Month, run_id: int) -> Month:
    """Note that the month is being exported, with the rows that it has now. From then on no reading of it begins.

    Raises:
        BeingRead: a living run reads it.
    """
    catalog.lock_series(connection, EVERYTHING)  # first of all: a later read then sees every reading that began
    if month.of.jobs:
        readers = sql.run_file(connection, "retention", "readers", before=month.end, stale_minutes=STALE_MINUTES).all()
        if readers:
            named = ", ".join(f"run {reader} ({job} of {scope})" for reader, job, scope in readers)
            raise BeingRead(f"{month} is kept this time, as it may be being read by {named}.")
    counted = replace(month, rows=count_rows(connection, month))
    sql.run(
        connection,
        "INSERT INTO kalshi_dropped_month (table_name, month, state, row_count, run_id) "
        "VALUES (:table, :month, :state, :rows, :run_id)",
        table=month.of.table,
        month=month.first_day,
        state=EXPORTING,
        rows=counted.rows,
        run_id=run_id,
    )
    return counted


def decide(connection: sa.Connection, month: Month, exported_to: str | None) -> None:
    """The month goes: forget what was read of it."""
    catalog.lock_series(connection, EVERYTHING)
    _forget(connection, month)
    _note(connection, month, f"state = '{DROPPING}', exported_to = :file", EXPORTING, file=exported_to)


def drop(engine: sa.Engine, month: Month, run_id: int, on_batch: Callable[[], object] = lambda: None) -> None:
    """Drop the rows of a month that was decided on: a partition in one statement, other rows in batches. ``run_id``:
    who does, perhaps not who decided."""
    if month.of.table in PARTITIONED:
        _run_alone(engine, f"ALTER TABLE `{month.of.table}` TRUNCATE PARTITION {name_of(month.first_day)}")
    else:
        delete_rows(engine, month.where, on_batch, **month.values)
    gone = f"state = '{DROPPED}', dropped_at_utc = CURRENT_TIMESTAMP(6), run_id = :run_id"
    in_transaction(engine, lambda connection: _note(connection, month, gone, DROPPING, run_id=run_id))


def delete_rows(engine: sa.Engine, rows: str, on_batch: Callable[[], object] = lambda: None, **values: Any) -> int:
    """Delete ``rows`` (SQL: a table and its WHERE, with these values) in batches; returns how many there were."""
    total = 0
    delete = f"DELETE FROM {rows} LIMIT {ROWS_PER_DELETE}"
    while deleted := in_transaction(engine, lambda c: sql.run(c, delete, **values).rowcount):
        total += deleted
        on_batch()
    return total


def keep(connection: sa.Connection, month: Month) -> None:
    """The month stays, as it could not be exported."""
    sql.run(
        connection,
        "DELETE FROM kalshi_dropped_month WHERE table_name = :table AND month = :month AND state = :state",
        table=month.of.table,
        month=month.first_day,
        state=EXPORTING,
    )


def _note(connection: sa.Connection, month: Month, what: str, before: str, **values: Any) -> None:
    sql.run(
        connection,
        f"UPDATE kalshi_dropped_month SET {what} WHERE table_name = :table AND month = :month AND state = :before",
        table=month.of.table,
        month=month.first_day,
        before=before,
        **values,
    )


def unfinished(connection: sa.Connection, prunable: Prunable, state: str) -> list[Exported]:
    """The months that a run left in this state."""
    query = (
        "SELECT month, row_count, exported_to FROM kalshi_dropped_month "
        "WHERE table_name = :table AND state = :state ORDER BY month"
    )
    rows = sql.run(connection, query, table=prunable.table, state=state)
    return _exported(prunable, rows)


def dropped_by(connection: sa.Connection, prunable: Prunable, dag_run_id: str | None) -> list[Exported]:
    """The months of a table that a DAG run has dropped so far."""
    rows = sql.run_file(connection, "retention", "dropped_by", table=prunable.table, dag_run_id=dag_run_id)
    return _exported(prunable, rows)


def _exported(prunable: Prunable, rows: Iterable[Any]) -> list[Exported]:
    return [(Month(prunable, month, count), file) for month, count, file in rows]


def _forget(connection: sa.Connection, month: Month) -> None:
    """Take the month out of all windows and gaps: of one that reaches further, the rest remains."""
    values = {**month.values, "jobs": month.of.jobs}
    overlap = "WHERE job IN :jobs AND window_start_utc < :end AND window_end_utc > :start"
    touched: set[tuple[str, str]] = set()
    for table in WINDOWS:
        found = sql.run(connection, f"SELECT * FROM {table} {overlap} FOR UPDATE", **values).mappings().all()
        sql.run(connection, f"DELETE FROM {table} {overlap}", **values)
        # Where two rests are of the same time, the one that nobody has accepted stays.
        for row in sorted(found, key=lambda row: row.get("accepted_reason") is not None):
            touched.add((row["job"], row["scope"]))
            for rest in _rests(dict(row), month):
                names = ", ".join(f"`{name}`" for name in rest)
                marks = ", ".join(f":{name}" for name in rest)
                sql.run(connection, f"INSERT IGNORE INTO {table} ({names}) VALUES ({marks})", **rest)
    for job, scope in sorted(touched):
        gaps.restate(connection, job, scope)
    sql.run(
        connection,
        "UPDATE kalshi_rejected_record SET resolved_at_utc = CURRENT_TIMESTAMP(6) WHERE resolved_at_utc IS NULL "
        "AND job IN :jobs AND window_start_utc >= :start AND window_end_utc <= :end",
        **values,
    )


def _rests(row: dict[str, Any], month: Month) -> Iterator[dict[str, Any]]:
    """What is left of a window before and after the month. A gap gets a new number, as if it was noted now."""
    row.pop("number", None)
    start, end = (month.values[edge].replace(tzinfo=None) for edge in ("start", "end"))
    if row["window_start_utc"] < start:
        yield {**row, "window_end_utc": start}
    if row["window_end_utc"] > end:
        yield {**row, "window_start_utc": end}


@dataclass(frozen=True)
class DroppedMonth:
    """A month that was dropped on purpose, or is about to be (not ``is_gone``). ``at``: when, aware UTC."""

    table: str
    first_day: date
    rows: int
    at: datetime
    is_gone: bool

    @property
    def start(self) -> datetime:
        return midnight(self.first_day)

    @property
    def end(self) -> datetime:
        return midnight(after(self.first_day))


def dropped(
    connection: sa.Connection,
    tables: Iterable[str] = TABLES,
    start: datetime = gaps.ALWAYS[0],
    end: datetime = gaps.ALWAYS[1],
) -> list[DroppedMonth]:
    """The months of these tables that were dropped on purpose, and lie at least in part between ``start`` and ``end``,
    the earliest first."""
    values = {"tables": list(tables), "start": start, "end": end, "stale_minutes": STALE_MINUTES}
    rows = sql.run_file(connection, "retention", "dropped", **values)
    return [
        DroppedMonth(table, month, int(count), at.replace(tzinfo=UTC), bool(is_gone))
        for table, month, count, at, is_gone in rows
    ]


def missing_on_purpose(
    connection: sa.Connection, tables: Iterable[str], scope: str, start: datetime, end: datetime
) -> list[DroppedMonth]:
    """The same, but for what was read of a scope once more since."""

    def is_back(month: DroppedMonth) -> bool:
        part = Window("", scope, max(start, month.start), min(end, month.end))
        jobs = PRUNABLE[month.table].jobs
        return any(checkpoints.was_begun(connection, replace(part, job=job)) for job in jobs)

    return [month for month in dropped(connection, tables, start, end) if not is_back(month)]


def check_not_being_dropped(connection: sa.Connection, window: Window) -> None:
    """Called where a reading begins, under the lock of its series.

    Raises:
        BeingDropped: a month of the window is being exported or dropped.
    """
    tables = [prunable.table for prunable in PRUNABLE.values() if window.job in prunable.jobs]
    for month in dropped(connection, tables, window.start, window.end) if tables else ():
        if not month.is_gone:
            raise BeingDropped(
                f"{month.first_day:%Y-%m} of {month.table} is being dropped on purpose at the moment: "
                f"{window.job} of {window.scope} can be read again once kalshi_retention has ended."
            )
