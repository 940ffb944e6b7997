"""Signed requests, against the sandbox's check and against the official client; and nothing secret leaks."""

from __future__ import annotations

import base64
import dataclasses
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from kalshi.exchange import Exchange, ExchangeConfig, ExchangeError, RequestRefused
from kalshi.exchange.signing import KeySignature
from kalshi.exchange.transport import Transport
from tests.support.api_key import ApiKey, make_key
from tests.support.exchange_server import ExchangeServer, quick_config
from tests.support.official_client import OfficialClient

BALANCE = "/portfolio/balance"


def keyed_config(server: ExchangeServer, key: ApiKey) -> ExchangeConfig:
    return quick_config(server, key_id=key.id, private_key_pem=key.secret)


def signed(server: ExchangeServer, key: ApiKey, path: str = BALANCE) -> requests.PreparedRequest:
    """A request that the sandbox accepts, before a test spoils it."""
    auth = KeySignature(key.id, key.secret)
    return requests.Request("GET", server.base_url + path, auth=auth).prepare()


def send(request: requests.PreparedRequest) -> requests.Response:
    with requests.Session() as session:
        return session.send(request, timeout=10)


def verify(public_pem: bytes, signature: str, text: str) -> None:
    public = serialization.load_pem_public_key(public_pem)
    if isinstance(public, ed25519.Ed25519PublicKey):
        return public.verify(base64.b64decode(signature), text.encode())
    assert isinstance(public, rsa.RSAPublicKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
    return public.verify(base64.b64decode(signature), text.encode(), pss, hashes.SHA256())


def test_a_signed_request_reaches_a_private_route(private_server: ExchangeServer, key: ApiKey) -> None:
    balance = Transport(keyed_config(private_server, key)).get(BALANCE, dict[str, Any])
    assert balance["balance_breakdown"][0]["balance"] == balance["balance_dollars"]


def test_the_query_string_is_not_signed(private_server: ExchangeServer, key: ApiKey) -> None:
    transport = Transport(keyed_config(private_server, key))
    assert transport.get(BALANCE, dict[str, Any], subaccount=0, exchange_index=0)["balance"] > 0


def test_a_retry_is_signed_afresh(private_server: ExchangeServer, key: ApiKey) -> None:
    private_server.faults({"kind": "http_500", "path": BALANCE, "times": 2})
    transport = Transport(keyed_config(private_server, key))
    assert transport.get(BALANCE, dict[str, Any])["balance"] > 0
    assert transport.traffic.retries == 2


def test_a_request_without_a_key_is_refused(private_server: ExchangeServer) -> None:
    with pytest.raises(
        RequestRefused, match=r"HTTP 401: .*unknown api key: NOT_FOUND\. .*doesn't know this key id"
    ) as refusal:
        Transport(quick_config(private_server)).get(BALANCE, dict[str, Any])
    assert refusal.value.status == 401


def test_another_key_under_the_same_id_is_refused(private_server: ExchangeServer, key: ApiKey, tmp_path: Path) -> None:
    kind = key.id.rpartition("-")[2]
    stranger = make_key(kind, tmp_path)
    with pytest.raises(RequestRefused, match="signature does not match"):
        Transport(keyed_config(private_server, stranger)).get(BALANCE, dict[str, Any])


def test_a_signature_is_for_one_path_only(private_server: ExchangeServer, key: ApiKey) -> None:
    request = signed(private_server, key)
    assert send(request).status_code == 200
    request.url = f"{private_server.base_url}/account/limits"
    assert send(request).status_code == 401


def test_a_signature_is_for_its_own_moment_only(private_server: ExchangeServer, key: ApiKey) -> None:
    request = signed(private_server, key)
    stamp = int(request.headers["KALSHI-ACCESS-TIMESTAMP"])
    assert abs(stamp / 1000 - time.time()) < 60
    request.headers["KALSHI-ACCESS-TIMESTAMP"] = str(stamp + 1)
    assert send(request).json()["error"]["message"] == "signature does not match"
    request.headers["KALSHI-ACCESS-TIMESTAMP"] = str(stamp - 3_600_000)
    assert send(request).json()["error"]["message"] == "timestamp out of range"


@pytest.mark.parametrize("missing", ["KALSHI-ACCESS-KEY", "KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE"])
def test_each_of_the_three_headers_is_needed(private_server: ExchangeServer, key: ApiKey, missing: str) -> None:
    request = signed(private_server, key)
    del request.headers[missing]
    assert send(request).status_code == 401


def test_a_request_of_the_official_client_is_accepted_by_the_sandbox(
    private_server: ExchangeServer, key: ApiKey, official_client: OfficialClient
) -> None:
    url = f"{private_server.base_url}{BALANCE}?subaccount=0"
    headers = official_client.auth.KalshiAuth(key.id, key.private_pem).create_auth_headers("GET", url)
    assert requests.get(url, headers=headers, timeout=10).status_code == 200


PRIVATE = [BALANCE, "/portfolio/positions", "/portfolio/fills", "/portfolio/settlements", "/historical/fills"]


@pytest.mark.parametrize("path", PRIVATE)
def test_the_official_client_and_ours_open_the_same_doors(
    private_server: ExchangeServer, key: ApiKey, official_client: OfficialClient, path: str, tmp_path: Path
) -> None:
    def headers(signing_key: ApiKey, of: str) -> dict[str, str]:
        auth = official_client.auth.KalshiAuth(signing_key.id, signing_key.private_pem)
        signed_headers: dict[str, str] = auth.create_auth_headers("GET", private_server.base_url + of)
        return signed_headers

    url = private_server.base_url + path
    theirs = requests.get(url, headers=headers(key, path), timeout=10)
    assert theirs.status_code == 200
    assert send(signed(private_server, key, path)).content == theirs.content
    changed = requests.get(url, headers=headers(key, path + "/"), timeout=10)
    stamp = "KALSHI-ACCESS-TIMESTAMP"
    fresh = headers(key, path)
    stale = requests.get(url, headers=fresh | {stamp: str(int(fresh[stamp]) - 600_000)}, timeout=10)
    stranger = dataclasses.replace(make_key(key.id.rpartition("-")[2], tmp_path), id=key.id)
    wrong = requests.get(url, headers=headers(stranger, path), timeout=10)
    unknown = requests.get(url, headers=headers(dataclasses.replace(key, id="nobody"), path), timeout=10)
    refusals = [answer.json()["error"] for answer in (changed, stale, wrong, unknown)]
    assert [answer.status_code for answer in (changed, stale, wrong, unknown)] == [401] * 4
    assert [refusal.get("details") or refusal["code"] for refusal in refusals] == [
        "INCORRECT_API_KEY_SIGNATURE",
        "header_timestamp_expired",
        "INCORRECT_API_KEY_SIGNATURE",
        "NOT_FOUND",
    ]


LETTERS = st.characters(codec="ascii", categories=["L", "N"], include_characters="-._ %")
SEGMENTS = st.lists(st.text(LETTERS, min_size=1))
QUERIES = st.dictionaries(st.text(min_size=1), st.text())


@settings(max_examples=30, deadline=None)
@given(segments=SEGMENTS, query=QUERIES)
def test_we_sign_the_text_that_the_official_client_signs(
    keys: dict[str, ApiKey], official_client: OfficialClient, segments: list[str], query: dict[str, str]
) -> None:
    url = "/".join(["https://external-api.kalshi.com/trade-api/v2", *segments])
    for key in keys.values():
        auth = KeySignature(key.id, key.secret)
        request = requests.Request("GET", url, params=query, auth=auth).prepare()
        theirs = text_signed_by(official_client, key, "get", request.url or "")
        ours = request.headers["KALSHI-ACCESS-TIMESTAMP"] + theirs.lstrip("0123456789")
        verify(key.public_file.read_bytes(), request.headers["KALSHI-ACCESS-SIGNATURE"], ours)


def text_signed_by(official_client: OfficialClient, key: ApiKey, method: str, url: str) -> str:
    auth = official_client.auth.KalshiAuth(key.id, key.private_pem)
    texts: list[bytes] = []

    def sign(text: bytes) -> bytes:
        texts.append(text)
        return b""

    auth.sign = sign
    auth.create_auth_headers(method, url)
    return texts[0].decode()


def test_the_headers_are_those_of_the_official_client(key: ApiKey, official_client: OfficialClient) -> None:
    theirs = official_client.auth.KalshiAuth(key.id, key.private_pem).create_auth_headers("GET", "/x")
    request = requests.Request("GET", "https://example.org/x").prepare()
    plain = set(request.headers)
    KeySignature(key.id, key.secret)(request)
    assert set(request.headers) - plain == set(theirs)
    assert request.headers["KALSHI-ACCESS-KEY"] == theirs["KALSHI-ACCESS-KEY"]


@pytest.mark.parametrize("show", [repr, str])
def test_nothing_that_can_be_printed_holds_the_key(
    private_server: ExchangeServer, key: ApiKey, show: Callable[[object], str]
) -> None:
    config = keyed_config(private_server, key)
    objects = [config, dataclasses.replace(config), Transport(config), Exchange(config)]
    shown = "".join(map(show, [*objects, KeySignature(key.id, key.secret)]))
    assert "ExchangeConfig" in shown
    assert not [secret for secret in key.secrets if secret in shown]


@pytest.mark.parametrize("fault", ["http_403", "http_500", "dropped_connection", "truncated_json", "redirect"])
def test_no_error_and_no_log_holds_the_key_or_a_signature(
    private_server: ExchangeServer, key: ApiKey, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    private_server.faults({"kind": fault, "path": BALANCE, "times": 99})
    with pytest.raises(ExchangeError) as error:
        Transport(keyed_config(private_server, key)).get(BALANCE, dict[str, Any])
    told = caplog.text + "".join(traceback.format_exception(error.value))
    assert BALANCE in told
    forbidden = [*key.secrets, key.id, "KALSHI-ACCESS", "SIGNATURE"]
    assert not [secret for secret in forbidden if secret in told]


def test_a_redirect_is_not_followed(private_server: ExchangeServer, key: ApiKey) -> None:
    elsewhere = "/exchange/status"
    private_server.faults({"kind": "redirect", "path": BALANCE, "value": private_server.base_url + elsewhere})
    before = private_server.stats()["by_path"]
    with pytest.raises(RequestRefused, match="HTTP 307"):
        Transport(keyed_config(private_server, key)).get(BALANCE, dict[str, Any])
    after = private_server.stats()["by_path"]
    visited = {path for path in after if after[path] != before.get(path, 0)}
    assert visited == {f"/trade-api/v2{BALANCE}"}


def test_a_password_in_netrc_is_not_sent(
    exchange_server: ExchangeServer, exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    sent = exchange_server.stats()["by_header"].get("authorization", 0)
    exchange.historical_cutoff()
    assert exchange_server.stats()["by_header"].get("authorization", 0) == sent
    exchange_server.get("/historical/cutoff")  # plain requests does send it
    assert exchange_server.stats()["by_header"]["authorization"] > sent


def pem(der: bytes) -> str:
    return f"-----BEGIN PRIVATE KEY-----\n{base64.b64encode(der).decode()}\n-----END PRIVATE KEY-----\n"


def der_of(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())


ED25519 = der_of(ed25519.Ed25519PrivateKey.from_private_bytes(b"private half of an Ed25519 key.."))
UNREADABLE = {
    "a word": "opensesame",
    "half a key": pem(ED25519)[:80],
    "an elliptic curve": pem(der_of(ec.generate_private_key(ec.SECP256R1()))),
    "a kind of key that nobody knows": pem(ED25519.replace(bytes.fromhex("2b6570"), bytes.fromhex("2b6572"))),
    "bytes that are no text": pem(ED25519) + "\udcff",
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_an_unreadable_private_key_is_named_but_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match=r"The private key of kalshi_default .*RSA or Ed25519") as error:
        Exchange(ExchangeConfig(key_id="an-id", private_key_pem=SecretStr(text)))
    told = "".join(traceback.format_exception(error.value))
    assert not [line for line in text.splitlines() if line in told]


def test_a_key_protected_by_a_password_is_refused() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    protection = serialization.BestAvailableEncryption(b"password")
    locked = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    with pytest.raises(ValueError, match="unencrypted PEM"):
        Exchange(ExchangeConfig(key_id="an-id", private_key_pem=SecretStr(locked.decode())))
