"""Reads from a copy of the warehouse that the server keeps, such as a replica, unless it is too far behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

import sqlalchemy as sa

from kalshi.warehouse import sql

NOTE = "read_from"
"""Under this name the info of a connection says in words what it leads to, if that is worth saying."""


@contextmanager
def read_from(primary: sa.Engine, copy: sa.Engine | None, most_lag: timedelta) -> Iterator[sa.Connection]:
    """A connection to the copy; to the primary if there is no copy, or none that is at most ``most_lag`` behind.

    How far the copy is behind shows in the runs: each tells every few seconds that it lives. If the primary can't be
    reached, nobody knows, and the copy will do.
    """
    with ExitStack() as stack:
        there = _reach(stack, copy) if copy else None
        own = _reach(stack, primary) if there else None
        if there is None:
            connection = stack.enter_context(primary.connect())
            note = "The copy of the warehouse can't be reached: this is from the primary." if copy else ""
        elif own is None:
            connection, known = there
            note = f"The primary can't be reached: this is from a copy, as of {known:%Y-%m-%d %H:%M:%S} UTC."
        elif (lag := max(own[1] - there[1], timedelta())) > most_lag:
            connection, note = own[0], f"The copy of the warehouse is {_words(lag)} behind: this is from the primary."
        else:
            connection, note = there[0], f"From a copy of the warehouse, {_words(lag)} behind."
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
