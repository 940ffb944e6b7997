"""Reads from a copy of the warehouse: only from one that is fit, and the connection says which it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from kalshi.warehouse.copies import NOTE, Note, read_from
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.private_server import PrivateServer, free_port

NOON = datetime(2026, 9, 22, 12)  # noqa: DTZ001 (as the database gives it)
MINUTE = timedelta(minutes=1)
RUN_TABLE = (
    "CREATE TABLE kalshi_sync_run "
    "(run_id INT AUTO_INCREMENT PRIMARY KEY, heartbeat_at_utc DATETIME(6), ended_at_utc DATETIME(6))"
)


@pytest.fixture
def server(server_on_both: PrivateServer) -> Iterator[Callable[..., sa.Engine]]:
    """``server(name, beats)``: a database in which runs told at these times that they live."""
    engines: list[sa.Engine] = []

    def with_beats(name: str, *beats: datetime) -> sa.Engine:
        engine = open_engine(address_of(server_on_both.database(name)))
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS kalshi_sync_run")
            connection.exec_driver_sql(RUN_TABLE)
            for beat in beats:
                connection.exec_driver_sql("INSERT INTO kalshi_sync_run (heartbeat_at_utc) VALUES (%s)", (beat,))
        engines.append(engine)
        return engine

    yield with_beats
    for engine in engines:
        engine.dispose()


@pytest.fixture
def nowhere() -> sa.Engine:
    return open_engine(address_of(f"mysql://nobody:x@127.0.0.1:{free_port()}/nothing"))


def asked(primary: sa.Engine, copy: sa.Engine) -> tuple[str, Note]:
    """Which database is read, and what the connection says of it."""
    with read_from(primary, copy, MINUTE) as connection:
        return str(connection.exec_driver_sql("SELECT DATABASE()").scalar_one()), connection.info[NOTE]


@pytest.mark.parametrize(("seconds", "read"), [(0, "copy_"), (60, "copy_"), (61, "primary_")])
def test_a_copy_is_read_while_it_is_no_further_behind_than_allowed(
    server: Callable[..., sa.Engine], seconds: int, read: str
) -> None:
    primary = server("primary_", NOON - timedelta(hours=1), NOON)
    copy = server("copy_", NOON - timedelta(seconds=seconds))
    database, note = asked(primary, copy)
    assert database == read
    assert f"{seconds} s behind" in note.words
    assert ("from the primary" in note.words) == (read == "primary_") == (not note.is_well)


def test_a_copy_without_the_primary_says_of_when_it_is(server: Callable[..., sa.Engine], nowhere: sa.Engine) -> None:
    words = "The primary can't be reached: this is from a copy, as of 2026-09-22 12:00:00 UTC."
    assert asked(nowhere, server("copy_", NOON)) == ("copy_", Note(words))


def test_a_copy_that_is_not_there_or_empty_leaves_the_primary(
    server: Callable[..., sa.Engine], nowhere: sa.Engine
) -> None:
    primary = server("primary_", NOON)
    expected = ("primary_", Note("The copy of the warehouse can't be reached: this is from the primary."))
    assert asked(primary, nowhere) == asked(primary, server("copy_")) == expected


def test_nothing_is_read_where_neither_is_there(nowhere: sa.Engine) -> None:
    with pytest.raises(sa.exc.OperationalError, match="Can't connect"):
        asked(nowhere, nowhere)
