"""Every job meets what a database does to a transaction: on servers of these tests' own, which may be killed."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import ServerAddress, open_engine
from scripts import private_server
from scripts.private_server import Program
from tests.content import forget
from tests.exchange_server import ExchangeServer
from tests.resilience.conftest import assert_same, small
from tests.resilience.jobs import JOBS, Job
from tests.sync.conftest import runs, select

SECONDS = 60


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "what was waited for never came"
        time.sleep(0.15)  # innodb_trx is renewed only where nobody asked for a tenth of a second


def asked(server: ExchangeServer, job: Job) -> int:
    """How many of the requests that the job's faults strike came so far."""
    return sum(n for path, n in server.stats()["by_path"].items() if re.search(job.path, path))


@dataclass
class Database:
    """A warehouse on a server that can be taken down. Its Unix socket stays the same, its port doesn't."""

    folder: Path
    program: Program

    def __post_init__(self) -> None:
        self.server = private_server.ensure(self.folder, self.program)
        self.server.database("resilience")
        self.engine = open_engine(
            ServerAddress("", "resilience", "resilience", self.server.password, unix_socket=self.server.socket)
        )
        migrate(self.engine)
        with self.server.as_root() as cursor:
            cursor.execute("CREATE DATABASE elsewhere")
            cursor.execute("CREATE TABLE elsewhere.ballast (n INT) ENGINE=InnoDB")

    def stop(self) -> None:
        private_server.stop(self.folder)

    def kill(self) -> None:
        os.kill(int((self.folder / "server.pid").read_text()), signal.SIGKILL)

    def start(self) -> None:
        self.server = private_server.ensure(self.folder, self.program)

    def set(self, variable: str, value: int) -> None:
        """For connections from now on."""
        with self.server.as_root() as cursor:
            cursor.execute(f"SET GLOBAL {variable} = %s", (value,))
        self.engine.dispose()

    def somebody_waits(self) -> bool:
        with self.server.as_root() as cursor:
            return bool(cursor.execute("SELECT 1 FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"))

    @contextmanager
    def holding_the_run(self) -> Iterator[pymysql.cursors.Cursor]:
        """Somebody else's transaction. It holds the row of the run, which each page of a job comes to last."""
        somebody = pymysql.connect(
            unix_socket=self.server.socket, user="root", password=self.server.root_password, database="resilience"
        )
        try:
            with somebody.cursor() as cursor:
                cursor.execute("SET innodb_lock_wait_timeout = 50")
                (run,) = select(self.engine, "SELECT run_id FROM kalshi_sync_run WHERE state = 'running'")
                cursor.execute("SELECT 1 FROM kalshi_sync_run WHERE run_id = %s FOR UPDATE", (run["run_id"],))
                until(self.somebody_waits)
                yield cursor
        finally:
            somebody.close()


@pytest.fixture(scope="session")
def _databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Program], Database]]:
    made: dict[str, Database] = {}

    def database(program: Program) -> Database:
        name = program.serve[0]
        if name not in made:
            made[name] = Database(tmp_path_factory.mktemp("database"), program)
        return made[name]

    yield database
    for one in made.values():
        one.engine.dispose()
        one.stop()


@pytest.fixture
def database(request: pytest.FixtureRequest, _databases: Callable[[Program], Database]) -> Database:
    """An empty warehouse on a server of these tests' own, which waits for a lock for two seconds."""
    is_mysql = request.param == "mysql"
    program = request.getfixturevalue("mysql_program") if is_mysql else private_server.installed_program()
    database = _databases(program)
    database.start()
    database.set("innodb_lock_wait_timeout", 2)
    forget(database.engine)
    return database


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
        with database.holding_the_run() as somebody:
            # Of two transactions in a deadlock the server ends the one that wrote less.
            somebody.executemany("INSERT INTO elsewhere.ballast VALUES (%s)", [(n,) for n in range(50_000)])
            until(lambda: "Lock wait timeout" in caplog.text)
            until(database.somebody_waits)
            somebody.execute(f"SELECT 1 FROM {job.table} FOR UPDATE")
            until(lambda: "Deadlock" in caplog.text)
            until(database.somebody_waits)
            getattr(database, how)()
        database.start()
        report = done.result()
    assert report["state"] in ("success", "warning")
    assert set(runs(database.engine)) <= {"success", "warning"}
    assert_same(database.engine, whole)
