"""What the benches of a backfill through Airflow share: the exchange's limit, the tasks' environment, what it saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests

from scripts.airflow_home import DEFAULTS, PROJECT

LIMIT = 20
"""Requests per second of the exchange's Basic tier, for our budget and the sandbox."""
DAG = "kalshi_candles_backfill"


def environment(folder: Path, exchange_url: str, warehouse: str) -> dict[str, str]:
    """The variables of tasks that read this exchange into this warehouse (a connection). Their reports are in
    ``folder``."""
    return {
        **DEFAULTS,
        "PYTHONPATH": str(PROJECT / "plugins"),
        "AIRFLOW_CONN_KALSHI_WAREHOUSE": warehouse,
        "AIRFLOW_CONN_KALSHI_DEFAULT": f"kalshi://{exchange_url.removeprefix('http://')}",
        "KALSHI_REPORTS_FOLDER": str(folder / "reports"),
    }


def seen_by_exchange(exchange_url: str) -> tuple[dict[int, int], int]:
    """The requests that the sandbox received, per unix second, and how many it refused with 429."""
    stats: dict[str, Any] = requests.get(
        f"{exchange_url.removesuffix('/trade-api/v2')}/sandbox/stats", timeout=10
    ).json()
    return {int(second): number for second, number in stats["by_second"].items()}, stats["refused"]
