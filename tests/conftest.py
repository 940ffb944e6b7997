"""Servers that the tests talk to: real databases on this machine, and the sandbox over HTTP."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import sqlalchemy as sa
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

from kalshi.exchange import Exchange
from kalshi.warehouse.server import open_engine
from scripts import backends, private_server, real_mysql
from scripts.address import address_of
from scripts.private_server import PrivateServer, Program, ServerError
from scripts.warm_airflow import WarmAirflow, warm_airflow
from tests.support.airflow_cli import Airflow, airflow_in
from tests.support.exchange_server import ExchangeServer, quick_config
from tests.support.memory import passing_server
from tests.support.official_client import OfficialClient, installed_client
from tests.support.warehouses import shared_warehouse

DATABASE_NUMBERS = itertools.count(1)
MISSING_MYSQL: list[str] = []


NEEDS = {
    "database": {"mariadb", "mysql", "mysql_program", "server_on_both"},
    "exchange": {"_small_exchange", "_long_exchange", "_private_server", "_server", "morning"},
    "airflow": {"airflow", "fresh_airflow", "site"},
    "browser": {"browser"},
}
"""The marker of each fixture that takes seconds to make. A test that starts such a thing by itself has it by hand."""
SLOW = {*NEEDS, "slow"}
STARTING = ("sandbox.process.start", "scripts.private_server.ensure", "tests.support.airflow_cli.Airflow.python")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker, fixtures in NEEDS.items():
            if fixtures & set(getattr(item, "fixturenames", ())):
                item.add_marker(marker)
        if not any(map(item.get_closest_marker, SLOW)):
            item.add_marker("fast")
    # pytest-xdist deals the tests out in this order, and a process that is done takes over the last ones of another:
    # the long ones come first, and files stay together for the sake of what their tests share. Before all others come
    # those of the running Airflow, so that only one process starts one.
    long = {item.path for item in items if any(map(item.get_closest_marker, ("airflow", "browser", "slow")))}
    of_site = {item.path for item in items if "site" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: (item.path not in of_site, item.path not in long))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Keep `make test-fast` fast."""

    def start(*_: object, **__: object) -> None:
        raise AssertionError(f"Mark this test, which starts something slow, as one of {', '.join(sorted(SLOW))}.")

    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("fast"):
            for starting in STARTING:
                patch.setattr(starting, start)
        return (yield)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reason in MISSING_MYSQL:
        terminalreporter.section("NOT TESTED ON A REAL MYSQL", sep="!", red=True, bold=True)
        terminalreporter.write_line(f"Debian's MySQL isn't available at the moment: {reason}")


@pytest.fixture(scope="session")
def mariadb() -> Iterator[PrivateServer]:
    """This system's server, which is MariaDB on Debian."""
    with passing_server(private_server.installed_program()) as server:
        yield server


@pytest.fixture(scope="session")
def mysql_program() -> Program:
    """A real MySQL from Debian's unstable release. Its tests are skipped, conspicuously, if Debian has none."""
    try:
        backends.LOCAL.mkdir(exist_ok=True)
        with FileLock(backends.LOCAL / "real-mysql.lock"):
            return real_mysql.download(backends.LOCAL / "real-mysql")
    except ServerError as error:
        MISSING_MYSQL.append(str(error))
        pytest.skip("no real MySQL to be had")


@pytest.fixture(scope="session")
def mysql(mysql_program: Program) -> Iterator[PrivateServer]:
    """A real MySQL, running."""
    with passing_server(mysql_program) as server:
        yield server


@pytest.fixture(params=["mariadb", "mysql"])
def server_on_both(request: pytest.FixtureRequest) -> PrivateServer:
    """MariaDB, and a real MySQL."""
    server: PrivateServer = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def empty_database(mariadb: PrivateServer) -> Iterator[str]:
    """The URI of a new MariaDB database without tables, for tests whose subject is the database itself."""
    yield from _database(mariadb)


@pytest.fixture
def empty_database_on_both(server_on_both: PrivateServer) -> Iterator[str]:
    """The URI of a new database without tables, on MariaDB and on a real MySQL."""
    yield from _database(server_on_both)


def _database(server: PrivateServer) -> Iterator[str]:
    name = f"test_{os.getpid()}_{next(DATABASE_NUMBERS)}"
    yield server.database(name)
    with server.as_root() as cursor:
        cursor.execute(f"DROP DATABASE {name}")
        cursor.execute(f"DROP USER '{name}'@'127.0.0.1', '{name}'@'localhost'")


@pytest.fixture
def warehouse_uri(mariadb: PrivateServer) -> str:
    """The URI of ``warehouse``."""
    return _emptied(mariadb)


@pytest.fixture
def warehouse_uri_on_both(server_on_both: PrivateServer) -> str:
    """The URI of ``warehouse_on_both``."""
    return _emptied(server_on_both)


def _emptied(server: PrivateServer) -> str:
    warehouse = shared_warehouse(server)
    warehouse.empty()
    return warehouse.uri


@pytest.fixture
def warehouse(warehouse_uri: str) -> Iterator[sa.Engine]:
    """A migrated warehouse on MariaDB, empty; the same one for every test."""
    yield from _opened(warehouse_uri)


@pytest.fixture
def warehouse_on_both(warehouse_uri_on_both: str) -> Iterator[sa.Engine]:
    """A migrated warehouse on MariaDB and on a real MySQL, empty; the same ones for every test."""
    yield from _opened(warehouse_uri_on_both)


def _opened(uri: str) -> Iterator[sa.Engine]:
    engine = open_engine(address_of(uri), loads=True)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def _small_exchange() -> Iterator[ExchangeServer]:
    with ExchangeServer("--since=2026-04-01", "--requests-per-second=0") as server:
        yield server


@pytest.fixture
def faultless() -> Iterator[Callable[[ExchangeServer], ExchangeServer]]:
    """``faultless(server)``: the server, without faults now and after the test."""
    with ExitStack() as stack:

        def reset(server: ExchangeServer) -> ExchangeServer:
            server.reset()
            stack.callback(server.reset)
            return server

        yield reset


@pytest.fixture
def exchange_server(
    _small_exchange: ExchangeServer, faultless: Callable[[ExchangeServer], ExchangeServer]
) -> ExchangeServer:
    """The sandbox in a process of its own, with events since April 2026, no rate limit and no faults."""
    return faultless(_small_exchange)


@pytest.fixture
def exchange(exchange_server: ExchangeServer) -> Iterator[Exchange]:
    """An unhurried client that gives up after four quick attempts."""
    with Exchange(quick_config(exchange_server)) as exchange:
        yield exchange


@pytest.fixture(scope="session")
def official_client() -> OfficialClient:
    """Kalshi's own client, installed."""
    return installed_client()


@pytest.fixture(scope="session")
def airflow(worker_id: str) -> Airflow:
    """Airflow's command line, with a metadata database that later test sessions use again."""
    return airflow_in(backends.LOCAL / "tests" / "airflow" / worker_id)


@pytest.fixture(scope="session")
def warm(airflow: Airflow, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WarmAirflow]:
    """Airflow's command line, imported once for all tests."""
    log = tmp_path_factory.mktemp("warm") / "airflow.log"
    with log.open("w", encoding="utf-8") as file, warm_airflow(airflow.environment, file) as warm:
        yield warm


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()
