"""Which exchange the data came from, ``kalshi_exchange``, and whether it is real."""

from __future__ import annotations

import sqlalchemy as sa


def note(connection: sa.Connection, name: str, run_id: int, *, is_synthetic: bool) -> None:
    """Remember that this run reads from the exchange ``name``."""
    connection.execute(
        sa.text(
            "INSERT INTO kalshi_exchange (exchange, is_synthetic, run_id) VALUES (:name, :is_synthetic, :run_id) "
            "ON DUPLICATE KEY UPDATE is_synthetic = :is_synthetic, run_id = :run_id"
        ),
        {"name": name, "is_synthetic": is_synthetic, "run_id": run_id},
    )


def names(connection: sa.Connection) -> dict[str, bool]:
    """Every exchange that the warehouse has read from, and whether it is synthetic."""
    found = connection.execute(sa.text("SELECT exchange, is_synthetic FROM kalshi_exchange ORDER BY exchange"))
    return {name: bool(is_synthetic) for name, is_synthetic in found}


def is_synthetic(connection: sa.Connection) -> bool:
    """Whether any of the data is made up."""
    return any(names(connection).values())
