"""A sandbox on the morning of 2026-09-22, when markets of every status exist."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.api_key import ApiKey, make_key
from tests.support.exchange_server import ExchangeServer


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> ApiKey:
    return make_key("ed25519", tmp_path_factory.mktemp("sandbox-key"))


@pytest.fixture(scope="session")
def morning(key: ApiKey) -> Iterator[ExchangeServer]:
    """At 11:25 UTC one event after the other is being settled, and tomorrow's are not open yet."""
    clock, since = "--clock=2026-09-22T11:25:00+00:00", "--since=2026-05-01"
    with ExchangeServer(clock, since, "--requests-per-second=0", "--wide-markets=30", key.argument) as server:
        yield server


WHOLE = ("--since=2025-06-01", "--requests-per-second=0", "--wide-markets=3")
WHOLE_SIZE = ("--series=18", "--open-markets=2000", "--trades-a-day=30000")


@pytest.fixture(scope="session")
def whole() -> Iterator[ExchangeServer]:
    """The same morning, with two synthetic series of each kind."""
    with ExchangeServer("--clock=2026-09-22T11:25:00+00:00", *WHOLE, *WHOLE_SIZE) as server:
        yield server
