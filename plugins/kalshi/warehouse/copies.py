"""Reads from a copy of the warehouse that the server keeps, such as a replica, unless it is too far behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from kalshi.warehouse import sql

NOTE = "read_from"
"""Under this name the info of a connection holds a :class:`Note`, if there is a copy."""


@dataclass(frozen=True)
class Note:
    """What a connection leads to, in words, and whether the copy and the primary are as they should be."""

    words: str
    is_well: bool = False


@contextmanager
def read_from(primary: sa.Engine, copy: sa.Engine, most_lag: timedelta) -> Iterator[sa.Connection]:
    """A connection to the copy, or to the primary if the copy is more than ``most_lag`` behind.

    How far the copy is behind shows in the runs: each tells every few seconds that it lives. If the primary can't be
    reached, nobody knows, and the copy will do.
    """
    with ExitStack() as stack:
        there = _reach(stack, copy)
        own = _reach(stack, primary) if there else None
        if there is None:
            connection = stack.enter_context(primary.connect())
            note = Note("The copy of the warehouse can't be reached: this is from the primary.")
        elif own is None:
            connection, known = there
            note = Note(f"The primary can't be reached: this is from a copy, as of {known:%Y-%m-%d %H:%M:%S} UTC.")
        elif (lag := max(own[1] - there[1], timedelta())) > most_lag:
            connection = own[0]
            note = Note(f"The copy of the warehouse is {_words(lag)} behind: this is from the primary.")
        else:
            connection = there[0]
            note = Note(f"From a copy of the warehouse, {_words(lag)} behind.", is_well=True)
        connection.info[NOTE] = note
        yield connection


def _words(lag: timedelta) -> str:
    return f"{lag.total_seconds():,.0f} s"


def _reach(stack: ExitStack, engine: sa.Engine) -> tuple[sa.Connection, datetime] | None:
    """A connection, and up to when its server knows of runs; None if it doesn't respond or has no runs."""
    try:
        connection = stack.enter_context(engine.connect())
        known = sql.run_file(connection, "ledger", "latest_beat").scalar_one()
        connection.rollback()
    except sa.exc.DBAPIError:
        return None
    return (connection, known) if known else None
