"""A warehouse with two days of the sandbox's New York, restored after each test."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.private_server import PrivateServer
from tests.support.exchange_server import ExchangeServer, quick_config
from tests.support.quality import DAY, FILLED, MADE, SEP_20, fill, plant
from tests.support.warehouses import truncate, without_foreign_keys

AS_OF_NOW = """
UPDATE kalshi_sync_run JOIN (
  SELECT TIMESTAMPDIFF(SECOND, MAX(ended_at_utc), CURRENT_TIMESTAMP) AS seconds FROM kalshi_sync_run
) passed
SET started_at_utc = started_at_utc + INTERVAL seconds SECOND, ended_at_utc = ended_at_utc + INTERVAL seconds SECOND
"""
"""The tests before may have taken longer than a table may go without a run."""


@cache
def _filled(server: PrivateServer) -> sa.Engine:
    engine = open_engine(address_of(server.database("test_quality")), loads=True)
    migrate(engine)
    with (
        ExchangeServer("--since=2026-08-15", "--requests-per-second=0", "--wide-markets=0") as exchange_server,
        Exchange(quick_config(exchange_server)) as exchange,
    ):
        fill(exchange, engine, SEP_20 - DAY, SEP_20 + DAY)
    plant(engine, *(f"CREATE TABLE clean_{table} AS SELECT * FROM {table}" for table in FILLED))
    return engine


@pytest.fixture
def filled(mariadb: PrivateServer) -> Iterator[sa.Engine]:
    """New York, 19 and 20 September: settlements, catalog, candles, trades and a snapshot."""
    yield from _restored(mariadb)


@pytest.fixture
def filled_mysql(mysql: PrivateServer) -> Iterator[sa.Engine]:
    """The same on a real MySQL."""
    yield from _restored(mysql)


@pytest.fixture
def filled_on_both(server_on_both: PrivateServer) -> Iterator[sa.Engine]:
    """The same on MariaDB and on a real MySQL."""
    yield from _restored(server_on_both)


def _restored(server: PrivateServer) -> Iterator[sa.Engine]:
    engine = _filled(server)
    plant(engine, AS_OF_NOW)
    yield engine
    with without_foreign_keys(engine) as connection:
        truncate(connection, (*MADE, *FILLED))
    plant(engine, *(f"INSERT INTO {table} SELECT * FROM clean_{table}" for table in FILLED))
