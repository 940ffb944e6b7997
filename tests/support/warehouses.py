"""A warehouse that tests use one after the other, empty for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa

from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.months import PARTITIONED
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.private_server import PrivateServer

SEEDED = ("kalshi_freshness_rule", "kalshi_schema_version")
"""The tables with rows from the migrations; no run writes to them."""
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class SharedWarehouse:
    """``engine``: for :meth:`empty` alone. ``tables``, and ``seeds`` by table: what the migrations made."""

    uri: str
    engine: sa.Engine
    tables: frozenset[str]
    seeds: dict[str, Rows]

    def empty(self) -> None:
        """Make it as the migrations left it, whatever a test did to its rows or put beside its tables."""
        with without_foreign_keys(self.engine) as connection:
            tables = _names(connection)
            for table in tables - self.tables:
                connection.exec_driver_sql(f"DROP TABLE {table}")
            truncate(connection, self.tables - set(SEEDED))
            for table, rows in self.seeds.items():
                if _rows(connection, table) != rows:
                    connection.exec_driver_sql(f"DELETE FROM {table}")
                    marks = ", ".join(["%s"] * len(rows[0]))
                    connection.exec_driver_sql(f"INSERT INTO {table} VALUES ({marks})", rows)


@cache
def shared_warehouse(server: PrivateServer) -> SharedWarehouse:
    """The one of this server."""
    uri = server.database("shared_warehouse")
    engine = open_engine(address_of(uri))
    migrate(engine)
    with engine.connect() as connection:
        seeds = {table: _rows(connection, table) for table in SEEDED}
        return SharedWarehouse(uri, engine, frozenset(_names(connection)), seeds)


def copy_rows(server: PrivateServer, database: str, into: sa.Engine) -> None:
    """Copy every row of a database on the same server."""
    with into.connect() as connection, server.as_root() as cursor:
        own = connection.exec_driver_sql("SELECT DATABASE()").scalar_one()
        cursor.execute("SET SESSION foreign_key_checks = 0")
        for table in _names(connection) - {"kalshi_schema_version"}:
            cursor.execute(f"REPLACE INTO {own}.{table} SELECT * FROM {database}.{table}")
        cursor.execute("COMMIT")


def forget(engine: sa.Engine) -> None:
    """Empty every table that a run writes to; numbers begin at 1 again."""
    with without_foreign_keys(engine) as connection:
        truncate(connection, _names(connection) - set(SEEDED))


def without_foreign_keys(engine: sa.Engine) -> sa.Connection:
    """A connection that commits each statement and is thrown away afterwards."""
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    connection.detach()
    # MySQL would show a table's next number as it was up to a day ago; MariaDB, which wouldn't, skips the comment.
    fresh = "/*!80000 , information_schema_stats_expiry = 0 */"
    waits = "lock_wait_timeout = 30, innodb_lock_wait_timeout = 30"
    connection.exec_driver_sql(f"SET SESSION foreign_key_checks = 0, {waits} {fresh}")
    return connection


def truncate(connection: sa.Connection, tables: Iterable[str]) -> None:
    """Empty these tables, where there is anything to do: it takes milliseconds a table."""
    numbered = _names(connection, "auto_increment > 1")
    filled = ", ".join(f"EXISTS (SELECT 1 FROM {table}) AS {table}" for table in tables)
    for table, is_filled in connection.exec_driver_sql(f"SELECT {filled}").mappings().one().items():
        if is_filled or table in numbered:
            # TRUNCATE makes the files of all its months anew, which takes longer than to delete what a test wrote.
            connection.exec_driver_sql(f"{'DELETE FROM' if table in PARTITIONED else 'TRUNCATE TABLE'} {table}")


def _names(connection: sa.Connection, condition: str = "table_type = 'BASE TABLE'") -> set[str]:
    query = f"SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND {condition}"
    return {name for (name,) in connection.exec_driver_sql(query)}


def _rows(connection: sa.Connection, table: str) -> Rows:
    return [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY 1")]
