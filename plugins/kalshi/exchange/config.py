"""How to reach the exchange: address, key, rate limit, retries."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

BASE_URLS = {
    "prod": "https://external-api.kalshi.com/trade-api/v2",
    "demo": "https://external-api.demo.kalshi.co/trade-api/v2",
}
"""Recommended REST hosts by environment (Kalshi docs, "API environments")."""

ENVIRONMENTS = {
    "external-api.kalshi.com": "prod",
    "api.elections.kalshi.com": "prod",
    "external-api.demo.kalshi.co": "demo",
    "demo-api.kalshi.co": "demo",
}
"""Every official REST host: those of one environment are the same exchange."""

TOKENS_PER_REQUEST = 10

BASIC_REQUESTS_PER_SECOND = 20.0
"""The Basic tier reads 200 tokens per second at 10 tokens a request (Kalshi docs, "Rate limits")."""


@dataclass(frozen=True)
class RetryPolicy:
    """How to retry while the exchange is busy or down. Waits double each time, with jitter.

    ``attempts`` includes the first one; ``first_wait`` and ``longest_wait`` are seconds.
    """

    attempts: int = 8
    first_wait: float = 0.5
    longest_wait: float = 30.0


@dataclass(frozen=True)
class ExchangeConfig:
    """One account's view of one exchange.

    ``base_url`` goes up to and including ``/trade-api/v2``. Everything public works without
    ``key_id``. ``timeout`` is (connect, read) in seconds.
    """

    base_url: str = BASE_URLS["prod"]
    key_id: str | None = None
    private_key_pem: SecretStr | None = None
    requests_per_second: float = BASIC_REQUESTS_PER_SECOND
    timeout: tuple[float, float] = (10.0, 60.0)
    retry: RetryPolicy = RetryPolicy()

    def __post_init__(self) -> None:
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ValueError(
                f"The exchange's base URL must look like {BASE_URLS['prod']}, not {self.base_url!r}. "
                "Put the whole URL into the host of the connection kalshi_default."
            )
        if not self.requests_per_second > 0:
            raise ValueError(f"requests_per_second must be above 0, not {self.requests_per_second}.")
        if bool(self.key_id) != bool(self.private_key_pem):
            missing, given = ("private key", "key id") if self.key_id else ("key id", "private key")
            raise ValueError(
                f"kalshi_default has a {given} but no {missing}: give both (login = key id, "
                "password = private key PEM) or neither."
            )

    @property
    def exchange_name(self) -> str:
        """Names the exchange: its base URL, and the recommended one for every host of an official environment."""
        address = urlsplit(self.base_url)
        if environment := ENVIRONMENTS.get(address.hostname or ""):
            return BASE_URLS[environment]
        return address._replace(netloc=address.netloc.lower()).geturl().rstrip("/")

    @property
    def budget_name(self) -> str:
        """Names the shared rate limit: one per host and key."""
        return f"{urlsplit(self.base_url).netloc}/{self.key_id or 'public'}"
