"""The two connections, in every form that Airflow accepts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kalshi.exchange.config import BASE_URLS
from kalshi.hooks.errors import BadConnection
from kalshi.hooks.kalshi import KalshiHook
from kalshi.hooks.warehouse import WarehouseHook
from tests.support.api_key import make_key

LOCAL = "http://127.0.0.1:8321/trade-api/v2"


@pytest.mark.parametrize(
    ("connection", "base_url"),
    [
        ("kalshi://127.0.0.1:8321/trade-api/v2", LOCAL),
        ("kalshi://127.0.0.1:8321", LOCAL),
        ("http://127.0.0.1:8321/trade-api/v2", LOCAL),
        ("kalshi://http%3A%2F%2F127.0.0.1%3A8321%2Ftrade-api%2Fv2", LOCAL),
        ("kalshi://localhost:8321/trade-api/v2", "http://localhost:8321/trade-api/v2"),
        ("kalshi://exchange.example/trade-api/v2", "https://exchange.example/trade-api/v2"),
        ("http://exchange.example/trade-api/v2", "http://exchange.example/trade-api/v2"),
        (json.dumps({"conn_type": "kalshi", "host": LOCAL}), LOCAL),
        (json.dumps({"conn_type": "kalshi", "host": LOCAL + "/"}), LOCAL),
        (json.dumps({"conn_type": "http", "host": "127.0.0.1", "port": 8321, "schema": "http"}), LOCAL),
        (json.dumps({"conn_type": "kalshi"}), BASE_URLS["prod"]),
        (json.dumps({"conn_type": "kalshi", "extra": {"env": "demo"}}), BASE_URLS["demo"]),
        ("kalshi://?env=demo", BASE_URLS["demo"]),
    ],
)
def test_the_exchange_is_found(monkeypatch: pytest.MonkeyPatch, connection: str, base_url: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_DEFAULT", connection)
    assert KalshiHook().config().base_url == base_url


def test_a_key_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = make_key("ed25519", tmp_path)
    file = tmp_path / "private.pem"
    file.write_text(key.private_pem)
    extra = {"private_key_path": str(file), "requests_per_second": 5, "attempts": 3}
    connection = {"conn_type": "kalshi", "login": "my-key", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_DEFAULT", json.dumps(connection))
    config = KalshiHook().config()
    assert (config.key_id, config.private_key_pem) == ("my-key", key.secret)
    assert (config.requests_per_second, config.retry.attempts) == (5, 3)


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        ({"extra": {"env": "production"}}, "must be one of prod, demo"),
        ({"host": "ftp://exchange.example"}, "base URL must look like"),
        ({"login": "my-key"}, "a key id but no private key"),
        ({"login": "my-key", "password": "-----BEGIN nonsense-----"}, "can't be read"),
        ({"login": "my-key", "extra": {"private_key_path": "/no/such/file"}}, "private_key_path"),
        ({"extra": {"requests_per_second": "fast"}}, "fast"),
        ({"extra": {"requests_per_second": 0}}, "above 0"),
    ],
)
def test_a_bad_exchange_connection_says_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, object], message: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_DEFAULT", json.dumps({"conn_type": "kalshi", **connection}))
    with pytest.raises(BadConnection, match=message) as raised:
        KalshiHook().get_conn()
    assert "nonsense" not in str(raised.value)


@pytest.mark.parametrize(
    "connection",
    [
        "mysql://me:pass%2Fword@db.example:3307/warehouse",
        json.dumps(
            {
                "conn_type": "mysql",
                "host": "db.example",
                "port": 3307,
                "login": "me",
                "password": "pass/word",
                "schema": "warehouse",
            }
        ),
    ],
)
def test_the_warehouse_is_found(monkeypatch: pytest.MonkeyPatch, connection: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", connection)
    address = WarehouseHook().address()
    assert (address.host, address.port, address.user) == ("db.example", 3307, "me")
    assert (address.password.get_secret_value(), address.database) == ("pass/word", "warehouse")
    assert "pass/word" not in repr(address)


@pytest.mark.parametrize(
    "connection",
    [
        "mysql://me@db.example/warehouse?ssl_mode=VERIFY_CA&ssl=%7B%22ca%22%3A%20%22%2Fca.pem%22%7D",
        json.dumps(
            {
                "conn_type": "mysql",
                "host": "db.example",
                "schema": "warehouse",
                "extra": {"ssl_mode": "VERIFY_CA", "ssl": {"ca": "/ca.pem"}},
            }
        ),
    ],
)
def test_the_warehouse_has_airflows_own_words_for_tls(monkeypatch: pytest.MonkeyPatch, connection: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", connection)
    address = WarehouseHook().address()
    assert (address.ssl_mode, address.ssl_ca, address.ssl_cert) == ("VERIFY_CA", "/ca.pem", None)


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        ({"schema": ""}, "has no database"),
        ({"extra": {"ssl_mode": "PREFERRED"}}, "must be one of DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY"),
        ({"extra": {"ssl": {"ca": "/ca.pem", "check_hostname": False}}}, "extra.ssl_mode"),
        ({"extra": {"ssl": "/ca.pem"}}, "can't be used"),
    ],
)
def test_a_bad_warehouse_connection_says_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, connection: dict[str, object], message: str
) -> None:
    whole = {"conn_type": "mysql", "host": "db.example", "schema": "warehouse", **connection}
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", json.dumps(whole))
    with pytest.raises(BadConnection, match=message):
        WarehouseHook().address()
