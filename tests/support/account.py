"""A sandbox with an account, and the key to it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from tests.support.api_key import ApiKey
from tests.support.exchange_server import ExchangeServer

AFTERNOON = datetime(2026, 9, 22, 15, tzinfo=UTC)
SINCE = "2026-05-01"


def account_at(moment: datetime, *keys: ApiKey, since: str = SINCE) -> ExchangeServer:
    """The exchange at that time; at a later one the same account has moved on."""
    arguments = [f"--clock={moment.isoformat()}", f"--since={since}", "--requests-per-second=0"]
    return ExchangeServer(*arguments, *(key.argument for key in keys))


def connection(server: ExchangeServer, key: ApiKey) -> str:
    """``kalshi_default`` in JSON form, with the key."""
    parts = {"conn_type": "kalshi", "host": server.base_url, "login": key.id, "password": key.private_pem}
    return json.dumps({**parts, "extra": {"requests_per_second": 500, "attempts": 2}})
