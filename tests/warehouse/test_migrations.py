"""Migrations: from empty, from an older schema, from half a schema, and from two workers at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
import sqlparse
from sqlalchemy.dialects import mysql

from kalshi.exchange.config import BASE_URLS
from kalshi.settings import PROJECT
from kalshi.warehouse import exchanges
from kalshi.warehouse.migrate import LOCK_NAME, MigrationLocked, migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.private_server import PrivateServer
from tests.support.migrations import NEWEST, SQL_FILES, stop_before

NO_DATA = {
    *("kalshi_schema_version", "kalshi_sync_run", "kalshi_request_budget", "kalshi_freshness_rule"),
    "kalshi_quality_acknowledgement",  # a person's word
}
Rows = tuple[list[str], list[tuple[Any, ...]]]
"""Column names, and rows."""
MIGRATE = """
import sys
sys.path.insert(0, "plugins")
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
engine = open_engine(address_of(sys.argv[1]))
engine.connect().close()
print("ready", flush=True)
sys.stdin.readline()
print(migrate(engine), flush=True)
"""


@pytest.fixture
def empty(empty_database_on_both: str) -> Iterator[sa.Engine]:
    engine = open_engine(address_of(empty_database_on_both))
    yield engine
    engine.dispose()


def schema(engine: sa.Engine) -> dict[str, str]:
    """How each table is defined, whatever number its next row gets."""
    with engine.connect() as connection:
        tables = connection.exec_driver_sql("SHOW TABLES").scalars().all()
        return {t: connection.exec_driver_sql(f"SHOW CREATE TABLE {t}").one()[1] for t in tables}


def test_an_empty_database_gets_the_newest_schema(empty: sa.Engine) -> None:
    assert migrate(empty) == NEWEST
    assert {"kalshi_series", "kalshi_event", "kalshi_market", "kalshi_sync_run"} < schema(empty).keys()


def test_migrating_again_changes_nothing(empty: sa.Engine) -> None:
    migrate(empty)
    before = schema(empty)
    assert migrate(empty) == NEWEST
    assert schema(empty) == before


def fill_every_table(connection: sa.Connection) -> dict[str, Rows]:
    """Three rows in every table, whatever its columns are; what they then hold, by table."""
    there = sa.inspect(connection)
    tables = set(there.get_table_names()) - {"kalshi_schema_version"}
    for table in tables:
        columns = [c for c in there.get_columns(table) if not c.get("computed")]
        parents = {
            own: theirs
            for key in there.get_foreign_keys(table)
            for own, theirs in zip(key["constrained_columns"], key["referred_columns"], strict=True)
        }
        for number in (1, 2, 3):
            values = [sample_value(parents.get(c["name"], c["name"]), c["type"], number) for c in columns]
            names = ", ".join(f"`{c['name']}`" for c in columns)
            marks = ", ".join(["%s"] * len(values))
            # Rules that a migration brought along stay.
            connection.exec_driver_sql(f"INSERT IGNORE INTO {table} ({names}) VALUES ({marks})", tuple(values))
    return {table: content(connection, table) for table in tables}


def sample_value(name: str, kind: Any, number: int) -> Any:
    """A value for a column of that type; children get the keys of their parents, which have the same name."""
    if isinstance(kind, sa.DateTime | mysql.DATETIME):
        return f"2026-09-2{number} 12:34:56.{number:06d}"
    if isinstance(kind, sa.Date):
        return f"2026-09-2{number}"
    if isinstance(kind, sa.Numeric):
        return f"{number}.37" if kind.scale else number
    if isinstance(kind, sa.Integer):
        return number
    text = json.dumps(f"{name} {number} é\U0001f321")  # a JSON column takes it, and so does any text
    length = getattr(kind, "length", None) or len(text)
    return text if length >= len(text) else f"{number}" * min(length, 8)


def content(connection: sa.Connection, table: str, columns: Sequence[str] = ("*",)) -> Rows:
    found = connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM {table}")
    return list(found.keys()), [tuple(row) for row in found]


@pytest.mark.parametrize("version", range(1, len(SQL_FILES)), ids=[file.stem for file in SQL_FILES[:-1]])
def test_every_older_schema_moves_on_without_losing_a_value(empty: sa.Engine, version: int) -> None:
    stop_before(empty, version)
    with empty.begin() as connection:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")  # children may come before their parents
        before = fill_every_table(connection)
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")
    assert all(len(rows) >= 3 for _, rows in before.values())
    assert migrate(empty) == NEWEST
    with empty.connect() as connection:
        for table, (columns, rows) in before.items():
            assert set(rows) - set(content(connection, table, columns)[1]) == set(), f"lost or changed in {table}"


@pytest.mark.parametrize(("file_number", "statement_number"), [(0, 2), (1, 1), (1, 3)])
def test_half_a_migration_is_finished(empty: sa.Engine, file_number: int, statement_number: int) -> None:
    stop_before(empty, file_number, statement_number)
    assert "kalshi_settlement_change" not in schema(empty)
    assert migrate(empty) == NEWEST
    with empty.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM kalshi_schema_version").scalars().all() == [NEWEST]
    assert {"kalshi_request_budget", "kalshi_settlement_change"} < schema(empty).keys()


LOTS = next(n for n, file in enumerate(SQL_FILES) if file.stem == "0015_lots")


@pytest.mark.parametrize("statement_number", range(1, 9))
def test_views_become_tables_although_the_migration_was_killed(empty: sa.Engine, statement_number: int) -> None:
    stop_before(empty, LOTS, statement_number)
    assert migrate(empty) == NEWEST
    assert "CREATE TABLE" in schema(empty)["kalshi_lot"]


def test_workers_that_migrate_at_once_all_succeed(empty: sa.Engine, empty_database_on_both: str) -> None:
    command = [sys.executable, "-c", MIGRATE, empty_database_on_both]
    workers = [
        subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    answers = [worker.communicate(timeout=60)[0] for worker in workers]
    assert answers == [f"{NEWEST}\n"] * 2
    assert [worker.returncode for worker in workers] == [0, 0]
    assert migrate(empty) == NEWEST


def test_a_worker_waits_for_the_one_that_migrates(empty: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kalshi.warehouse.migrate.LOCK_SECONDS", 0)
    with empty.connect() as other:
        assert other.exec_driver_sql(f"SELECT GET_LOCK({LOCK_NAME}, 0)").scalar_one() == 1
        with pytest.raises(MigrationLocked, match="SHOW PROCESSLIST"):
            migrate(empty)
        assert schema(empty) == {}
        other.invalidate()  # its lock goes with its connection
    monkeypatch.undo()
    assert migrate(empty) == NEWEST


def test_a_database_with_a_long_name_can_be_migrated(
    empty_database_on_both: str, server_on_both: PrivateServer
) -> None:
    name = "a_warehouse_whose_name_is_as_long_as_a_server_lets_it_be" + "x" * 8
    user = address_of(empty_database_on_both)
    with server_on_both.as_root() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"GRANT ALL ON {name}.* TO '{user.user}'@'127.0.0.1', '{user.user}'@'localhost'")
    engine = open_engine(replace(user, database=name))
    try:
        assert migrate(engine) == NEWEST
    finally:
        engine.dispose()
        with server_on_both.as_root() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


@pytest.fixture
def columns(empty: sa.Engine) -> list[dict[str, str]]:
    """Every column of the newest schema, in a database whose own default isn't utf8mb4."""
    with empty.begin() as connection:
        database = connection.exec_driver_sql("SELECT DATABASE()").scalar_one()
        connection.exec_driver_sql(f"ALTER DATABASE {database} CHARACTER SET latin1")
    migrate(empty)
    names = "table_name, column_name, data_type, column_type, character_set_name"
    with empty.connect() as connection:
        found = connection.exec_driver_sql(
            f"SELECT {names} FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name IN "
            "(SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE')"
        )
        return [dict(zip(names.split(", "), row, strict=True)) for row in found]


