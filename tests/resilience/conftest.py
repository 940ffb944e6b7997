"""A small exchange with an account, an empty warehouse, and what each job stores there if nothing fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from scripts.content import contents
from tests.resilience.account import Account, Content, small
from tests.resilience.jobs import JOBS, Job
from tests.support.api_key import make_key
from tests.support.databases import select
from tests.support.exchange_server import ExchangeServer
from tests.support.warehouses import forget


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(make_key("ed25519", tmp_path_factory.mktemp("resilience-key")))


@pytest.fixture(scope="session")
def _server(account: Account) -> Iterator[ExchangeServer]:
    with account.server("--port=0") as server:
        yield server


@pytest.fixture
def server(_server: ExchangeServer, faultless: Callable[[ExchangeServer], ExchangeServer]) -> ExchangeServer:
    """The exchange without faults."""
    return faultless(_server)


@pytest.fixture
def exchange(account: Account, server: ExchangeServer) -> Iterator[Exchange]:
    with account.client(server) as exchange:
        yield exchange


@pytest.fixture(params=JOBS)
def job(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Each job, with small pages and transactions."""
    return small(JOBS[request.param], monkeypatch)


@pytest.fixture(scope="session")
def reference() -> Callable[[Job, Exchange, sa.Engine], Content]:
    """``reference(job, exchange, engine)``: what the job stores in an empty warehouse if nothing fails. The
    warehouse is empty again after it."""
    known: dict[tuple[str, bool], Content] = {}

    def find(job: Job, exchange: Exchange, engine: sa.Engine) -> Content:
        name = next(name for name, one in JOBS.items() if one is job)
        is_mariadb = "MariaDB" in select(engine, "SELECT VERSION() AS v")[0]["v"]
        if (name, is_mariadb) not in known:
            assert job.run(exchange, engine).state in ("success", "warning")
            known[name, is_mariadb] = contents(engine)
            forget(engine)
        return known[name, is_mariadb]

    return find
