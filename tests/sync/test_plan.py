"""What a DAG run asks first: which exchange answers, and what the warehouse remembers of it."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeConfig
from kalshi.sync.plan import find_cutoff
from kalshi.warehouse import exchanges
from tests.sync.conftest import select


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
