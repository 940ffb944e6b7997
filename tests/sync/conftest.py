"""An exchange with a longer history, and queries on the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.sync.catalog import CatalogRequest, sync_series
from tests.exchange_server import ExchangeServer


@pytest.fixture(scope="session")
def _long_exchange() -> Iterator[ExchangeServer]:
    with ExchangeServer("--since=2025-06-01", "--requests-per-second=0", "--wide-markets=0") as server:
        yield server


@pytest.fixture
def long_exchange(_long_exchange: ExchangeServer) -> Iterator[ExchangeServer]:
    """A sandbox whose historical tier has three pages of KXHIGHNY."""
    _long_exchange.reset()
    yield _long_exchange
    _long_exchange.reset()


class Sync(Protocol):
    def __call__(self, series: str = ..., **others: Any) -> dict[str, Any]: ...


def syncing(exchange: Exchange, engine: sa.Engine) -> Sync:
    """``sync("KXHIGHNY", full=True)``: one sync of a series of this exchange into this warehouse."""

    def sync(series: str = "KXHIGHNY", **others: Any) -> dict[str, Any]:
        request = CatalogRequest(series, exchange.historical_cutoff().markets_settled, **others)
        return sync_series(exchange, engine, request)

    return sync


@pytest.fixture
def sync(exchange: Exchange, warehouse: sa.Engine) -> Sync:
    """The small exchange into MariaDB."""
    return syncing(exchange, warehouse)


def select(engine: sa.Engine, sql: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(sql)).mappings()]


def count(engine: sa.Engine, table: str) -> int:
    return int(select(engine, f"SELECT COUNT(*) AS n FROM {table}")[0]["n"])


def windows(engine: sa.Engine) -> list[str]:
    """The states of the two windows, the historical one first."""
    return [w["state"] for w in select(engine, "SELECT state FROM kalshi_checkpoint ORDER BY window_start_utc")]


def runs(engine: sa.Engine) -> list[str]:
    return [r["state"] for r in select(engine, "SELECT state FROM kalshi_sync_run ORDER BY run_id")]
