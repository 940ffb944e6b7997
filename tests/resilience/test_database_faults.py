"""Every job faces what a database can do to a transaction, on servers that these tests may kill: durable ones."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from kalshi.exchange import Exchange
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import ServerAddress, in_transaction, open_engine
from kalshi.warehouse.writer import PacketTooSmall
from scripts import private_server
from scripts.private_server import PrivateServer, Program
from tests.resilience.account import asked, assert_same, small, until
from tests.resilience.jobs import JOBS, SERIES
from tests.support.databases import count, kill, runs, select
from tests.support.exchange_server import ExchangeServer
from tests.support.memory import data_folder
from tests.support.warehouses import forget

pytestmark = pytest.mark.database


@dataclass
class Database:
    """A warehouse on a server that can be taken down. Its Unix socket stays the same, its port doesn't."""

    folder: Path
    program: Program

    def __post_init__(self) -> None:
        self.server = private_server.ensure(self.folder, self.program)
        self.server.database("resilience")
        password = SecretStr(self.server.password)
        address = ServerAddress("", "resilience", "resilience", password, unix_socket=self.server.socket)
        self.engine = open_engine(address, loads=True)
        migrate(self.engine)
        with self.server.as_root() as cursor:
            cursor.execute("CREATE DATABASE elsewhere")
            cursor.execute("CREATE TABLE elsewhere.ballast (n INT) ENGINE=InnoDB")

    def stop(self) -> None:
        private_server.stop(self.folder)

    def kill(self) -> None:
        kill(self.folder)

    def start(self) -> None:
        self.server = private_server.ensure(self.folder, self.program)

    def set(self, variable: str, value: int) -> None:
        """For connections from now on."""
        with self.server.as_root() as cursor:
            cursor.execute(f"SET GLOBAL {variable} = %s", (value,))
        self.engine.dispose()

    def session_is_waiting(self) -> bool:
        with self.server.as_root() as cursor:
            return bool(cursor.execute("SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"))

    @contextmanager
    def holding_the_run(self) -> Iterator[pymysql.cursors.Cursor]:
        """Another session's transaction. It locks the row of the run, the last one that each page writes."""
        session = pymysql.connect(
            unix_socket=self.server.socket, user="root", password=self.server.root_password, database="resilience"
        )
        try:
            with session.cursor() as cursor:
                cursor.execute("SET innodb_lock_wait_timeout = 50")
                (run,) = select(self.engine, "SELECT run_id FROM kalshi_sync_run WHERE state = 'running'")
                cursor.execute("SELECT 1 FROM kalshi_sync_run WHERE run_id = %s FOR UPDATE", (run["run_id"],))
                until(self.session_is_waiting)
                yield cursor
        finally:
            session.close()


@pytest.fixture(scope="session")
def _databases() -> Iterator[Callable[[Program], Database]]:
    made: dict[str, Database] = {}
    with ExitStack() as folders:

        def database(program: Program) -> Database:
            name = program.serve[0]
            if name not in made:
                made[name] = Database(folders.enter_context(data_folder()), program)
            return made[name]

        yield database
        for one in made.values():
            one.engine.dispose()
            one.stop()


def program_of(kind: str, request: pytest.FixtureRequest) -> Program:
    program: Program = (
        request.getfixturevalue("mysql_program") if kind == "mysql" else private_server.installed_program()
    )
    return program


@pytest.fixture
def database(request: pytest.FixtureRequest, _databases: Callable[[Program], Database]) -> Database:
    """An empty warehouse on a server of these tests' own, which waits for a lock for two seconds."""
    database = _databases(program_of(request.param, request))
    database.start()
    for variable, value in {"innodb_lock_wait_timeout": 2, "local_infile": 1, "max_allowed_packet": 2**26}.items():
        database.set(variable, value)
    forget(database.engine)
    return database


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder for another server's data."""
    with data_folder() as folder:
        yield folder


both = pytest.mark.parametrize("database", ["mariadb", "mysql"], indirect=True)


