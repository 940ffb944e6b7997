"""``kalshi_default``: the exchange."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from airflow.sdk import BaseHook
from pydantic import SecretStr

from kalshi.diagnosis import Diagnosis
from kalshi.exchange import Exchange, ExchangeConfig, RetryPolicy, checkup
from kalshi.exchange.config import BASE_URLS, BASIC_REQUESTS_PER_SECOND
from kalshi.exchange.transport import Admit, Identity
from kalshi.hooks.errors import BadConnection, reached
from kalshi.hooks.masking import mask, read_connection
from kalshi.warehouse import exchanges
from kalshi.warehouse.budget import SharedBudget
from kalshi.warehouse.server import in_transaction, is_loopback

ATTEMPTS_OF_A_CHECK = 2
"""A person waits for it."""


def base_url(host: str | None, port: int | None, schema: str | None, conn_type: str | None, env: str) -> str:
    """The base URL of a connection: its host if that is a complete URL, otherwise built from its parts.

    ``kalshi://127.0.0.1:8080/trade-api/v2`` works as well as a complete URL in the host. An empty host
    means the environment ``env``: prod or demo.
    """
    if not host:
        if env not in BASE_URLS:
            raise ValueError(f"extra.env of kalshi_default must be one of {', '.join(BASE_URLS)}, not {env!r}.")
        return BASE_URLS[env]
    if "://" in host:
        return host.rstrip("/")
    address, _, path = host.partition("/")
    schemes = ("http", "https")
    # Airflow's own http connections keep the scheme in their schema; in other types the schema is the path.
    named_scheme = next((word for word in (schema, conn_type) if word in schemes), None)
    scheme = named_scheme or ("http" if is_loopback(address) else "https")
    path = path.strip("/") or ("" if schema in schemes else (schema or "").strip("/")) or "trade-api/v2"
    return f"{scheme}://{address}{f':{port}' if port else ''}/{path}"


class KalshiHook(BaseHook):
    """The exchange as the connection describes it.

    ``host``: base URL up to and including ``/trade-api/v2`` (empty: production, or ``extra.env``);
    ``login``: API key id; ``password``: private key PEM, or ``extra.private_key_path``;
    ``extra.requests_per_second``: the budget shared by all tasks (default 20, the Basic tier);
    ``extra.attempts``: attempts per request before the task gives up (default 8, about half a minute).
    """

    conn_name_attr = "kalshi_conn_id"
    default_conn_name = "kalshi_default"
    conn_type = "kalshi"
    hook_name = "Kalshi"

    def __init__(self, kalshi_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.kalshi_conn_id = kalshi_conn_id

    def config(self) -> ExchangeConfig:
        """The validated connection. Raises BadConnection, which says what part is wrong."""
        conn = read_connection(self.kalshi_conn_id)
        extra, key = conn.extra, conn.password
        if not key and extra.get("private_key_path"):
            try:
                key = _text_of(Path(extra["private_key_path"]).expanduser())
            except OSError as error:
                raise BadConnection(f"extra.private_key_path of {self.kalshi_conn_id}: {error}") from error
            mask(key)
        try:
            return ExchangeConfig(
                base_url=base_url(conn.host, conn.port, conn.schema, conn.conn_type, extra.get("env", "prod")),
                key_id=conn.login or None,
                private_key_pem=key or None,
                requests_per_second=float(extra.get("requests_per_second", BASIC_REQUESTS_PER_SECOND)),
                retry=RetryPolicy(attempts=int(extra.get("attempts", RetryPolicy.attempts))),
            )
        except ValueError as error:
            raise BadConnection(f"The connection {self.kalshi_conn_id} can't be used: {error}") from error

    def get_conn(self, warehouse: sa.Engine | None = None, attempts: int | None = None) -> Exchange:
        """A client; with ``warehouse`` it shares the request budget of all workers, and raises ForeignData on the
        first response of another exchange than the warehouse's.

        ``attempts``: how often a request is tried, instead of what the connection says.
        """
        config = self.config()
        if attempts:
            config = replace(config, retry=RetryPolicy(attempts))
        rate = config.requests_per_second
        budget = None if warehouse is None else SharedBudget(warehouse, config.budget_name, rate)
        admit = None if warehouse is None else _admission(warehouse)
        try:
            return Exchange(config, budget, admit)
        except ValueError as error:  # an unreadable key
            raise BadConnection(f"The connection {self.kalshi_conn_id} can't be used: {error}") from error

    def examine(self) -> list[Diagnosis]:
        """Whether the exchange can be used with this connection: every finding."""
        return list(reached(self.kalshi_conn_id, self._examine))

    def _examine(self) -> Iterator[Diagnosis]:
        return checkup.examine(self.config(), lambda: self.get_conn(attempts=ATTEMPTS_OF_A_CHECK))

    def test_connection(self) -> tuple[bool, str]:
        """What Airflow's Test button shows: whether the exchange can be used with this connection, and every finding.

        Checks the exchange's status and clock and, with a key, the key's scope and the account's limit.
        """
        findings = self.examine()
        failed = [finding for finding in findings if finding.state == "fail"]
        return not failed, " · ".join(f"{finding.check}: {finding.words}" for finding in failed or findings)


def _admission(warehouse: sa.Engine) -> Admit:
    """Admits only the exchanges that the warehouse accepts at this moment; any, where it has none yet."""
    known = in_transaction(warehouse, exchanges.names)

    def admit(identity: Identity) -> None:
        exchanges.refuse_foreign(known, identity.name, is_synthetic=identity.is_synthetic)

    return admit


def _text_of(file: Path) -> SecretStr:
    """The content of a file. Invalid UTF-8 is replaced: a decoding error would quote the rest."""
    return SecretStr(file.read_text(encoding="utf-8", errors="replace"))
