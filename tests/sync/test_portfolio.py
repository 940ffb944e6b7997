"""The portfolio sync against the sandbox's account: every fill once, positions that open and close, exact P&L."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.sync.portfolio import PortfolioRequest, sync_portfolio
from tests.conftest import quick_config
from tests.exchange.api_key import ApiKey, make_key
from tests.exchange_server import ExchangeServer
from tests.sync.conftest import count, select

NOON = datetime(2026, 9, 22, 15, tzinfo=UTC)
TABLES = ("kalshi_fill", "kalshi_position", "kalshi_exchange_position", "kalshi_portfolio_settlement", "kalshi_balance")


class Portfolio(Protocol):
    def __call__(self, subaccount: int = ..., **others: Any) -> dict[str, Any]: ...


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> ApiKey:
    return make_key("ed25519", tmp_path_factory.mktemp("portfolio-key"))


@pytest.fixture(scope="module")
def _account(key: ApiKey) -> Iterator[ExchangeServer]:
    with account_at(NOON, key) as server:
        yield server


@pytest.fixture
def account(_account: ExchangeServer) -> Iterator[ExchangeServer]:
    """An exchange that knows the key."""
    _account.reset()
    yield _account
    _account.reset()


def account_at(moment: datetime, key: ApiKey) -> ExchangeServer:
    clock = f"--clock={moment.isoformat()}"
    return ExchangeServer(clock, "--since=2026-05-01", "--requests-per-second=0", key.argument)


def syncing(server: ExchangeServer, key: ApiKey, engine: sa.Engine) -> Portfolio:
    def sync(subaccount: int = 0, **others: Any) -> dict[str, Any]:
        config = quick_config(server, key_id=key.id, private_key_pem=key.private_pem, timeout=(5.0, 20.0))
        with Exchange(config) as exchange:
            cutoff = exchange.historical_cutoff().trades_created
            return sync_portfolio(exchange, engine, PortfolioRequest(str(subaccount), trades_cutoff=cutoff, **others))

    return sync


@pytest.fixture
def portfolio(account: ExchangeServer, key: ApiKey, warehouse: sa.Engine) -> Portfolio:
    return syncing(account, key, warehouse)


def test_the_whole_account_reconciles_to_the_micro_dollar(
    account: ExchangeServer, key: ApiKey, warehouse_on_both: sa.Engine
) -> None:
    portfolio = syncing(account, key, warehouse_on_both)
    reports = [portfolio(subaccount) for subaccount in (0, 1, 2)]
    print(reports)
    print(select(warehouse_on_both, "SELECT * FROM kalshi_pnl_reconciliation LIMIT 5"))
    assert count(warehouse_on_both, "kalshi_pnl_reconciliation") == 0
