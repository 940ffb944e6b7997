"""The one way rows enter the warehouse.

Rows go into a session-local staging table (LOAD DATA LOCAL INFILE where the server allows it, else
multi-row INSERT), where a value that doesn't fit its column shows; one INSERT … SELECT … ON DUPLICATE
KEY UPDATE then moves them, under the guards of the table. Call it inside a transaction.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pymysql
import sqlalchemy as sa

from kalshi.warehouse.tables import Table
from kalshi.warehouse.times import naive_utc

Row = Sequence[Any] | bytes
"""str, bytes of UTF-8, int, bool, Decimal, date, datetime (naive is UTC) or None. Or, for rows by the
million, the finished line of a LOAD DATA file, without escapes other than \\N and without its line end."""

ROWS_PER_INSERT = 500
LOCAL_INFILE_REFUSED = {1148, 2068, 3948, 4166}
"""Error numbers of servers that don't take LOAD DATA LOCAL: MySQL and MariaDB, old and new."""
VALUE_REFUSED = {1048, 1062, 1264, 1265, 1292, 1300, 1366, 1406, 3140, 3157, 4025}
"""Error numbers of values that don't fit: null, repeated, out of range, cut, no date, no text, too long, no JSON."""


@dataclass(frozen=True)
class Misfit:
    """A row that a column couldn't hold, and the server's words for it."""

    row: Row
    reason: str


@dataclass
class WriteCounts:
    """What became of the rows. ``duplicates`` repeated a key of the same batch; the last one counted."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    misfits: list[Misfit] = field(default_factory=list)

    def add(self, other: WriteCounts) -> None:
        self.inserted += other.inserted
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.duplicates += other.duplicates
        self.misfits += other.misfits


class _StagingRefused(Exception):
    """The server found a value that doesn't fit."""


def upsert(connection: sa.Connection, table: Table, rows: Iterable[Row], *, run_id: int) -> WriteCounts:
    """Insert or update ``rows`` (values in the order of ``table.columns``), all lineage to ``run_id``.

    ``run_id`` and ``updated_at_utc`` of a row move only when one of its other columns does. Rows that
    don't fit come back as misfits; the others are written.
    """
    rows = list(rows)
    if not rows:
        return WriteCounts()
    with Staging(connection, table, rows) as staging:
        return staging.merge(run_id)