def test_no_column_is_a_float_and_prices_are_decimals(columns: list[dict[str, str]]) -> None:
    assert not [c for c in columns if c["data_type"] in ("float", "double", "real")]
    price = ("price", "bid", "ask", "value", "strike", "volume", "interest", "size", "multiplier")
    words = {"expiration_value", "functional_strike", "custom_strike"}
    prices = {c["column_name"]: c["data_type"] for c in columns if c["column_name"].endswith(price)}
    assert {name for name, kind in prices.items() if kind != "decimal"} == words
    assert {"last_price", "yes_bid", "yes_ask", "settlement_value", "volume", "fee_multiplier"} < prices.keys()


def test_every_time_is_a_datetime_with_microseconds(columns: list[dict[str, str]]) -> None:
    assert {c["column_type"] for c in columns if c["column_name"].endswith("_utc")} == {"datetime(6)"}
    assert not [c for c in columns if c["data_type"] == "timestamp"]


def test_every_data_table_has_its_lineage(columns: list[dict[str, str]]) -> None:
    tables = {c["table_name"] for c in columns} - NO_DATA
    assert "kalshi_settlement_change" in tables
    for name in ("run_id", "updated_at_utc"):
        assert tables - {c["table_name"] for c in columns if c["column_name"] == name} == set()


def test_every_text_is_utf8mb4_in_innodb(columns: list[dict[str, str]], empty: sa.Engine) -> None:
    ours = [c for c in columns if c["table_name"] != "kalshi_schema_version"]
    assert {c["character_set_name"] for c in ours} == {"utf8mb4", None}
    with empty.connect() as connection:
        engines = connection.exec_driver_sql(
            "SELECT DISTINCT engine FROM information_schema.tables WHERE table_schema = DATABASE() "
            "AND table_type = 'BASE TABLE'"
        )
        assert engines.scalars().all() == ["InnoDB"]


