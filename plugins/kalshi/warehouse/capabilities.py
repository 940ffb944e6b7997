"""What the project relies on in a server, tried out on it: one that speaks MySQL's protocol isn't always MySQL.

All but the locks are tried in a temporary table. Where one is missing, there is another way, or the server is refused:
wrong rows would be worse than none.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pymysql
import sqlalchemy as sa

from kalshi.warehouse import sql
from kalshi.warehouse.server import (
    LOCAL_INFILE_REFUSED,
    VALUE_REFUSED,
    WORTH_RETRYING,
    error_of,
    load_data,
    statement_info,
)

SCRATCH = "kalshi_scratch"
COLUMNS = (
    "name VARCHAR(8) NOT NULL, price DECIMAL(10,6) NULL, at_utc DATETIME(6) NULL, more JSON NULL, "
    "run_id INT NOT NULL DEFAULT 0, "
    "updated_at_utc DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), "
    "PRIMARY KEY (name)"
)
MISFITS = {
    "'toolong89', NULL, NULL, NULL": b"toolong89\t\\N\t\\N\t\\N",
    "'a', 'x', NULL, NULL": b"a\tx\t\\N\t\\N",
    "'a', 12345, NULL, NULL": b"a\t12345\t\\N\t\\N",
    "'a', 0.1234567, NULL, NULL": b"a\t0.1234567\t\\N\t\\N",
    "'a', NULL, '2026-02-30 00:00:00', NULL": b"a\t\\N\t2026-02-30 00:00:00\t\\N",
    "'a', NULL, NULL, '{'": b"a\t\\N\t\\N\t{",
    "NULL, NULL, NULL, NULL": b"\\N\t\\N\t\\N\t\\N",
}
"""Rows that don't fit the columns, as values of an INSERT and as lines of a load file."""
NAMES = "name, price, at_utc, more"
SCRATCH_TABLE = (
    f"CREATE TEMPORARY TABLE {SCRATCH} ({COLUMNS}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"
)
TWO = "SELECT 'a' AS name, 2 AS price"
UPSERT = (
    f"INSERT INTO {SCRATCH} (name, price, run_id) SELECT s.name, s.price, 2 FROM ({{rows}}) AS s "
    f"ON DUPLICATE KEY UPDATE {SCRATCH}.run_id = IF({SCRATCH}.price <=> s.price, {SCRATCH}.run_id, 2), "
    f"{SCRATCH}.price = s.price"
)
"""The shape of every write, in small: run 2 brings rows."""
LOCKED = {1205, 3572}
"""Error numbers of a statement that doesn't wait for a lock: MariaDB, MySQL."""
DENIED = {1044, 1045, 1142, 1227, 1370}
"""Error numbers for missing privileges: what a user may not do, it can't find out."""
PASSING = {*WORTH_RETRYING, 1021, 1114, 1226}
"""Error numbers of a server that has too much to do, or no room."""
LOADS_WARN = "warnings of LOAD DATA"
COUNTS = "counts of upserts"


class UnfitServer(RuntimeError):
    """The server can't hold the warehouse; the message says what it lacks."""


@dataclass(frozen=True)
class Capability:
    """``needed``: what would go wrong without it; ``has``: tries it on a connection with the empty scratch table;
    ``instead``: what is done where it is missing; "": the server is refused."""

    name: str
    needed: str
    has: Callable[[sa.Connection], bool]
    instead: str = ""


@dataclass(frozen=True)
class Lack:
    """A capability that the server doesn't have, with the number and the words of its error, if it was one."""

    capability: Capability
    number: int = 0
    words: str = ""

    @property
    def is_unknown(self) -> bool:
        """Whether this user may not even try."""
        return self.number in DENIED

    @property
    def because(self) -> str:
        """Why the server is refused, in words."""
        return self.capability.needed + (f' (the server said: "{self.words}")' if self.words else "")


def lacks(connection: sa.Connection, *names: str) -> list[Lack]:
    """What the server lacks of these capabilities, or of all. Without temporary tables nothing else is tried.

    The connection's transaction goes on; a row of ours may stay locked until its end.
    """
    if first := _try(connection, STAGING):
        return [first]
    tried = [capability for capability in CAPABILITIES if not names or capability.name in names]
    return [lack for capability in tried if (lack := _try(connection, capability))]


