"""The private database server of demo and tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pymysql
import pytest
import sqlalchemy as sa

from scripts import private_server
from tests.support.databases import kill


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "server"
    private_server.stop(tmp_path / "server")


def connect(uri: str) -> pymysql.Connection:
    url = sa.make_url(uri)
    return pymysql.connect(
        host=url.host, port=url.port or 0, user=url.username, password=url.password or "", database=url.database
    )


def test_asking_again_gives_the_running_server(folder: Path) -> None:
    assert private_server.ensure(folder) == private_server.ensure(folder)


def test_a_killed_server_comes_back_with_its_data(folder: Path) -> None:
    server = private_server.ensure(folder)
    with connect(server.database("mine")) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (a INT)")
    kill(folder)
    again = private_server.ensure(folder)
    with connect(again.database("mine")) as connection, connection.cursor() as cursor:
        assert cursor.execute("SHOW TABLES") == 1


def test_the_user_of_one_database_cannot_see_another(folder: Path) -> None:
    server = private_server.ensure(folder)
    server.database("mineXy")
    with connect(server.database("mine_y")) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES")
        assert {row[0] for row in cursor.fetchall()} == {"information_schema", "mine_y"}
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            cursor.execute("CREATE TABLE mineXy.t (a INT)")


def test_nobody_else_may_read_the_passwords(folder: Path) -> None:
    server = private_server.ensure(folder)
    assert (folder / "server.json").stat().st_mode & 0o077 == 0
    assert server.password not in repr(server)


def test_a_server_that_starts_leaves_the_temporary_files_of_others_alone(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    of_another = tmp_path / "#sql-temptable-1-1-1.MAI"
    of_another.touch()
    private_server.ensure(folder)
    assert of_another.exists()