@pytest.mark.parametrize(
    ("name", "database", "how"),
    [
        *((name, "mariadb", "kill") for name in JOBS),
        ("catalog", "mariadb", "stop"),
        ("catalog", "mysql", "kill"),
        ("candles", "mysql", "stop"),
    ],
    indirect=["database"],
)
def test_a_run_outlives_a_lock_a_deadlock_and_a_restart_in_mid_transaction(
    name: str,
    how: str,
    database: Database,
    server: ExchangeServer,
    exchange: Exchange,
    reference: Any,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = small(JOBS[name], monkeypatch)
    whole = reference(job, exchange, database.engine)
    server.faults({"kind": "slow", "path": job.path, "skip": 1, "value": 0.5})
    before = asked(server, job)
    caplog.clear()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(job.run, exchange, database.engine)
        until(lambda: asked(server, job) >= before + 2)
        with database.holding_the_run() as session:
            # Of two transactions in a deadlock the server ends the one that wrote less.
            session.executemany("INSERT INTO elsewhere.ballast VALUES (%s)", [(n,) for n in range(50_000)])
            until(lambda: "Lock wait timeout" in caplog.text)
            until(database.session_is_waiting)
            session.execute(f"SELECT 1 FROM {job.table} FOR UPDATE")
            until(lambda: "Deadlock" in caplog.text)
            until(database.session_is_waiting)
            getattr(database, how)()
        database.start()
        report = done.result()
    assert report.state in ("success", "warning")
    assert set(runs(database.engine)) <= {"success", "warning"}
    assert_same(database.engine, whole)


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_a_server_that_stays_away_fails_the_run_and_the_next_one_has_it_all(
    database: Database, server: ExchangeServer, exchange: Exchange, reference: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = small(JOBS["catalog"], monkeypatch)
    whole = reference(job, exchange, database.engine)
    server.faults({"kind": "slow", "path": job.path, "skip": 1, "value": 0.5})
    before = asked(server, job)
    monkeypatch.setattr("kalshi.warehouse.server.PATIENCE_SECONDS", 1)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(job.run, exchange, database.engine, dag_run_id="manual")
        until(lambda: asked(server, job) >= before + 2)
        with database.holding_the_run():
            database.kill()
        with pytest.raises(sa.exc.OperationalError, match="Can't connect to MySQL server"):
            done.result()
    database.start()
    job.run(exchange, database.engine, dag_run_id="manual")
    assert runs(database.engine) == ["abandoned", "success"]
    assert_same(database.engine, whole)


@both
def test_no_statement_is_longer_than_the_server_takes(
    database: Database, server: ExchangeServer, exchange: Exchange, reference: Any
) -> None:
    job = JOBS["catalog"]
    whole = reference(job, exchange, database.engine)
    database.set("local_infile", 0)
    database.set("max_allowed_packet", 2**16)
    job.run(exchange, database.engine)
    assert_same(database.engine, whole)

    forget(database.engine)
    long = {"ticker": server.get("/markets", series_ticker=SERIES).json()["markets"][0]["ticker"], "note": "x" * 2**16}
    server.faults({"kind": "set_market", "path": job.path, "times": 99, "value": long})
    with pytest.raises(PacketTooSmall, match="max_allowed_packet is 65,536: set it to 16 MB"):
        job.run(exchange, database.engine)
    server.reset()
    database.set("max_allowed_packet", 2**24)
    job.run(exchange, database.engine)
    assert_same(database.engine, whole)


def with_room(program: Program, megabytes: int) -> Program:
    """The same server with all tables in one file, which may not grow beyond this."""
    file = ["--innodb-file-per-table=0", f"--innodb-data-file-path=ibdata1:12M:autoextend:max:{megabytes}M"]
    return Program([*program.initialize, *file], [*program.serve, *file])


def fill(database: Database) -> None:
    """Use up the room that the server's tables have."""
    with database.server.as_root() as cursor:
        cursor.execute("CREATE TABLE elsewhere.filler (content LONGBLOB) ENGINE=InnoDB")
        for size in (2**15, 2**12, 2**6):  # MariaDB 10.11 may die of rolling back a megabyte that didn't fit
            with pytest.raises(pymysql.err.OperationalError, match="is full"):
                while True:
                    cursor.execute("INSERT INTO elsewhere.filler VALUES (REPEAT('x', %s))", (size,))


@both
def test_a_server_without_room_fails_the_run_and_the_next_one_has_it_all(
    database: Database, exchange: Exchange, reference: Any, memory: Path
) -> None:
    job = JOBS["candles"]
    whole = reference(job, exchange, database.engine)
    cramped = Database(memory, with_room(database.program, 64))
    try:
        fill(cramped)
        with pytest.raises((pymysql.err.OperationalError, sa.exc.OperationalError), match="is full"):
            job.run(exchange, cramped.engine)
        cramped.stop()
        cramped.program = with_room(database.program, 512)
        cramped.start()
        job.run(exchange, cramped.engine)
        assert_same(cramped.engine, whole)
    finally:
        cramped.stop()


def test_a_server_that_is_read_only_for_a_while_is_waited_for_on_new_connections(
    server_on_both: PrivateServer, warehouse_on_both: sa.Engine
) -> None:
    connections: list[int] = []

    def write(connection: sa.Connection) -> None:
        connections.append(connection.exec_driver_sql("SELECT CONNECTION_ID()").scalar_one())
        connection.exec_driver_sql("INSERT INTO kalshi_series (series_ticker, run_id) VALUES ('KXNEW', 1)")

    def set_read_only(word: str) -> None:
        with server_on_both.as_root() as cursor:
            cursor.execute(f"SET GLOBAL read_only = {word}")

    in_transaction(warehouse_on_both, lambda connection: None)  # the pool has a connection
    set_read_only("ON")
    later = threading.Timer(1, set_read_only, ["OFF"])
    later.start()
    try:
        in_transaction(warehouse_on_both, write)
    finally:
        later.join()
    assert count(warehouse_on_both, "kalshi_series") == 1
    assert len(set(connections)) == len(connections) > 1, "a router leads a new connection to the new primary"