def test_official_hosts_of_one_environment_become_one_exchange(warehouse_on_both: sa.Engine) -> None:
    prod, demo = BASE_URLS["prod"], BASE_URLS["demo"]
    aliases = "https://api.elections.kalshi.com/trade-api/v2", "https://demo-api.kalshi.co/trade-api/v2"
    insert = sa.text("INSERT INTO kalshi_exchange (exchange, is_synthetic, run_id) VALUES (:name, FALSE, 1)")
    with warehouse_on_both.begin() as connection:
        for name in (prod, *aliases):
            connection.execute(insert, {"name": name})
        [file] = [file for file in SQL_FILES if file.stem == "0011_origin"]
        for statement in sqlparse.split(file.read_text(encoding="utf-8")):
            connection.exec_driver_sql(statement.replace("%", "%%"))
        assert exchanges.names(connection) == {demo: False, prod: False}


def test_of_the_coverage_of_an_older_warehouse_the_latest_look_is_known(empty: sa.Engine) -> None:
    number = next(n for n, file in enumerate(SQL_FILES) if "latest_coverage" in file.stem)
    stop_before(empty, number)
    with empty.begin() as connection:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        for run, market in ((1, "A"), (2, "A"), (1, "B")):
            connection.exec_driver_sql(
                "INSERT INTO kalshi_coverage (run_id, market_ticker, utc_day, event_ticker, series_ticker, "
                "expected_minutes, present_minutes, missing_minutes, quoted_minutes, longest_gap_minutes, candles, "
                "empty_books) VALUES (%s, %s, '2026-09-20', 'E', 'S', 1, 1, 0, 1, 0, 1, 0)",
                (run, market),
            )
            connection.exec_driver_sql(
                "INSERT INTO kalshi_decision_coverage (run_id, market_ticker, decision, event_ticker, series_ticker, "
                "decided_at_utc, candle_present, quote_known) "
                "VALUES (%s, %s, 'open', 'E', 'S', '2026-09-20', TRUE, FALSE)",
                (run, market),
            )
    migrate(empty)
    with empty.connect() as connection:
        for view in ("kalshi_coverage_latest", "kalshi_decision_coverage_latest"):
            found = connection.exec_driver_sql(f"SELECT market_ticker, run_id FROM {view} ORDER BY market_ticker")
            assert [tuple(row) for row in found] == [("A", 2), ("B", 1)]


def test_the_fills_of_an_older_warehouse_are_matched_as_its_views_matched_them(empty: sa.Engine) -> None:
    stop_before(empty, LOTS)
    queries = {
        "kalshi_lot": "market_ticker, outcome, number, fill_id, quantity, open_quantity, until_count, price, fee_cost",
        "kalshi_closed_lot": "market_ticker, yes_fill_id, no_fill_id, quantity, realized_pnl, opened_at_utc",
        "kalshi_pnl_market": "market_ticker, quantity, cost_basis, realized_pnl, fees, fills",
        "kalshi_pnl_day": "day, subaccount, series_ticker, realized_pnl, fees",
    }

    def figures() -> dict[str, list[Any]]:
        with empty.connect() as connection:
            return {
                name: list(connection.exec_driver_sql(f"SELECT {columns} FROM {name} ORDER BY 1, 2, 3"))
                for name, columns in queries.items()
            }

    with empty.begin() as connection:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        for market in ("A", "B"):
            connection.exec_driver_sql(
                "INSERT INTO kalshi_market (market_ticker, event_ticker, series_ticker, is_placeholder, run_id) "
                "VALUES (%s, 'E', 'S', FALSE, 1)",
                (market,),
            )
        fills = [("A", "yes", 5, "0.40"), ("A", "no", 7, "0.70"), ("A", "yes", 4, "0.20"), ("B", "yes", 3, "0.10")]
        for hour, (market, outcome, quantity, price) in enumerate(fills, 1):
            connection.exec_driver_sql(
                "INSERT INTO kalshi_fill (fill_id, market_ticker, subaccount, action, side, outcome, quantity, price, "
                "yes_price, no_price, total_cost, fee_cost, executed_at_utc, run_id) VALUES (%s, %s, 0, 'buy', %s, "
                "%s, %s, %s, %s, 1 - %s, 1, 0.01, %s, 1)",
                (f"f{hour}", market, outcome, outcome, quantity, price, price, price, f"2026-09-20 {hour:02d}:00:00"),
            )
    before = figures()
    assert [len(rows) for rows in before.values()] == [4, 2, 2, 1]
    migrate(empty)
    assert figures() == before
