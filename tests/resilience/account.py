"""A small exchange with an account, and what must be so in the end."""

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
from scripts.content import contents
from scripts.private_server import free_port
from tests.resilience.jobs import Job
from tests.support.api_key import ApiKey
from tests.support.databases import select
from tests.support.exchange_server import ExchangeServer, quick_config

SMALL = ("--since=2026-06-15", "--wide-markets=0", "--requests-per-second=0")
SECONDS = 60
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


def small(job: Job, monkeypatch: pytest.MonkeyPatch) -> Job:
    """The job, with small pages and transactions."""
    sizes: dict[Any, int] = {Market: job.markets_per_page, Event: 50, Trade: 20}
    for name, listing in list(vars(client).items()):
        if isinstance(listing, client.Listing):
            monkeypatch.setattr(client, name, replace(listing, limit=sizes.get(listing.record, 400)))
    monkeypatch.setattr("kalshi.sync.api_candles.ROWS_PER_TRANSACTION", 500)
    return job


def assert_same(engine: sa.Engine, expected: Content) -> None:
    """The expected rows and no others; every window complete, every started run ended."""
    assert contents(engine) == expected
    assert expected["kalshi_market"][0] > 0
    assert select(engine, "SELECT job, state, error FROM kalshi_checkpoint WHERE state <> 'COMPLETE'") == []
    assert select(engine, "SELECT job FROM kalshi_sync_run WHERE state = 'running' AND dag_run_id <> ''") == []


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "what was waited for never came"
        time.sleep(0.15)  # innodb_trx is renewed only where nobody asked for a tenth of a second


def asked(server: ExchangeServer, job: Job) -> int:
    """How many of the requests that the job's faults strike came so far."""
    return sum(n for path, n in server.stats()["by_path"].items() if re.search(job.path, path))
