"""What a DAG run asks first: which exchange answers, and what the warehouse remembers of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeConfig, RequestRefused
from kalshi.exchange.config import BASE_URLS
from kalshi.hooks.kalshi import KalshiHook
from kalshi.sync.catalog import CatalogRequest
from kalshi.sync.cutoff import accept, find_cutoff, with_current_cutoff
from kalshi.sync.portfolio import PortfolioRequest, sync_portfolio
from kalshi.sync.run import recorded_run
from kalshi.warehouse import exchanges
from kalshi.warehouse.exchanges import ForeignData
from tests.support.account import AFTERNOON, account_at
from tests.support.api_key import make_key
from tests.support.databases import count, runs, select
from tests.support.exchange_server import ExchangeServer, quick_config


class _Real(BaseHTTPRequestHandler):
    """An exchange that doesn't say that its data is made up."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"market_settled_ts": "2026-06-24T00:00:00Z", "trades_created_ts": "2026-06-24T00:00:00Z"}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def real_url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Real)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/trade-api/v2"
    server.shutdown()


def test_the_warehouse_remembers_that_the_sandbox_is_synthetic(exchange: Exchange, warehouse: sa.Engine) -> None:
    for _ in range(2):
        find_cutoff(exchange, warehouse, "catalog")
    (row,) = select(warehouse, "SELECT * FROM kalshi_exchange")
    assert (row["exchange"], row["is_synthetic"]) == ("sandbox, seed 1", 1)
    assert row["first_seen_at_utc"] < row["updated_at_utc"]
    assert row["run_id"] == select(warehouse, "SELECT MAX(run_id) AS run FROM kalshi_sync_run")[0]["run"]


def test_an_exchange_without_that_header_is_known_by_its_address_and_is_real(
    real_url: str, warehouse: sa.Engine
) -> None:
    with Exchange(ExchangeConfig(real_url)) as exchange, warehouse.connect() as connection:
        find_cutoff(exchange, warehouse, "catalog")
        assert exchanges.names(connection) == {real_url: False}
        assert not exchanges.is_synthetic(connection)


SANDBOX = "sandbox, seed 1"


def test_a_sandbox_on_another_port_is_the_same_exchange(exchange: Exchange, warehouse: sa.Engine) -> None:
    find_cutoff(exchange, warehouse, "catalog")
    with ExchangeServer("--since=2026-09-20", "--wide-markets=0") as server, Exchange(quick_config(server)) as other:
        find_cutoff(other, warehouse, "catalog")
    assert select(warehouse, "SELECT exchange FROM kalshi_exchange") == [{"exchange": SANDBOX}]


def test_synthetic_and_real_data_never_mix(exchange: Exchange, real_url: str, warehouse_on_both: sa.Engine) -> None:
    with Exchange(ExchangeConfig(real_url)) as real:
        find_cutoff(real, warehouse_on_both, "catalog")
        reason = f"{SANDBOX}, whose data is synthetic, .* is of {real_url}.*never mix"
        with pytest.raises(ForeignData, match=reason):
            find_cutoff(exchange, warehouse_on_both, "catalog")
        with pytest.raises(ForeignData, match=reason):
            accept(exchange, warehouse_on_both)
    assert runs(warehouse_on_both) == ["success", "failed"]
    assert [row["exchange"] for row in select(warehouse_on_both, "SELECT exchange FROM kalshi_exchange")] == [real_url]


def test_a_warehouse_of_the_sandbox_refuses_the_real_exchange(
    exchange: Exchange, real_url: str, warehouse: sa.Engine
) -> None:
    find_cutoff(exchange, warehouse, "catalog")
    with Exchange(ExchangeConfig(real_url)) as real:
        reason = f"{real_url}, whose data is real, but kalshi_warehouse is of {SANDBOX}"
        with pytest.raises(ForeignData, match=reason):
            find_cutoff(real, warehouse, "catalog")
        with pytest.raises(ForeignData, match=reason):
            accept(real, warehouse)


def test_another_exchange_is_refused_until_a_person_accepts_it(exchange: Exchange, warehouse: sa.Engine) -> None:
    find_cutoff(exchange, warehouse, "catalog")
    with (
        ExchangeServer("--seed=2", "--since=2026-09-20", "--wide-markets=0") as server,
        Exchange(quick_config(server)) as other,
    ):
        with pytest.raises(ForeignData, match=r"leads to sandbox, seed 2, but .*python -m kalshi accept"):
            find_cutoff(other, warehouse, "catalog")
        assert accept(other, warehouse).name == "sandbox, seed 2"
        find_cutoff(other, warehouse, "catalog")
    find_cutoff(exchange, warehouse, "catalog")
    assert exchanges_of(warehouse) == {SANDBOX: True, "sandbox, seed 2": True}


def exchanges_of(engine: sa.Engine) -> dict[str, bool]:
    with engine.connect() as connection:
        return exchanges.names(connection)


