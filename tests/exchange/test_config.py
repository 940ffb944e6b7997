"""Invalid configurations are refused before any request is sent."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from kalshi.exchange import ExchangeConfig
from kalshi.exchange.config import BASE_URLS

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"base_url": ""}, "base URL must look like https://external-api"),
    ({"base_url": "external-api.kalshi.com/trade-api/v2"}, "base URL must look like"),
    ({"base_url": "ftp://external-api.kalshi.com/trade-api/v2"}, "base URL must look like"),
    ({"base_url": "https:///trade-api/v2"}, "base URL must look like"),
    ({"requests_per_second": 0}, "must be above 0, not 0"),
    ({"requests_per_second": -1}, "must be above 0"),
    ({"requests_per_second": float("nan")}, "must be above 0"),
    ({"key_id": "an-id"}, "has a key id but no private key"),
    ({"private_key_pem": SecretStr("opensesame")}, "has a private key but no key id"),
]


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_a_wrong_setting_is_refused_in_words_that_name_it(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words) as error:
        ExchangeConfig(**settings)
    assert "opensesame" not in str(error.value)


def test_the_default_is_the_public_side_of_production_at_the_basic_rate() -> None:
    config = ExchangeConfig()
    assert config.base_url == BASE_URLS["prod"]
    assert config.key_id is None
    assert config.requests_per_second == 20


def test_a_budget_is_shared_by_key_and_host() -> None:
    def name(env: str, key: str | None) -> str:
        return ExchangeConfig(BASE_URLS[env], key, SecretStr("a pem") if key else None).budget_name

    assert name("prod", "one") == name("prod", "one")
    assert len({name("prod", "one"), name("prod", "two"), name("demo", "one"), name("prod", None)}) == 4
