"""API keys, and a sandbox that knows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.support.api_key import ApiKey, make_key
from tests.support.exchange_server import ExchangeServer


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ApiKey]:
    """One key of each kind that Kalshi hands out."""
    folder = tmp_path_factory.mktemp("keys")
    return {kind: make_key(kind, folder) for kind in ("rsa", "ed25519")}


@pytest.fixture(params=["rsa", "ed25519"])
def key(request: pytest.FixtureRequest, keys: dict[str, ApiKey]) -> ApiKey:
    return keys[request.param]


@pytest.fixture
def private_server(
    _private_server: ExchangeServer, faultless: Callable[[ExchangeServer], ExchangeServer]
) -> ExchangeServer:
    """A sandbox that accepts the keys, without faults."""
    return faultless(_private_server)


@pytest.fixture(scope="session")
def _private_server(keys: dict[str, ApiKey]) -> Iterator[ExchangeServer]:
    arguments = [key.argument for key in keys.values()]
    with ExchangeServer("--since=2026-09-01", "--requests-per-second=0", *arguments) as server:
        yield server
