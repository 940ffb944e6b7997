"""A server, or whoever stands before it, asks for a file of the client: it gets the rows of a load, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pymysql
import pytest
import sqlalchemy as sa

from kalshi.hooks.warehouse import WarehouseHook
from kalshi.operations.doctor import examine
from kalshi.ui.warehouse import WarehouseUnavailable, reading
from kalshi.warehouse.server import InsecureServer, load_data, open_engine
from scripts.address import address_of
from tests.support.api_key import make_key
from tests.support.impostor import Impostor
from tests.warehouse.sample import CREATE_SAMPLE, row, stored, write

CONNECTION = "AIRFLOW_CONN_KALSHI_WAREHOUSE"
REFUSED = r"requested the file '{}'.*which isn't being loaded"
Between = Callable[[bytes], Impostor]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "private.pem"
    file.write_text(make_key("rsa", tmp_path).private_pem)
    return file


@pytest.fixture
def between(empty_database_on_both: str, key_file: Path) -> Iterator[Between]:
    """Puts an impostor before the database, who asks for the key when a statement holds the marker."""
    started: list[Impostor] = []

    def start(marker: bytes) -> Impostor:
        started.append(Impostor(address_of(empty_database_on_both).port, key_file, marker).__enter__())
        return started[-1]

    yield start
    for impostor in started:
        impostor.__exit__()


@pytest.fixture
def engine_to(empty_database_on_both: str) -> Iterator[Callable[..., sa.Engine]]:
    """An engine that reaches the database through an impostor."""
    made: list[sa.Engine] = []

    def engine(impostor: Impostor, *, loads: bool) -> sa.Engine:
        address = replace(address_of(empty_database_on_both), port=impostor.port)
        made.append(open_engine(address, loads=loads))
        return made[-1]

    yield engine
    for one in made:
        one.dispose()


@pytest.mark.parametrize("loads", [True, False], ids=["loads", "only_asks"])
@pytest.mark.parametrize("marker", [b"SET SESSION", b"SELECT 'of all things'"], ids=["at_login", "later"])
def test_no_statement_gets_a_file_of_this_machine(
    between: Between, engine_to: Callable[..., sa.Engine], key_file: Path, marker: bytes, loads: bool
) -> None:
    impostor = between(marker)
    engine = engine_to(impostor, loads=loads)
    with (
        pytest.raises(InsecureServer, match=REFUSED.format(key_file)),
        engine.connect() as connection,
    ):
        connection.exec_driver_sql("SELECT 'of all things'")
    assert impostor.asked == 1
    assert impostor.taken == b""


def test_a_load_sends_its_rows_and_no_other_file(
    between: Between, engine_to: Callable[..., sa.Engine], key_file: Path
) -> None:
    impostor = between(b"nothing")
    engine = engine_to(impostor, loads=True)
    with engine.begin() as connection:
        connection.exec_driver_sql(CREATE_SAMPLE)
    write(engine, [row("honest")])
    impostor.marker = b"LOAD DATA"
    with pytest.raises(InsecureServer, match=REFUSED.format(key_file)):
        write(engine, [row("robbed")])
    assert impostor.asked == 1
    assert impostor.taken == b""
    impostor.marker = b"nothing"
    assert stored(engine).keys() == {"honest"}, "the engine opens a new connection, and nothing was written"


def test_rows_are_sent_for_their_own_statement_alone(between: Between, engine_to: Callable[..., sa.Engine]) -> None:
    """After a load, and after one that failed, its name is worth nothing."""
    impostor = between(b"SELECT 'again'")
    engine = engine_to(impostor, loads=True)
    impostor.file = Path("kalshi_rows")
    for statement in ("LOAD DATA LOCAL INFILE %s INTO TABLE sample", "LOAD DATA LOCAL INFILE %s INTO no_such_table"):
        with pytest.raises(InsecureServer, match=REFUSED.format("kalshi_rows")), engine.connect() as connection:
            connection.exec_driver_sql(CREATE_SAMPLE.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS"))
            cursor = connection.connection.cursor()
            try:
                load_data(cursor, b"secret rows\n", statement)
            except pymysql.err.MySQLError as error:
                assert "no_such_table" in str(error)
            connection.exec_driver_sql("SELECT 'again'")
    assert impostor.asked == 2
    assert impostor.taken == b""


def test_only_an_engine_that_loads_says_that_it_sends_files(
    between: Between, engine_to: Callable[..., sa.Engine], empty_database_on_both: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    impostor = between(b"nothing")
    port = address_of(empty_database_on_both).port
    monkeypatch.setenv(CONNECTION, empty_database_on_both.replace(f":{port}/", f":{impostor.port}/"))

    def offers(ask: Callable[[], object]) -> set[bool]:
        impostor.offers.clear()
        ask()
        return set(impostor.offers)

    def page() -> None:
        with reading() as connection:
            connection.exec_driver_sql("SELECT 1")

    def task(loads: bool) -> None:
        with WarehouseHook().connected(loads=loads) as engine, engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")

    assert offers(lambda: task(loads=True)) == {True}
    assert offers(lambda: task(loads=False)) == {False}
    assert offers(page) == {False}
    assert offers(examine) == {False, True}, "it tries what a task that writes relies on"


def test_pages_and_doctor_say_that_the_server_is_not_to_be_trusted(
    between: Between, empty_database_on_both: str, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    impostor = between(b"SET SESSION")
    port = address_of(empty_database_on_both).port
    monkeypatch.setenv(CONNECTION, empty_database_on_both.replace(f":{port}/", f":{impostor.port}/"))
    with pytest.raises(WarehouseUnavailable, match="isn't safe"), reading():
        pass
    (found,) = (f for f in examine() if f.check == "kalshi_warehouse")
    assert (found.state, str(key_file) in found.words) == ("fail", True)
    assert impostor.asked == 2
    assert impostor.taken == b""


def test_pymysql_itself_never_opens_a_file(samples: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a new PyMySQL passes our answer by, it refuses too, rather than open what the server names."""
    monkeypatch.delattr("kalshi.warehouse.server._Connection._read_query_result")
    with samples.connect() as connection, pytest.raises(RuntimeError, match="local_infile option is false"):
        load_data(connection.connection.cursor(), b"", "LOAD DATA LOCAL INFILE %s INTO TABLE sample")