def test_of_two_exchanges_that_come_first_at_once_one_is_refused(
    exchange: Exchange, real_url: str, warehouse_on_both: sa.Engine
) -> None:
    def plan(client: Exchange) -> str:
        try:
            find_cutoff(client, warehouse_on_both, "catalog")
        except ForeignData:
            return "refused"
        return "accepted"

    with Exchange(ExchangeConfig(real_url)) as real, ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(plan, (exchange, real))) == ["accepted", "refused"]
    assert len(exchanges_of(warehouse_on_both)) == 1


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.elections.kalshi.com/trade-api/v2", BASE_URLS["prod"]),
        ("https://EXTERNAL-API.kalshi.com:443/trade-api/v2/", BASE_URLS["prod"]),
        ("https://demo-api.kalshi.co/trade-api/v2", BASE_URLS["demo"]),
        ("https://Proxy.example:8443/kalshi/trade-api/v2/", "https://proxy.example:8443/kalshi/trade-api/v2"),
    ],
)
def test_official_hosts_of_one_environment_are_one_exchange(base_url: str, name: str) -> None:
    assert ExchangeConfig(base_url).exchange_name == name


def test_a_task_refuses_an_exchange_that_took_the_place_of_the_planned_one(
    exchange: Exchange, real_url: str, warehouse: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_cutoff(exchange, warehouse, "catalog")
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_DEFAULT", json.dumps({"conn_type": "kalshi", "host": real_url}))
    with KalshiHook().get_conn(warehouse) as other, pytest.raises(ForeignData, match="never mix"):
        other.historical_cutoff()


def test_a_portfolio_is_read_with_the_warehouses_key_until_a_person_accepts_another(
    warehouse: sa.Engine, tmp_path: Path
) -> None:
    key = make_key("ed25519", tmp_path)
    rotated = replace(make_key("rsa", tmp_path), id="rotated")
    with account_at(AFTERNOON, key, rotated, since="2026-09-01") as server:
        clients = [
            Exchange(quick_config(server, key_id=k.id, private_key_pem=k.secret, timeout=(5.0, 20.0)))
            for k in (key, rotated)
        ]
        with clients[0] as first, clients[1] as second:
            request = PortfolioRequest("0", trades_cutoff=None)
            sync_portfolio(first, warehouse, request)
            fills, asked = count(warehouse, "kalshi_fill"), second.traffic.requests
            with pytest.raises(ForeignData, match=f"key rotated, but .* read with {key.id}.*python -m kalshi accept"):
                sync_portfolio(second, warehouse, request)
            assert second.traffic.requests == asked
            find_cutoff(second, warehouse, "catalog")
            accept(second, warehouse)
            assert sync_portfolio(second, warehouse, request).inserted == 0
            sync_portfolio(first, warehouse, request)
    assert count(warehouse, "kalshi_fill") == fills > 0
    keys = select(warehouse, "SELECT key_id, run_id = 0 AS by_hand FROM kalshi_account_key ORDER BY run_id DESC")
    assert keys == [{"key_id": key.id, "by_hand": 0}, {"key_id": "rotated", "by_hand": 1}]


def test_a_key_that_is_refused_does_not_become_the_warehouses(warehouse: sa.Engine, tmp_path: Path) -> None:
    key = make_key("ed25519", tmp_path)
    stranger = replace(make_key("rsa", tmp_path), id="stranger")
    with account_at(AFTERNOON, key, since="2026-09-01") as server:
        config = quick_config(server, key_id=stranger.id, private_key_pem=stranger.secret)
        with Exchange(config) as exchange:
            with pytest.raises(RequestRefused, match="401"):
                sync_portfolio(exchange, warehouse, PortfolioRequest("0", trades_cutoff=None))
            with pytest.raises(RequestRefused, match="401"):
                accept(exchange, warehouse)
    assert count(warehouse, "kalshi_account_key") == 0


def asked_for_the_cutoff(server: ExchangeServer) -> int:
    return int(server.stats()["by_path"].get("/trade-api/v2/historical/cutoff", 0))


@pytest.mark.parametrize(
    ("age", "attempts", "asks"),
    [(timedelta(minutes=5), 1, 0), (timedelta(hours=2), 1, 1), (timedelta(minutes=5), 2, 1)],
    ids=["a fresh plan", "a run that had to wait", "a retry"],
)
def test_the_cutoff_is_asked_for_again_where_that_of_the_plan_may_be_outdated(
    exchange_server: ExchangeServer,
    exchange: Exchange,
    warehouse: sa.Engine,
    age: timedelta,
    attempts: int,
    asks: int,
) -> None:
    long_ago = datetime(2025, 1, 1, tzinfo=UTC)
    planned = CatalogRequest("KXHIGHNY", long_ago, dag_run_id="manual", planned_at=datetime.now(UTC) - age)
    before = asked_for_the_cutoff(exchange_server)
    for _ in range(attempts):
        key = planned.key("catalog")
        with recorded_run(warehouse, key, exchange.traffic) as run:
            request = with_current_cutoff(exchange, run, planned)
    assert asked_for_the_cutoff(exchange_server) - before == asks
    assert (request.cutoff > long_ago) == bool(asks)
