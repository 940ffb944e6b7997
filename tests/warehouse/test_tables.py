"""The declarations of the tables: they are what the migrations create, and take each value from its record."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.quality.suites.suite import ALWAYS
from kalshi.records import Found, Market
from kalshi.warehouse import (
    api_candles,
    catalog,
    dense_candles,
    portfolio,
    reconciliation,
    settlements,
    snapshots,
    trades,
)
from kalshi.warehouse.catalog import EVENT_PLACEHOLDER, MARKET
from kalshi.warehouse.tables import GIVEN, RAW, Column, Guard, Table

SUBJECTS = (api_candles, catalog, dense_candles, portfolio, reconciliation, settlements, snapshots, trades)
TABLES = {name: found for subject in SUBJECTS for name, found in vars(subject).items() if isinstance(found, Table)}
KEPT_BY_THE_SERVER = {"created_at_utc", "position_id", "last_synced_at_utc", "checked_at_utc", "readings"}


def there(engine: sa.Engine, table: str) -> dict[str, Any]:
    query = sa.text(
        "SELECT column_name AS name, data_type AS type, is_nullable = 'YES' AS is_null, column_key AS in_key, "
        "column_default IS NULL AS needs_value FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND table_name = :table"
    )
    with engine.connect() as connection:
        return {row.name: row for row in connection.execute(query, {"table": table})}


def test_every_column_is_declared_as_the_migrations_create_it(warehouse_on_both: sa.Engine) -> None:
    for name, table in TABLES.items():
        columns = there(warehouse_on_both, table.name)
        for column in (*table.columns, *ALWAYS):
            found = columns[column.name]
            types = {column.type, "longtext"} if column.type == "json" else {column.type}
            assert found.type in types, f"{name}.{column.name}"
            assert bool(found.is_null) == column.null, f"{name}.{column.name}"
            assert (found.in_key == "PRI") == (column.name in table.key), f"{name}.{column.name}"


def test_every_column_that_needs_a_value_is_declared(warehouse_on_both: sa.Engine) -> None:
    for name, table in TABLES.items():
        needed = {n for n, column in there(warehouse_on_both, table.name).items() if column.needs_value}
        needed = {n for n in needed if not there(warehouse_on_both, table.name)[n].is_null} - KEPT_BY_THE_SERVER
        assert needed <= {*table.names, "run_id"}, name


def test_values_come_from_the_record_the_caller_and_the_bytes() -> None:
    table = Table(
        "t",
        key=("market_ticker",),
        columns=(
            Column("market_ticker", "varchar", "ticker", null=False),
            Column("status", "varchar"),
            Column("open_time_utc", "datetime", "open_time"),
            Column("words", "json", lambda market: [market.title]),
            Column("series_ticker", "varchar", GIVEN),
            Column("short", "varchar", GIVEN),
            Column("raw_json", "longtext", RAW),
        ),
    )
    opens = datetime(1, 1, 1, tzinfo=UTC)
    market = Market(ticker="A-B-C", event_ticker="A-B", status="active", open_time=opens, title="High?")
    (row,) = table.rows([Found(market, b"{}")], series_ticker="A", short=lambda m: m.ticker[-1])
    assert row == ("A-B-C", "active", None, b'["High?"]', "A", "C", b"{}"), "the exchange's zero time is not a time"


def test_a_given_column_that_nobody_gives_is_an_error() -> None:
    with pytest.raises(KeyError, match="is_placeholder"):
        MARKET.rows([], series_ticker="KXHIGHNY")


def test_a_placeholder_changes_nothing_that_is_stored() -> None:
    assert EVENT_PLACEHOLDER.names == ("event_ticker", "series_ticker", "event_date", "is_placeholder")
    assert {column.guard for column in EVENT_PLACEHOLDER.columns} == {Guard.INSERT_ONLY}
    assert EVENT_PLACEHOLDER.version is None