class Staging:
    """A batch in its staging table, for callers that compare it with the target before the merge."""

    def __init__(self, connection: sa.Connection, table: Table, rows: Iterable[Row]) -> None:
        self.table = table
        self.name = f"staging_{table.name}"
        self._connection = connection
        self._counts = WriteCounts()
        positions = [table.columns.index(column) for column in table.key]
        width = positions[-1] + 1
        total = 0
        by_key: dict[Any, Row] = {}
        for row in rows:
            fields = row.split(b"\t", width)[:width] if isinstance(row, bytes) else row
            by_key[tuple(fields[i] for i in positions)] = row
            total += 1
        self._rows = list(by_key.values())
        self._counts.duplicates = total - len(self._rows)

    def __enter__(self) -> Staging:
        self._run(f"DROP TEMPORARY TABLE IF EXISTS `{self.name}`")
        # LIKE takes the checks along: MariaDB's JSON is a text with a check.
        self._run(f"CREATE TEMPORARY TABLE `{self.name}` LIKE `{self.table.name}`")
        self._stage(self._rows)
        return self

    def __exit__(self, *exc: object) -> None:
        if exc[0] is None:
            self._run(f"DROP TEMPORARY TABLE IF EXISTS `{self.name}`")

    def merge(self, run_id: int) -> WriteCounts:
        """Move the staged rows into the table; exact counts of what changed."""
        count = len(self._rows) - len(self._counts.misfits)
        if count == 0:
            return self._counts
        table, data = self.table, [c for c in self.table.columns if c not in self.table.key]
        same = " AND ".join(f"{table.qualified(c)} <=> {table.guarded(c)}" for c in data)
        # The comparison stands first: assignments run left to right and see the earlier ones.
        lineage = table.qualified("run_id")
        assignments = [f"{lineage} = IF({same}, {lineage}, %s)"]
        assignments += [f"{table.qualified(c)} = {table.guarded(c)}" for c in data]
        columns = ", ".join(f"`{c}`" for c in table.columns)
        order = ", ".join(f"s.`{c}`" for c in table.key)
        # In the order of the key, so that two runs at once rarely deadlock.
        cursor = self._run(
            f"INSERT INTO `{table.name}` ({columns}, `run_id`) "
            f"SELECT s.* FROM (SELECT {columns}, %s AS `run_id` FROM `{self.name}`) AS s ORDER BY {order} "
            f"ON DUPLICATE KEY UPDATE {', '.join(assignments)}",
            (run_id, run_id),
        )
        info = _statement_info(cursor)
        self._counts.updated = info["Duplicates"]
        self._counts.inserted = cursor.rowcount - 2 * info["Duplicates"]
        self._counts.unchanged = count - self._counts.inserted - self._counts.updated
        return self._counts

    def _run(self, sql: str, values: Sequence[Any] = ()) -> Any:
        cursor = self._connection.connection.cursor()
        cursor.execute(sql, values or None)
        return cursor

    def _stage(self, rows: list[Row]) -> None:
        """Stage ``rows``; where some don't fit, halve until those are alone."""
        if not rows:
            return
        self._run("SAVEPOINT staging")
        try:
            self._load(rows)
        except _StagingRefused as refusal:
            self._run("ROLLBACK TO SAVEPOINT staging")
            if len(rows) == 1:
                self._counts.misfits.append(Misfit(rows[0], str(refusal)))
                return
            self._stage(rows[: len(rows) // 2])
            self._stage(rows[len(rows) // 2 :])

    def _load(self, rows: list[Row]) -> None:
        try:
            if self._connection.info.get("local_infile", True):
                try:
                    self._load_data(rows)
                    return
                except pymysql.err.MySQLError as error:
                    if error.args[0] not in LOCAL_INFILE_REFUSED:
                        raise
                    self._connection.info["local_infile"] = False
            self._insert(rows)
        except UnicodeError as error:
            raise _StagingRefused(str(error)) from error
        except pymysql.err.MySQLError as error:
            if error.args[0] not in VALUE_REFUSED:
                raise
            raise _StagingRefused(error.args[-1]) from error

    def _load_data(self, rows: list[Row]) -> None:
        columns = ", ".join(f"`{c}`" for c in self.table.columns)
        with tempfile.NamedTemporaryFile("wb", suffix=".tsv") as file:
            for row in rows:
                file.write((row if isinstance(row, bytes) else b"\t".join(map(_encode, row))) + b"\n")
            file.flush()
            cursor = self._run(
                f"LOAD DATA LOCAL INFILE %s INTO TABLE `{self.name}` CHARACTER SET utf8mb4 ({columns}) SET run_id = 0",
                (file.name,),
            )
        self._check_taken(cursor, len(rows))

    def _insert(self, rows: list[Row]) -> None:
        columns = ", ".join(f"`{c}`" for c in self.table.columns)
        row_marks = f"({', '.join(['%s'] * len(self.table.columns))}, 0)"
        for start in range(0, len(rows), ROWS_PER_INSERT):
            some = rows[start : start + ROWS_PER_INSERT]
            marks = ", ".join([row_marks] * len(some))
            values = [_text(value) for row in some for value in _fields(row)]
            cursor = self._run(f"INSERT INTO `{self.name}` ({columns}, run_id) VALUES {marks}", values)
            self._check_taken(cursor, len(some))

    def _check_taken(self, cursor: Any, sent: int) -> None:
        """A warning is a failed load: LOCAL turns errors into warnings, and decimals are cut with a mere note."""
        if cursor.warning_count or cursor.rowcount != sent:
            cursor.execute("SHOW WARNINGS LIMIT 1")
            warning = cursor.fetchone()
            raise _StagingRefused(warning[2] if warning else "the server took fewer rows than were sent")


def _fields(row: Row) -> Sequence[Any]:
    if not isinstance(row, bytes):
        return row
    return [None if field == b"\\N" else field for field in row.split(b"\t")]


def _statement_info(cursor: Any) -> dict[str, int]:
    """The server's "Records: 5  Duplicates: 2  Warnings: 0". PyMySQL keeps it on its private result."""
    message = cursor._result.message or b""
    text = message.decode() if isinstance(message, bytes) else message
    words = text.replace(":", " ").split()
    return {name: int(number) for name, number in zip(words[::2], words[1::2], strict=False)}


def _text(value: Any) -> str | None:
    """What the server gets to read; floats are refused, they hold no price."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return naive_utc(value).isoformat(" ")
    if isinstance(value, float):
        raise TypeError(f"A float ({value!r}) may not enter the warehouse: pass a string or a Decimal.")
    return str(value)


def _encode(value: Any) -> bytes:
    """One field of a LOAD DATA file in its default format."""
    text = _text(value)
    if text is None:
        return b"\\N"
    field = text.encode()
    return field.replace(b"\\", b"\\\\").replace(b"\t", b"\\t").replace(b"\n", b"\\n").replace(b"\0", b"\\0")
