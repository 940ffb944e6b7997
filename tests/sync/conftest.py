"""An exchange with a longer history."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from tests.support.exchange_server import ExchangeServer
from tests.sync.catalog import Sync, syncing


@pytest.fixture(scope="session")
def _long_exchange() -> Iterator[ExchangeServer]:
    with ExchangeServer("--since=2025-06-01", "--requests-per-second=0", "--wide-markets=0") as server:
        yield server


@pytest.fixture
def long_exchange(
    _long_exchange: ExchangeServer, faultless: Callable[[ExchangeServer], ExchangeServer]
) -> ExchangeServer:
    """A sandbox whose historical tier has three pages of KXHIGHNY."""
    return faultless(_long_exchange)


@pytest.fixture
def sync(exchange: Exchange, warehouse: sa.Engine) -> Sync:
    """The small exchange into MariaDB."""
    return syncing(exchange, warehouse)
