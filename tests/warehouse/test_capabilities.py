"""What the project relies on in a server: found on those that have it, missed on those that don't."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from tempfile import TemporaryDirectory
from typing import Any

import pymysql
import pytest
import sqlalchemy as sa

from kalshi.warehouse import capabilities, server
from kalshi.warehouse.capabilities import CAPABILITIES, COUNTS, LOADS_WARN, UnfitServer, lacks, require
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import ServerAddress, open_engine
from scripts.address import address_of

SEEKDB = """
import sys, time, pylibseekdb
print(pylibseekdb.open(sys.argv[1]).connection_options()["unix_socket"], flush=True)
time.sleep(3600)
"""
"""OceanBase's engine in a process of its own: it says where its socket is."""


@pytest.fixture
def engine(empty_database_on_both: str) -> Iterator[sa.Engine]:
    engine = open_engine(address_of(empty_database_on_both), loads=True)
    yield engine
    engine.dispose()


def missing(engine: sa.Engine, *names: str) -> list[str]:
    with engine.connect() as connection:
        return [lack.capability.name for lack in lacks(connection, *names)]


def rewriting(old: str, new: str) -> Callable[[sa.Engine, pytest.MonkeyPatch], None]:
    """A server to which a statement means less: it does what another statement says."""

    def take_away(engine: sa.Engine, _: pytest.MonkeyPatch) -> None:
        @sa.event.listens_for(engine, "before_cursor_execute", retval=True)
        def rewrite(c: Any, cursor: Any, statement: str, values: Any, *more: Any) -> tuple[str, Any]:
            return statement.replace(old, new), values

    return take_away


def without_any_warning(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    @sa.event.listens_for(engine, "connect")
    def be_lenient(connection: Any, record: Any) -> None:
        connection.cursor().execute("SET SESSION sql_mode = ''")

    monkeypatch.setattr(pymysql.cursors.Cursor, "warning_count", property(lambda _: 0, lambda *_: None), raising=False)


def without_warnings(_: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    load = server.load_data

    def load_silently(cursor: Any, *arguments: Any) -> None:
        load(cursor, *arguments)
        cursor.warning_count = 0

    monkeypatch.setattr(capabilities, "load_data", load_silently)


def without_counts_of_one_row(_: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(cursor: Any) -> dict[str, int]:
        return server.statement_info(cursor) if cursor.rowcount > 1 else {}

    monkeypatch.setattr(capabilities, "statement_info", told)


TAKEN_AWAY = {
    "temporary tables": rewriting("CREATE TEMPORARY TABLE", "CREATE PASSING TABLE"),
    "savepoints": rewriting("ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT"),
    "checked values": without_any_warning,
    LOADS_WARN: without_warnings,
    COUNTS: without_counts_of_one_row,
    "assignments in order": rewriting("price <=> s.price", "price = 0"),
    "change stamps": rewriting("ON UPDATE CURRENT_TIMESTAMP(6)", ""),
    "binary collation": rewriting("utf8mb4_bin", "utf8mb4_unicode_ci"),
    "exact decimals and microseconds": rewriting("at_utc DATETIME(6) NULL", "at_utc DATETIME NULL"),
    "LAST_INSERT_ID(expression)": rewriting("LAST_INSERT_ID(run_id + 2)", "run_id + 2"),
    "named locks": rewriting("GET_LOCK('", "LENGTH('1' 'kalshi') > 0 OR LENGTH('"),
    "row locks": rewriting("FOR UPDATE", ""),
}

FOLLOWING = {"checked values": [LOADS_WARN], "assignments in order": ["change stamps"]}
"""What goes with each."""


def test_mysql_and_mariadb_have_all_of_it(engine: sa.Engine) -> None:
    assert missing(engine) == []
    migrate(engine)
    assert missing(engine) == [], "the locks of rows are tried on a table of the schema"


def test_each_capability_is_taken_away_once() -> None:
    assert set(TAKEN_AWAY) == {"temporary tables", *(capability.name for capability in CAPABILITIES)}


@pytest.mark.parametrize("name", TAKEN_AWAY)
def test_a_server_that_lacks_something_is_refused_unless_there_is_another_way(
    name: str, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "row locks":
        migrate(engine)
    TAKEN_AWAY[name](engine, monkeypatch)
    engine.dispose()
    assert missing(engine) == [name, *FOLLOWING.get(name, [])]
    with engine.connect() as connection:
        if name in (LOADS_WARN, COUNTS):
            require(connection)
        else:
            with pytest.raises(
                UnfitServer, match=r"can't hold the warehouse: use MySQL 8\.0[^*]*\* " + re.escape(name)
            ):
                require(connection)


def test_what_is_tried_leaves_nothing_behind(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (n INT)")
        connection.exec_driver_sql("INSERT INTO kept VALUES (1)")
        lacks(connection, LOADS_WARN, COUNTS)
        connection.rollback()
        assert connection.exec_driver_sql("SHOW TABLES").scalars().all() == ["kept"]
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM kept").scalar_one() == 0, "it committed nothing"


@pytest.fixture(scope="module")
def seekdb() -> Iterator[ServerAddress]:
    """An engine that speaks MySQL's protocol."""
    with TemporaryDirectory() as folder:
        program = [sys.executable, "-c", SEEKDB, folder]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            socket = process.stdout.readline().strip()
            yield ServerAddress("", "test", "root", unix_socket=socket)
            process.kill()


@pytest.mark.database
def test_an_engine_that_only_speaks_the_protocol_is_refused_before_anything_is_made(seekdb: ServerAddress) -> None:
    engine = open_engine(seekdb, loads=True)
    with pytest.raises(UnfitServer, match=r"(?s)OceanBase.*temporary tables: bad rows .*not supported"):
        migrate(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW TABLES").all() == []
    engine.dispose()
