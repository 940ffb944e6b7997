"""A small exchange with an account, an empty warehouse, and what each job stores there if nothing fails."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, client
from kalshi.records import Event, Market, Trade
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.private_server import PrivateServer, free_port
from tests.conftest import address_of, quick_config
from tests.content import contents, forget
from tests.exchange.api_key import ApiKey, make_key
from tests.exchange_server import ExchangeServer
from tests.resilience.jobs import JOBS, Job
from tests.sync.conftest import select

SMALL = ("--since=2026-06-15", "--wide-markets=0", "--requests-per-second=0")
Content = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Account:
    """A sandbox at its own address, which a test can stop and start, and the key to its account."""

    key: ApiKey
    port: int = field(default_factory=free_port)

    def server(self, *arguments: str) -> ExchangeServer:
        return ExchangeServer(f"--port={self.port}", *SMALL, self.key.argument, *arguments)

    @contextmanager
    def client(self, server: ExchangeServer, **others: Any) -> Iterator[Exchange]:
        keys = {"key_id": self.key.id, "private_key_pem": self.key.secret}
        with Exchange(quick_config(server, **{**keys, **others})) as exchange:
            yield exchange


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(make_key("ed25519", tmp_path_factory.mktemp("resilience-key")))


@pytest.fixture(scope="session")
def _server(account: Account) -> Iterator[ExchangeServer]:
    with account.server("--port=0") as server:
        yield server


@pytest.fixture
def server(_server: ExchangeServer) -> Iterator[ExchangeServer]:
    """The exchange without faults."""
    _server.reset()
    yield _server
    _server.reset()


@pytest.fixture
def exchange(account: Account, server: ExchangeServer) -> Iterator[Exchange]:
    with account.client(server) as exchange:
        yield exchange


@pytest.fixture(scope="session")
def _warehouse(mariadb: PrivateServer) -> Iterator[sa.Engine]:
    engine = open_engine(address_of(mariadb.database("resilience")), loads=True)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def warehouse(_warehouse: sa.Engine) -> sa.Engine:
    """An empty warehouse on MariaDB."""
    forget(_warehouse)
    return _warehouse


@pytest.fixture(params=JOBS)
def job(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Each job, with small pages and transactions."""
    return small(JOBS[request.param], monkeypatch)


def small(job: Job, monkeypatch: pytest.MonkeyPatch) -> Job:
    sizes: dict[Any, int] = {Market: job.markets_per_page, Event: 50, Trade: 20}
    for name, listing in list(vars(client).items()):
        if isinstance(listing, client.Listing):
            monkeypatch.setattr(client, name, replace(listing, limit=sizes.get(listing.record, 400)))
    monkeypatch.setattr("kalshi.sync.api_candles.ROWS_PER_TRANSACTION", 500)
    return job


@pytest.fixture(scope="session")
def reference() -> Callable[[Job, Exchange, sa.Engine], Content]:
    """``reference(job, exchange, engine)``: what the job stores in an empty warehouse if nothing fails. The
    warehouse is empty again after it."""
    known: dict[tuple[str, bool], Content] = {}

    def find(job: Job, exchange: Exchange, engine: sa.Engine) -> Content:
        name = next(name for name, one in JOBS.items() if one is job)
        is_mariadb = "MariaDB" in select(engine, "SELECT VERSION() AS v")[0]["v"]
        if (name, is_mariadb) not in known:
            assert job.run(exchange, engine)["state"] in ("success", "warning")
            known[name, is_mariadb] = contents(engine)
            forget(engine)
        return known[name, is_mariadb]

    return find


def assert_same(engine: sa.Engine, expected: Content) -> None:
    """The expected rows and no others; every window complete, every started run ended."""
    assert contents(engine) == expected
    assert expected["kalshi_market"][0] > 0
    assert select(engine, "SELECT job, state, error FROM kalshi_checkpoint WHERE state <> 'COMPLETE'") == []
    assert select(engine, "SELECT job FROM kalshi_sync_run WHERE state = 'running' AND dag_run_id <> ''") == []


SECONDS = 60


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "what was waited for never came"
        time.sleep(0.15)  # innodb_trx is renewed only where nobody asked for a tenth of a second


def asked(server: ExchangeServer, job: Job) -> int:
    """How many of the requests that the job's faults strike came so far."""
    return sum(n for path, n in server.stats()["by_path"].items() if re.search(job.path, path))
