"""``kalshi_reconciliation`` in Airflow: its verdict, its report, and what it says of a market that isn't proven."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from tests.dags.dag_under_test import DagUnderTest
from tests.support.house import SERIES, House

DAYS: dict[str, Any] = {"series": [SERIES], "date_from": "2026-09-19", "date_to": "2026-09-20"}


@pytest.fixture
def dag(dag_under_test: Callable[[str], DagUnderTest], exchange: Exchange) -> DagUnderTest:
    """On a warehouse with four days of trades and candles, in which twelve markets lie from open to close."""
    dag = dag_under_test("kalshi_reconciliation")
    engine = open_engine(address_of(dag.warehouse), loads=True)
    migrate(engine)
    House(exchange, engine).read()
    engine.dispose()
    return dag


def test_a_market_that_isnt_proven_is_named_and_repaired_by_the_next_run(dag: DagUnderTest) -> None:
    first = dag.run(**DAYS)
    assert first.succeeded, first.output[-3000:]
    assert first.report["verdict"] == "success"
    assert "proven: 12 of 12 settled markets" in first.output
    assert "proven: 12 of 12 settled markets" in first.page
    assert "Proven by month" in first.page
    assert "<svg" in first.page
    assert "Markets that aren&#39;t proven" not in first.page

    with dag.connected() as connection:
        lost = "SELECT market_ticker FROM kalshi_trade JOIN kalshi_reconciliation USING (market_ticker) LIMIT 1"
        ticker = connection.exec_driver_sql(lost).scalar_one()
        connection.execute(sa.text("DELETE FROM kalshi_trade WHERE market_ticker = :t LIMIT 1"), {"t": ticker})
        connection.commit()
    compared = dag.run(**DAYS, repair=False)
    assert compared.succeeded, "a market that isn't proven is a warning"
    assert compared.report["verdict"] == "warning"
    assert "proven: 11 of 12 settled markets" in compared.output
    assert ticker in compared.page.partition("Markets that aren&#39;t proven")[2]

    repaired = dag.run(**DAYS)
    assert (repaired.report["verdict"], repaired.report["series"][0]["read_again"]) == ("success", 1)
    assert "proven: 12 of 12 settled markets" in repaired.output


def test_without_dates_it_looks_at_everything_that_closed_since_the_candles_begin(dag: DagUnderTest) -> None:
    outcome = dag.run(series=[SERIES])
    (series,) = outcome.report["series"]
    assert (series["proven"], series["read_again"]) == (12, 0), "days that were never read are not its own to read"
    assert series["settled"] > 900
    assert outcome.report["verdict"] == "warning"
    assert "was ever read: run kalshi_trades_sync for those days" in outcome.page


def test_half_a_range_of_days_is_refused(dag_under_test: Callable[[str], DagUnderTest]) -> None:
    outcome = dag_under_test("kalshi_reconciliation").run(series=[SERIES], date_to="2026-09-19")
    assert not outcome.succeeded
    assert "Give both date_from and date_to" in outcome.output


def test_of_the_whole_exchange_what_was_read_is_compared(dag: DagUnderTest) -> None:
    outcome = dag.run(series=["*"], date_from="2026-09-19", date_to="2026-09-20")
    assert outcome.succeeded, outcome.output[-3000:]
    assert [(series["scope"], series["settled"]) for series in outcome.report["series"]] == [(SERIES, 12)]
    assert "proven: 12 of 12 settled markets" in outcome.output
    without_days = dag.run(series=["*"])
    assert not without_days.succeeded
    assert "No market of these days is settled in the warehouse" in without_days.output
    with dag.connected() as connection:
        connection.exec_driver_sql("UPDATE kalshi_reconciliation SET trades_verdict = 'short' LIMIT 1")
        connection.commit()
    again = dag.run(series=["*"])
    assert again.succeeded, again.output[-3000:]
    assert [series["settled"] for series in again.report["series"]] == [1], "what wasn't proven is compared again"
