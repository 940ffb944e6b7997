"""What Airflow's Test button shows for the connection Kalshi, against the sandbox over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from airflow.models.connection import Connection

from sandbox.access import READ_BALANCE
from tests.support.account import AFTERNOON, account_at, connection
from tests.support.api_key import ApiKey, make_key
from tests.support.exchange_server import ExchangeServer


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> ApiKey:
    return make_key("ed25519", tmp_path_factory.mktemp("button-key"))


@pytest.fixture(scope="module")
def account(key: ApiKey) -> Iterator[ExchangeServer]:
    with account_at(AFTERNOON, key, since="2026-09-15") as server:
        yield server


def press(monkeypatch: pytest.MonkeyPatch, parts: dict[str, Any]) -> tuple[bool, str]:
    """As Airflow does it: the form's values become a connection under a name that nobody else has, in a URI."""
    filled = Connection(
        conn_id="TrAnSiEnT",
        conn_type="kalshi",
        host=parts.get("host"),
        login=parts.get("login"),
        password=parts.get("password"),
        extra=json.dumps(parts.get("extra", {})),
    )
    monkeypatch.setenv("AIRFLOW_CONN_TRANSIENT", filled.get_uri())
    well, message = filled.test_connection()  # type: ignore[no-untyped-call]
    assert "PRIVATE" not in message
    return well, message


def test_without_a_key_it_tells_status_and_clock(
    monkeypatch: pytest.MonkeyPatch, exchange_server: ExchangeServer
) -> None:
    well, message = press(monkeypatch, {"host": exchange_server.base_url})
    assert well
    assert f"exchange: {exchange_server.base_url} · exchange's clock: within 5 s" in message
    assert "key: none: public data only" in message


def test_fields_left_empty_in_the_form_mean_their_defaults(
    monkeypatch: pytest.MonkeyPatch, exchange_server: ExchangeServer
) -> None:
    empty = {"env": None, "private_key_path": "", "requests_per_second": None, "attempts": None}
    well, message = press(monkeypatch, {"host": exchange_server.base_url, "login": "", "extra": empty})
    assert well, message
    assert "requests: 20 per second" in message


def test_with_a_key_it_tells_tier_scope_and_rate(
    monkeypatch: pytest.MonkeyPatch, account: ExchangeServer, key: ApiKey
) -> None:
    parts = {**json.loads(connection(account, key)), "extra": {}}
    well, message = press(monkeypatch, parts)
    assert well, message
    assert "key: accepted; tier basic · scope: read: the portfolio can be read · requests: 20 per second" in message


def test_a_key_that_lost_its_line_breaks_in_the_form_is_read(
    monkeypatch: pytest.MonkeyPatch, account: ExchangeServer, key: ApiKey
) -> None:
    """A browser's password field takes a single line."""
    parts = {**json.loads(connection(account, key)), "extra": {}, "password": key.private_pem.replace("\n", "")}
    well, message = press(monkeypatch, parts)
    assert well, message


def test_a_key_that_reads_only_the_balance_is_named(
    monkeypatch: pytest.MonkeyPatch, key: ApiKey, tmp_path: Path
) -> None:
    arguments = [key.argument, f"--scopes={key.id}={READ_BALANCE}", "--since=2026-09-20", "--requests-per-second=0"]
    with ExchangeServer(*arguments) as server:
        well, message = press(monkeypatch, json.loads(connection(server, key)))
    assert not well
    assert message == (
        "scope: The key may read read::portfolio_balance only: give it the scope read in Kalshi's account settings."
    )


def test_the_key_of_someone_else_is_refused_and_stays_secret(
    monkeypatch: pytest.MonkeyPatch, account: ExchangeServer, key: ApiKey, tmp_path: Path
) -> None:
    wrong = make_key("ed25519", tmp_path)
    well, message = press(monkeypatch, {**json.loads(connection(account, key)), "password": wrong.private_pem})
    assert not well
    assert "The private key does not belong to the key id" in message
    assert not [secret for secret in wrong.secrets if secret in message]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"host": "http://127.0.0.1:9/trade-api/v2"}, "can't be reached (the connection was refused)"),
        ({"login": "me", "password": "-----BEGIN PRIVATE KEY----- c2VjcmV0"}, "can't be read"),
        ({"login": "me"}, "a key id but no private key"),
        ({"login": "me", "extra": {"private_key_path": "/no/such/file"}}, "/no/such/file"),
        ({"extra": {"env": "production"}}, "must be one of prod, demo"),
        ({"extra": {"requests_per_second": "fast"}}, "fast"),
    ],
)
def test_what_cannot_work_is_said_and_not_raised(
    monkeypatch: pytest.MonkeyPatch, exchange_server: ExchangeServer, parts: dict[str, Any], message: str
) -> None:
    well, said = press(monkeypatch, {"host": exchange_server.base_url if "login" in parts else None, **parts})
    assert not well
    assert message in said
    assert "c2VjcmV0" not in said


def test_an_exchange_that_is_down_is_said(monkeypatch: pytest.MonkeyPatch, exchange_server: ExchangeServer) -> None:
    exchange_server.faults({"kind": "http_502", "times": 9})
    well, message = press(monkeypatch, {"host": exchange_server.base_url})
    assert not well
    assert "HTTP 502: try again later" in message


class _SomethingElse(BaseHTTPRequestHandler):
    """A web server that has a page for every address."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>Welcome</html>")

    def log_message(self, *args: Any) -> None:
        pass


def test_a_server_that_is_no_exchange_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), _SomethingElse) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        well, message = press(monkeypatch, {"host": f"http://127.0.0.1:{server.server_port}/trade-api/v2"})
        server.shutdown()
    assert not well
    assert "not like Kalshi's API" in message
