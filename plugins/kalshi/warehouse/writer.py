"""The only way rows enter the warehouse.

Rows are loaded into a session-local staging table (LOAD DATA LOCAL INFILE if the server allows it, else
multi-row INSERT), which reveals values that don't fit their column. If any row would change something, one
INSERT … SELECT … ON DUPLICATE KEY UPDATE then upserts them under the table's guards. Rows that are certainly
new skip the staging. Call it inside a transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pymysql
import sqlalchemy as sa

from kalshi.warehouse import sql
from kalshi.warehouse.capabilities import COUNTS, LOADS_WARN, lacks
from kalshi.warehouse.server import LOCAL_INFILE_REFUSED, VALUE_REFUSED, load_data, statement_info
from kalshi.warehouse.tables import Table
from kalshi.warehouse.times import naive_utc

Row = Sequence[Any] | bytes
"""str, bytes of UTF-8, int, bool, Decimal, date, datetime (naive is UTC) or None. Or, for rows by the
million, a ready-made line of a LOAD DATA file, with no escapes other than \\N and no line end."""

ROWS_PER_INSERT = 500


@dataclass(frozen=True)
class Misfit:
    """A row with a value that doesn't fit its column, and the server's error message."""

    row: Row
    reason: str


@dataclass
class WriteCounts:
    """What happened to the rows. ``duplicates`` repeat a key of the same batch, of which the last valid row wins."""

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


class PacketTooSmall(RuntimeError):
    """The server accepts no statement long enough for a row."""


class _RowRefused(Exception):
    """The server refused a row's values."""


def upsert(
    connection: sa.Connection, table: Table, rows: Iterable[Row], *, run_id: int, likely_new: bool = False
) -> WriteCounts:
    """Upsert ``rows`` (values in the order of ``table.names``), with ``run_id`` as their lineage.

    ``run_id`` and ``updated_at_utc`` of a row change only when one of its other columns does. Rows that
    don't fit are returned as misfits; the others are written. ``likely_new``: as far as the caller knows, none
    of the keys exists yet. That is twice as fast if true; if not, it is slower but still correct.
    """
    rows = list(rows)
    if not rows:
        return WriteCounts()
    if likely_new and _load_new(connection, table, rows, run_id):
        return WriteCounts(inserted=len(rows))
    with Staging(connection, table, rows) as staging:
        return staging.merge(run_id)


def upsert_selected(
    connection: sa.Connection, table: Table, select: str, values: Mapping[str, Any], *, run_id: int
) -> WriteCounts:
    """Upsert the rows that ``select`` returns (the columns of ``table``, by name), like :func:`upsert`.

    ``values``: its parameters by name, as :mod:`kalshi.warehouse.sql` binds them.
    """
    statement = sql.bound(_merge_statement(table, select), {**values, "lineage": run_id})
    compiled = statement.compile(connection, compile_kwargs={"render_postcompile": True})
    # SQLAlchemy closes its own cursor before we could read the server's message from it.
    counts = _counted(connection, table, select, values) if COUNTS in _lacking(connection) else None
    cursor = connection.connection.cursor()
    cursor.execute(str(compiled), compiled.params)
    if counts:
        return counts
    info = statement_info(cursor)
    updated = info["Duplicates"]
    inserted = cursor.rowcount - 2 * updated
    return WriteCounts(inserted, updated, info["Records"] - inserted - updated)


def _counted(connection: sa.Connection, table: Table, select: str, values: Mapping[str, Any]) -> WriteCounts:
    """What an upsert of these rows will do, for a server that doesn't say what it did."""
    is_new = f"{table.qualified(table.key[0])} IS NULL"
    statement = (
        f"SELECT COUNT(*), COALESCE(SUM({is_new}), 0), COALESCE(SUM(NOT {is_new} AND NOT ({_is_same(table)})), 0) "
        f"FROM ({select}) AS s LEFT JOIN `{table.name}` ON {_same_key(table)}"
    )
    rows, inserted, updated = map(int, connection.execute(sql.bound(statement, values)).one())
    return WriteCounts(inserted, updated, rows - inserted - updated)


def _lacking(connection: sa.Connection) -> set[str]:
    """Which capabilities, of those that there is another way for, the connection's server lacks."""
    if "lacking" not in connection.info:
        connection.info["lacking"] = {lack.capability.name for lack in lacks(connection, LOADS_WARN, COUNTS)}
    return set(connection.info["lacking"])


