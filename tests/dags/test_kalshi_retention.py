"""``kalshi_retention`` in Airflow: what it counts, what it drops, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from kalshi.exchange import Exchange
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from tests.dags.dag_under_test import DagUnderTest
from tests.support.house import TABLES, House


@pytest.fixture
def dag(dag_under_test: Callable[[str], DagUnderTest], exchange: Exchange) -> DagUnderTest:
    """On a warehouse with the last days of August 2026 and the first of September."""
    dag = dag_under_test("kalshi_retention")
    engine = open_engine(address_of(dag.warehouse), loads=True)
    migrate(engine)
    House(exchange, engine, datetime(2026, 8, 30, tzinfo=UTC)).read()
    engine.dispose()
    return dag


def test_old_months_are_counted_by_default_and_dropped_when_told_to(dag: DagUnderTest) -> None:
    before = dag.rows(*TABLES)
    counted = dag.run(dense_months=1)
    assert counted.succeeded, counted.output[-3000:]
    assert dag.rows(*TABLES) == before
    assert f"would be dropped: 2 months, {before['kalshi_candle_1m_dense']:,} rows" in counted.page
    assert "Months older than configured" in counted.page
    assert "<svg" in counted.page

    dropped = dag.run(dense_months=1, dry_run=False)
    assert dropped.succeeded, dropped.output[-3000:]
    assert dag.rows(*TABLES) == {**before, "kalshi_candle_1m_dense": 0}
    assert f"dropped: 2 months, {before['kalshi_candle_1m_dense']:,} rows" in dropped.output
    by_table = {each["scope"]: each["months_dropped"] for each in dropped.report["series"]}
    assert by_table == {**dict.fromkeys(by_table, 0), "kalshi_candle_1m_dense": 2}

    again = dag.run(dense_months=1, dry_run=False)
    assert again.succeeded
    assert again.report["verdict"] == "success"
    assert "dropped: 0 months, 0 rows" in again.output


def test_dense_minutes_without_their_candles_are_refused(dag: DagUnderTest) -> None:
    before = dag.rows(*TABLES)
    refused = dag.run(candles_months=1, dry_run=False)
    assert not refused.succeeded
    assert "Set dense_months to 1 or less" in refused.output
    assert dag.rows(*TABLES) == before


def test_an_export_without_a_folder_is_refused(dag: DagUnderTest) -> None:
    before = dag.rows(*TABLES)
    refused = dag.run(dense_months=1, dry_run=False, export=True)
    assert not refused.succeeded
    assert "Set retention.export_folder" in refused.output
    assert dag.rows(*TABLES) == before
