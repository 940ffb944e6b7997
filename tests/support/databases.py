"""Databases as tests reach, kill and question them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa


def kill(folder: Path) -> None:
    """End the private server in ``folder`` at once, and see it gone: a new one looks whether the old one lives."""
    process = psutil.Process(int((folder / "server.pid").read_text()))
    process.kill()
    process.wait(30)


def select(engine: sa.Engine, sql: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(sql)).mappings()]


def count(engine: sa.Engine, table: str) -> int:
    return int(select(engine, f"SELECT COUNT(*) AS n FROM {table}")[0]["n"])


def windows(engine: sa.Engine) -> list[str]:
    """The states of the two windows, the historical one first."""
    return [w["state"] for w in select(engine, "SELECT state FROM kalshi_checkpoint ORDER BY window_start_utc")]


def runs(engine: sa.Engine) -> list[str]:
    return [r["state"] for r in select(engine, "SELECT state FROM kalshi_sync_run ORDER BY run_id")]