class Staging:
    """A batch in its staging table, for callers that compare it with the target table before merging."""

    def __init__(self, connection: sa.Connection, table: Table, rows: Iterable[Row]) -> None:
        self.table = table
        self.name = f"staging_{table.name}"
        self._connection = connection
        self._counts = WriteCounts()
        self._rows = list(rows)

    def __enter__(self) -> Staging:
        self._run(f"DROP TEMPORARY TABLE IF EXISTS `{self.name}`")
        self._run(self._definition())
        if self._try(self._rows):
            self._stage_one_of_each_key()
        return self

    def __exit__(self, *exc: object) -> None:
        if exc[0] is None:
            self._run(f"DROP TEMPORARY TABLE IF EXISTS `{self.name}`")

    def _definition(self) -> str:
        """The statement that makes the staging table: like its table, checks included (MariaDB's JSON is a text column
        with a check), but without what only makes loading slower. Not by ALTER TABLE: that would commit."""
        known: dict[str, str] = self._connection.info.setdefault("staging", {})
        if self.name not in known:
            shown = self._run(f"SHOW CREATE TABLE `{self.table.name}`").fetchone()[1]
            known[self.name] = _without_indexes(shown, self.name)
        return known[self.name]

    def merge(self, run_id: int) -> WriteCounts:
        """Upsert the staged rows into the table; return exact counts of what changed."""
        count = len(self._rows) - self._counts.duplicates - len(self._counts.misfits)
        if count and self._changes_something():
            self._counts.add(upsert_selected(self._connection, self.table, self._select(), {}, run_id=run_id))
        else:
            self._counts.unchanged += count
        return self._counts

    def _select(self) -> str:
        columns = ", ".join(f"`{c}`" for c in self.table.names)
        return f"SELECT {columns} FROM `{self.name}`"

    def _changes_something(self) -> bool:
        """Whether any staged row is new or different. This read is cheaper than an upsert that changes nothing."""
        table = self.table
        found = self._run(
            f"SELECT 1 FROM `{self.name}` s LEFT JOIN `{table.name}` ON {_same_key(table)} "
            f"WHERE {table.qualified(table.key[0])} IS NULL OR NOT ({_is_same(table)}) LIMIT 1"
        )
        return bool(found.fetchone())

    def _run(self, statement: str) -> Any:
        cursor = self._connection.connection.cursor()
        cursor.execute(statement)
        return cursor

    def _stage_one_of_each_key(self) -> None:
        """Of rows with the same key, stage the last valid one. Runs only if the server refused the whole batch."""
        positions = [self.table.names.index(column) for column in self.table.key]

        def key(row: Row) -> tuple[Any, ...]:
            fields = row.split(b"\t", positions[-1] + 1) if isinstance(row, bytes) else row
            return tuple(fields[i] for i in positions)

        rows = self._rows
        while rows:
            last = {key(row): number for number, row in enumerate(rows)}
            known_misfits = len(self._counts.misfits)
            self._stage([rows[number] for number in last.values()])
            misfits = {key(misfit.row) for misfit in self._counts.misfits[known_misfits:]}
            earlier = [row for number, row in enumerate(rows) if number != last[key(row)]]
            rows = [row for row in earlier if key(row) in misfits]
            self._counts.duplicates += len(earlier) - len(rows)

    def _stage(self, rows: list[Row]) -> None:
        """Stage ``rows``; if some don't fit, bisect until each of those is isolated."""
        if not rows or not (refusal := self._try(rows)):
            return
        if len(rows) == 1:
            self._counts.misfits.append(Misfit(rows[0], str(refusal)))
            return
        self._stage(rows[: len(rows) // 2])
        self._stage(rows[len(rows) // 2 :])

    def _try(self, rows: list[Row]) -> _RowRefused | None:
        """Stage all of ``rows`` or none; return the server's refusal if none."""
        self._run("SAVEPOINT staging")
        try:
            _load(self._connection, self.name, self.table.names, rows)
        except _RowRefused as refusal:
            self._run("ROLLBACK TO SAVEPOINT staging")
            return refusal
        return None


def _without_indexes(definition: str, name: str) -> str:
    """The statement for a temporary table called ``name``, by the CREATE TABLE of another: without its secondary
    indexes, foreign keys, names of constraints, and where and how its rows are stored."""
    columns, _, stored = definition.partition("\n) ")
    _, *inner = columns.splitlines()
    end = ") ENGINE=InnoDB " + " ".join(re.findall(r"DEFAULT CHARSET=\w+|COLLATE=\w+", stored))
    lines = (re.sub(r"^CONSTRAINT `[^`]+` (?=CHECK)", "", line.strip().rstrip(",")) for line in inner)
    kept = [line for line in lines if not re.match(r"KEY |CONSTRAINT `[^`]+` FOREIGN KEY", line)]
    return f"CREATE TEMPORARY TABLE `{name}` (\n" + ",\n".join(kept) + f"\n{end}"


def _load_new(connection: sa.Connection, table: Table, rows: list[Row], run_id: int) -> bool:
    """Load rows straight into their table. If one isn't new or doesn't fit, undo everything and return False."""
    sql.run(connection, "SAVEPOINT load_new")
    try:
        _load(connection, table.name, table.names, rows, run_id)
    except _RowRefused:
        sql.run(connection, "ROLLBACK TO SAVEPOINT load_new")
        return False
    return True


def _load(connection: sa.Connection, table: str, columns: Sequence[str], rows: list[Row], run_id: int = 0) -> None:
    """Send all rows to the server, or raise _RowRefused."""
    cursor = connection.connection.cursor()
    try:
        if connection.info.get("local_infile", True) and LOADS_WARN not in _lacking(connection):
            try:
                _load_data(cursor, table, columns, rows, run_id)
                return
            except pymysql.err.MySQLError as error:
                if error.args[0] not in LOCAL_INFILE_REFUSED:
                    raise
                connection.info["local_infile"] = False
        for start in range(0, len(rows), ROWS_PER_INSERT):
            _insert(connection, table, columns, rows[start : start + ROWS_PER_INSERT], run_id)
    except UnicodeError as error:
        raise _RowRefused(str(error)) from error
    except pymysql.err.MySQLError as error:
        if error.args[0] not in VALUE_REFUSED:
            raise
        raise _RowRefused(error.args[-1]) from error


def _load_data(cursor: Any, table: str, columns: Sequence[str], rows: list[Row], run_id: int) -> None:
    names = ", ".join(f"`{c}`" for c in columns)
    lines = [row if isinstance(row, bytes) else b"\t".join(map(_encode, row)) for row in rows]
    load_data(
        cursor,
        b"\n".join(lines) + b"\n",
        f"LOAD DATA LOCAL INFILE %s INTO TABLE `{table}` CHARACTER SET utf8mb4 ({names}) SET run_id = %s",
        run_id,
    )
    _check_taken(cursor, len(rows))


def _insert(connection: sa.Connection, table: str, columns: Sequence[str], rows: list[Row], run_id: int) -> None:
    """Insert with one statement, or in two halves if it would exceed the server's limit."""
    names = ", ".join(f"`{c}`" for c in columns)
    marks = ", ".join([f"({', '.join(['%s'] * len(columns))}, {run_id:d})"] * len(rows))
    cursor = connection.connection.cursor()
    statement = cursor.mogrify(
        f"INSERT INTO `{table}` ({names}, run_id) VALUES {marks}",
        [None if value is None else _text(value) for row in rows for value in _fields(row)],
    )
    size, limit = len(statement.encode()) + 1, _max_allowed_packet(connection)
    if size <= limit:
        cursor.execute(statement)
        _check_taken(cursor, len(rows))
    elif len(rows) == 1:
        raise PacketTooSmall(
            f"A row of {table} needs a statement of {size:,} bytes, but the server's max_allowed_packet is {limit:,}: "
            "set it to 16 MB, or enable local_infile, on the server."
        )
    else:
        for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
            _insert(connection, table, columns, half, run_id)


def _max_allowed_packet(connection: sa.Connection) -> int:
    """The longest statement that the server accepts, in bytes. It would drop the connection on a longer one."""
    if "max_allowed_packet" not in connection.info:
        found = sql.run(connection, "SELECT @@max_allowed_packet").scalar_one()
        connection.info["max_allowed_packet"] = int(found)
    return int(connection.info["max_allowed_packet"])


def _check_taken(cursor: Any, sent: int) -> None:
    """Treat a warning as a failed load: LOCAL turns errors into warnings, and truncates decimals with a mere note."""
    if cursor.warning_count or cursor.rowcount != sent:
        cursor.execute("SHOW WARNINGS LIMIT 1")
        warning = cursor.fetchone()
        raise _RowRefused(warning[2] if warning else "the server took fewer rows than were sent")


def _same_key(table: Table) -> str:
    """The SQL that finds the stored row of the new row ``s``."""
    return " AND ".join(f"{table.qualified(c)} = s.`{c}`" for c in table.key)


def _is_same(table: Table) -> str:
    """The SQL that tests whether the new row ``s`` leaves the stored one unchanged."""
    return " AND ".join(f"{table.qualified(c)} <=> {table.guarded(c)}" for c in table.data)


def _merge_statement(table: Table, select: str) -> str:
    """The SQL that upserts the rows of ``select``, with the run ``:lineage``."""
    # The comparison comes first: assignments run left to right and see the earlier ones.
    lineage = table.qualified("run_id")
    assignments = [f"{lineage} = IF({_is_same(table)}, {lineage}, :lineage)"]
    assignments += [f"{table.qualified(c)} = {table.guarded(c)}" for c in table.data]
    columns = ", ".join(f"`{c}`" for c in table.names)
    selected = ", ".join(f"s.`{c}`" for c in table.names)
    order = ", ".join(f"s.`{c}`" for c in table.key)
    # Ordered by key, so that concurrent runs rarely deadlock.
    return (
        f"INSERT INTO `{table.name}` ({columns}, `run_id`) "
        f"SELECT {selected}, :lineage FROM ({select}) AS s ORDER BY {order} "
        f"ON DUPLICATE KEY UPDATE {', '.join(assignments)}"
    )


def _fields(row: Row) -> Sequence[Any]:
    if not isinstance(row, bytes):
        return row
    return [None if field == b"\\N" else field for field in row.split(b"\t")]


def _text(value: Any) -> str:
    """A value as text for the server; floats are refused because they can't hold an exact price."""
    if isinstance(value, str):
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
    if value is None:
        return b"\\N"
    field = (value if type(value) is str else _text(value)).encode()  # most are text: this line runs by the million
    return field.replace(b"\\", b"\\\\").replace(b"\t", b"\\t").replace(b"\n", b"\\n").replace(b"\0", b"\\0")
