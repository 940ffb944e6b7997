"""Which exchange and which account the warehouse is of: ``kalshi_exchange`` and ``kalshi_account_key``.

The first exchange that a DAG run reads from, and the first key that reads a portfolio, are accepted by themselves.
Another one is refused until a person accepts it (``python -m kalshi accept``). Synthetic and real data never mix.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from kalshi.warehouse import sql


class ForeignData(RuntimeError):
    """The data is of another exchange or another account than the warehouse; the message says what to do."""


def refuse_foreign(known: Mapping[str, bool], name: str, *, is_synthetic: bool) -> None:
    """Check the exchange ``name`` against those that the warehouse accepts, as :func:`names` gives them.

    Raises:
        ForeignData: the warehouse is of another exchange.
    """
    held = ", ".join(known)
    if known and set(known.values()) != {is_synthetic}:
        kind = "synthetic" if is_synthetic else "real"
        raise ForeignData(
            f"kalshi_default leads to {name}, whose data is {kind}, but kalshi_warehouse is of {held}. Synthetic and "
            "real data never mix: set the schema of kalshi_warehouse to a database of its own, or the host of "
            "kalshi_default to the warehouse's exchange."
        )
    if known and name not in known:
        raise ForeignData(
            f"kalshi_default leads to {name}, but kalshi_warehouse is of {held}. Set the host of kalshi_default back, "
            "or the schema of kalshi_warehouse to another database. If both addresses lead to the same exchange, run "
            "python -m kalshi accept."
        )


def note(connection: sa.Connection, name: str, run_id: int, *, is_synthetic: bool) -> None:
    """Remember that this run reads from the exchange ``name``; the first one becomes the warehouse's.

    Raises:
        ForeignData: the warehouse is of another exchange.
    """
    refuse_foreign(names(connection, lock=True), name, is_synthetic=is_synthetic)
    _store(connection, name, run_id, is_synthetic)


def accept(connection: sa.Connection, name: str, *, is_synthetic: bool) -> None:
    """Accept data of the exchange ``name`` from now on, beside what the warehouse accepts already.

    Raises:
        ForeignData: one is synthetic and the other isn't.
    """
    known = names(connection, lock=True)
    refuse_foreign({**known, name: known.get(name, is_synthetic)}, name, is_synthetic=is_synthetic)
    if name not in known:
        _store(connection, name, 0, is_synthetic)


def _store(connection: sa.Connection, name: str, run_id: int, is_synthetic: bool) -> None:
    sql.run(
        connection,
        "INSERT INTO kalshi_exchange (exchange, is_synthetic, run_id) VALUES (:name, :is_synthetic, :run_id) "
        "ON DUPLICATE KEY UPDATE run_id = :run_id",
        name=name,
        is_synthetic=is_synthetic,
        run_id=run_id,
    )


def names(connection: sa.Connection, *, lock: bool = False) -> dict[str, bool]:
    """Every exchange that the warehouse accepts data from, and whether it is synthetic."""
    for_update = " FOR UPDATE" if lock else ""
    found = sql.run(connection, f"SELECT exchange, is_synthetic FROM kalshi_exchange ORDER BY exchange{for_update}")
    return {name: bool(is_synthetic) for name, is_synthetic in found}


def is_synthetic(connection: sa.Connection) -> bool:
    """Whether any of the data is made up."""
    return any(names(connection).values())


def refuse_foreign_key(known: Collection[str], key_id: str) -> None:
    """Check an API key against those that the warehouse accepts, as :func:`keys` gives them.

    Raises:
        ForeignData: the warehouse's portfolio was read with another key.
    """
    if known and key_id not in known:
        raise ForeignData(
            f"kalshi_default has the API key {key_id}, but the portfolio in kalshi_warehouse was read with "
            f"{', '.join(sorted(known))}. Exchange and warehouse can't tell whether both are keys of one account. If "
            "they are, because the key was replaced, run python -m kalshi accept; else set kalshi_default back, or the "
            "schema of kalshi_warehouse to another database."
        )


def note_key(connection: sa.Connection, key_id: str, run_id: int) -> None:
    """Remember that this run reads the portfolio with this key; the first one becomes the warehouse's.

    Raises:
        ForeignData: the warehouse's portfolio was read with another key.
    """
    if key_id not in keys(connection):
        refuse_foreign_key(keys(connection, lock=True), key_id)
        accept_key(connection, key_id, run_id)


def accept_key(connection: sa.Connection, key_id: str, run_id: int = 0) -> None:
    """Accept portfolios that are read with this key from now on."""
    sql.run(
        connection,
        "INSERT IGNORE INTO kalshi_account_key (key_id, run_id) VALUES (:key_id, :run_id)",
        key_id=key_id,
        run_id=run_id,
    )


def keys(connection: sa.Connection, *, lock: bool = False) -> set[str]:
    """The ids of the API keys whose portfolio the warehouse accepts."""
    for_update = " FOR UPDATE" if lock else ""
    return set(sql.run(connection, f"SELECT key_id FROM kalshi_account_key{for_update}").scalars())
