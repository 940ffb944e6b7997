"""Whole lists of the sandbox, and the times in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.support.exchange_server import ExchangeServer


def every(server: ExchangeServer, path: str, limit: int = 1000, **params: Any) -> list[dict[str, Any]]:
    """The items of all pages of a list."""
    name = "events" if path.startswith("/events") else path.rpartition("/")[2]
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = server.get(path, limit=limit, cursor=cursor, **params)
        assert answer.status_code == 200, answer.text
        found += answer.json()[name]
        if not (cursor := answer.json()["cursor"]):
            return found


def unix(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def ends_of(market: dict[str, Any]) -> int:
    """The end of a market's last minute."""
    return -(-unix(market["close_time"]) // 60) * 60