def require(connection: sa.Connection) -> None:
    """Refuse a server on which the warehouse would be wrong.

    Raises:
        UnfitServer: it lacks something for which there is no other way; the message names all of it.
    """
    unfit = [lack for lack in lacks(connection) if not lack.capability.instead and not lack.is_unknown]
    if unfit:
        version = sql.run(connection, "SELECT VERSION()").scalar_one()
        raise UnfitServer(
            f"This server ({version}) can't hold the warehouse: use MySQL 8.0, MariaDB 10.11, or newer. It lacks\n"
            + "\n".join(f"* {lack.capability.name}: {lack.because}" for lack in unfit)
        )


def _try(connection: sa.Connection, capability: Capability) -> Lack | None:
    """What the server lacks, if it does. An error that says nothing of the server's kind is raised."""
    try:
        sql.run(connection, f"DROP TEMPORARY TABLE IF EXISTS {SCRATCH}")
        sql.run(connection, SCRATCH_TABLE)
        has = capability.has(connection)
        sql.run(connection, f"DROP TEMPORARY TABLE {SCRATCH}")
    except (sa.exc.DBAPIError, pymysql.err.MySQLError) as error:
        number, words = error_of(error)
        if number in PASSING:
            raise
        return Lack(capability, number, words)
    return None if has else Lack(capability)


def _stages(connection: sa.Connection) -> bool:
    return True  # the scratch table is there


def _undoes(connection: sa.Connection) -> bool:
    sql.run(connection, f"INSERT INTO {SCRATCH} (name) VALUES ('a')")
    sql.run(connection, "SAVEPOINT tried")
    sql.run(connection, f"INSERT INTO {SCRATCH} (name) VALUES ('b')")
    sql.run(connection, "ROLLBACK TO SAVEPOINT tried")
    return _is(connection, f"SELECT GROUP_CONCAT(name) FROM {SCRATCH}", "a")


def _checks_values(connection: sa.Connection) -> bool:
    def insert(values: str) -> Any:
        cursor = connection.connection.cursor()
        cursor.execute(f"INSERT INTO {SCRATCH} ({NAMES}) VALUES ({values})")
        return cursor

    return all(_is_noticed(insert, values) for values in MISFITS)


def _loads_with_warnings(connection: sa.Connection) -> bool:
    def load(line: bytes) -> Any:
        cursor = connection.connection.cursor()
        load_data(
            cursor, line + b"\n", f"LOAD DATA LOCAL INFILE %s INTO TABLE {SCRATCH} CHARACTER SET utf8mb4 ({NAMES})"
        )
        return cursor

    return all(_is_noticed(load, line) for line in MISFITS.values())


def _is_noticed(write: Callable[[Any], Any], row: Any) -> bool:
    """Whether the server says, with an error or a warning, that the row doesn't fit; or that it takes no such load."""
    try:
        return bool(write(row).warning_count)
    except pymysql.err.MySQLError as error:
        if error.args[0] not in VALUE_REFUSED | LOCAL_INFILE_REFUSED:
            raise
        return True


def _counts(connection: sa.Connection) -> bool:
    cursor = connection.connection.cursor()
    found = []
    for rows in (TWO.replace("2", "1"), TWO, f"{TWO} UNION ALL SELECT 'b', 1"):
        cursor.execute(UPSERT.format(rows=rows))
        found.append((cursor.rowcount, statement_info(cursor)))
    told = [(affected, info.get("Records"), info.get("Duplicates")) for affected, info in found]
    return told == [(1, 1, 0), (2, 1, 1), (1, 2, 0)]


def _compares_first(connection: sa.Connection) -> bool:
    sql.run(connection, f"INSERT INTO {SCRATCH} (name, price, run_id) VALUES ('a', 1, 1), ('b', 2, 1)")
    sql.run(connection, UPSERT.format(rows=f"{TWO} UNION ALL SELECT 'b', 2"))
    return _is(connection, f"SELECT GROUP_CONCAT(run_id ORDER BY name) FROM {SCRATCH}", "2,1")


