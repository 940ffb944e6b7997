"""The one door to SQL: what is read from the files, and how values are bound."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.warehouse import sql
from kalshi.warehouse.server import open_engine
from scripts.address import address_of

EVENING = datetime(2026, 9, 20, 22, 30, tzinfo=timezone(timedelta(hours=-4)))
IN_UTC = datetime(2026, 9, 21, 2, 30)  # noqa: DTZ001  # as in the tables
TICKERS = "SELECT t FROM (SELECT 'A' AS t UNION ALL SELECT 'B' UNION ALL SELECT 'it''s') AS known WHERE t"


@pytest.fixture
def connection(empty_database_on_both: str) -> Iterator[sa.Connection]:
    engine = open_engine(address_of(empty_database_on_both))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def found(connection: sa.Connection, statement: str, **values: Any) -> list[Any]:
    return list(sql.run(connection, statement, **values).scalars())


def test_a_list_is_an_in_list_and_an_empty_one_matches_nothing(connection: sa.Connection) -> None:
    for kind in (list, tuple, set):
        assert found(connection, f"{TICKERS} IN :tickers ORDER BY t", tickers=kind(["it's", "A"])) == ["A", "it's"]
        assert found(connection, f"{TICKERS} IN :tickers", tickers=kind([])) == []
    assert found(connection, f"{TICKERS} NOT IN :tickers", tickers=["A", "it's"]) == ["B"]
    assert len(found(connection, f"{TICKERS} NOT IN :tickers", tickers=[])) == 3
    assert found(connection, "SELECT 1 WHERE 0 IN :numbers", numbers=[]) == []
    for statement in (f"{TICKERS} IN :tickers", f"{TICKERS} = :tickers"):  # once as a list, once not
        assert found(connection, statement, tickers=["A"] if " IN " in statement else "A") == ["A"]


def test_a_time_is_stored_in_utc(connection: sa.Connection) -> None:
    connection.execute(sa.text("CREATE TEMPORARY TABLE moment (name VARCHAR(9) PRIMARY KEY, at_utc DATETIME(6))"))
    for name, at in {"aware": EVENING, "naive": IN_UTC, "unknown": None}.items():
        sql.run(connection, "INSERT INTO moment VALUES (:name, :at)", name=name, at=at)
    stored = dict(sql.run(connection, "SELECT name, at_utc FROM moment").all())
    assert stored == {"aware": IN_UTC, "naive": IN_UTC, "unknown": None}
    query = "SELECT COUNT(*) FROM moment WHERE"
    assert found(connection, f"{query} at_utc IN :times", times=[EVENING]) == [2]
    assert found(connection, f"{query} (name, at_utc) IN :keys", keys=[("aware", EVENING), ("naive", EVENING)]) == [2]
    assert found(connection, f"{query} at_utc = :at", at=EVENING + timedelta(microseconds=1)) == [0]


def test_values_that_a_statement_does_not_name_are_ignored_and_missing_ones_are_refused(
    connection: sa.Connection,
) -> None:
    assert found(connection, "SELECT :one + 1", one=1, two=2, others=["x"]) == [2]
    assert connection.execute(sql.bound("SELECT :one + 1", {"one": 1, "others": ["x"]})).scalar_one() == 2
    with pytest.raises(sa.exc.StatementError, match="'one'"):
        sql.run(connection, "SELECT :one", two=2)


def test_a_written_out_statement_is_the_same_statement(connection: sa.Connection) -> None:
    statement = f"{TICKERS} IN :tickers AND :at = '2026-09-21 02:30:00' AND t NOT IN :none AND :no IS NULL"
    values = {"tickers": ["it's", "B"], "at": EVENING, "none": [], "no": None, "unnamed": 1}
    written = sql.written_out(statement, values)
    assert ":" not in written.replace("02:30:00", "")
    for rows in (connection.exec_driver_sql(written), connection.execute(sql.bound(statement, values))):
        assert sorted(rows.scalars()) == ["B", "it's"]


def test_every_file_says_in_its_first_comment_what_it_is_for() -> None:
    files = [file for file in sql.FOLDER.glob("*/*.sql") if file.parent.name != "migrations"]
    assert len(files) > 80
    for file in files:
        about, statement = sql.read(file.parent.name, file.stem)
        assert about.endswith("."), file
        assert "--" not in statement, file
        assert statement.lstrip("(").startswith(("SELECT", "WITH", "INSERT", "UPDATE")), file
        assert not statement.endswith(";"), file


def test_a_file_is_run_with_its_values(warehouse: sa.Engine) -> None:
    with warehouse.connect() as connection:
        rows = sql.run_file(connection, "ledger", "latest_windows", job="trades", scopes=["KXHIGHNY"])
        assert list(rows.keys()) == ["scope", "window_start_utc", "window_end_utc"]
        assert rows.all() == []


def test_what_was_not_committed_is_rolled_back_whatever_was_committed_before(empty_database_on_both: str) -> None:
    engine = open_engine(address_of(empty_database_on_both))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE kept (n INT PRIMARY KEY)"))
    with engine.connect() as connection:
        connection.execute(sa.text("INSERT INTO kept VALUES (1)"))
        connection.commit()
        connection.execute(sa.text("INSERT INTO kept VALUES (2)"))
    with engine.connect() as connection, engine.connect() as other:  # the first is the one that was given back
        connection.execute(sa.text("INSERT INTO kept VALUES (3)"))
        connection.rollback()
        assert found(other, "SELECT n FROM kept FOR UPDATE") == [1]
    engine.dispose()