def _stamps_changes(connection: sa.Connection) -> bool:
    old = "'2000-01-01'"
    sql.run(connection, f"INSERT INTO {SCRATCH} (name, price, updated_at_utc) VALUES ('a', 2, {old}), ('b', 1, {old})")
    sql.run(connection, UPSERT.format(rows=f"{TWO} UNION ALL SELECT 'b', 2"))
    return _is(connection, f"SELECT GROUP_CONCAT(YEAR(updated_at_utc) > 2000 ORDER BY name) FROM {SCRATCH}", "0,1")


def _tells_letters_apart(connection: sa.Connection) -> bool:
    sql.run(connection, f"INSERT INTO {SCRATCH} (name) VALUES ('a'), ('A'), ('ä')")
    return _is(connection, f"SELECT COUNT(*) FROM {SCRATCH} WHERE name = 'A'", 1)


def _is_exact(connection: sa.Connection) -> bool:
    row = "'a', 0.100001, '2026-01-02 03:04:05.000001'"
    sql.run(connection, f"INSERT INTO {SCRATCH} (name, price, at_utc) VALUES ({row})")
    return _is(connection, f"SELECT CONCAT(price, ' ', at_utc) FROM {SCRATCH}", "0.100001 2026-01-02 03:04:05.000001")


def _returns_numbers(connection: sa.Connection) -> bool:
    sql.run(connection, f"INSERT INTO {SCRATCH} (name, run_id) VALUES ('a', 40)")
    sql.run(connection, f"UPDATE {SCRATCH} SET run_id = LAST_INSERT_ID(run_id + 2)")
    return _is(connection, "SELECT LAST_INSERT_ID()", 42)


def _locks_names(connection: sa.Connection) -> bool:
    name = f"{SCRATCH}.{uuid.uuid4()}"
    take = f"SELECT GET_LOCK('{name}', 0)"
    if not _is(connection, take, 1):
        return False
    with connection.engine.connect() as other:
        is_held = _is(other, take, 0)
    sql.run(connection, f"SELECT RELEASE_LOCK('{name}')")
    return is_held


def _locks_rows(connection: sa.Connection) -> bool:
    if not sql.run(connection, "SHOW TABLES LIKE 'kalshi_schema_version'").all():
        return True  # before the first migration there is no row to lock
    locked = "SELECT 1 FROM kalshi_schema_version FOR UPDATE"
    if not sql.run(connection, locked).all():
        return True
    with connection.engine.connect() as other:
        try:
            sql.run(other, f"{locked} NOWAIT")
        except sa.exc.DBAPIError as error:
            return error_of(error)[0] in LOCKED
    return False


def _is(connection: sa.Connection, query: str, expected: object) -> bool:
    return bool(sql.run(connection, query).scalar_one() == expected)


STAGING = Capability("temporary tables", "bad rows would enter their table unchecked", _stages)
CAPABILITIES = (
    Capability("savepoints", "a batch with a bad row would stay half written", _undoes),
    Capability("checked values", "values that don't fit would be stored as others", _checks_values),
    Capability(
        LOADS_WARN,
        "values that don't fit would be stored as others, without a word",
        _loads_with_warnings,
        "rows are written with INSERT, which takes twice as long",
    ),
    Capability(
        COUNTS,
        "runs couldn't say how many rows they inserted and updated",
        _counts,
        "a query counts before each write what it will change",
    ),
    Capability("assignments in order", "unchanged rows would get the number of the latest run", _compares_first),
    Capability("change stamps", "updated_at_utc would not say when a row last changed", _stamps_changes),
    Capability("binary collation", "tickers that differ in a letter's case would be one", _tells_letters_apart),
    Capability("exact decimals and microseconds", "prices and times would be rounded", _is_exact),
    Capability("LAST_INSERT_ID(expression)", "workers couldn't share the request budget", _returns_numbers),
    Capability("named locks", "two workers could migrate at once", _locks_names),
    Capability("row locks", "two runs could close each other's windows", _locks_rows),
)
