"""The DAG kalshi_data_quality, run by ``airflow dags test`` on the data of the other jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeUnavailable
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from tests.dags.dag_under_test import DagUnderTest
from tests.support.databases import select
from tests.support.exchange_server import ExchangeServer
from tests.support.quality import DAY, SEP_20, fill, plant

DAY_20: dict[str, Any] = {"series": ["KXHIGHNY"], "date_from": "2026-09-20", "date_to": "2026-09-20"}


@pytest.fixture
def dag(dag_under_test: Callable[[str], DagUnderTest]) -> DagUnderTest:
    return dag_under_test("kalshi_data_quality")


@pytest.fixture
def filled(dag: DagUnderTest, exchange: Exchange) -> Iterator[sa.Engine]:
    """The DAG's warehouse with 19 and 20 September of New York."""
    engine = open_engine(address_of(dag.warehouse))
    migrate(engine)
    fill(exchange, engine, SEP_20 - DAY, SEP_20 + DAY, "scheduled__candles")
    yield engine
    engine.dispose()


def test_clean_data_is_green_and_without_dates_the_days_read_last_are_checked(
    dag: DagUnderTest, filled: sa.Engine
) -> None:
    outcome = dag.run(series=["KXHIGHNY"])
    assert outcome.succeeded, outcome.output[-3000:]
    assert outcome.report["verdict"] == "success"
    (series,) = outcome.report["series"]
    assert (series["from_utc"][:10], series["to_utc"][:10]) == ("2026-09-19", "2026-09-21")
    assert series["checks"] > 40
    new = {(change["job"], change["table"]): change["inserted"] for change in outcome.report["changes"]}
    assert new["candles", "kalshi_candle_1m"] == dag.rows("kalshi_candle_1m")["kalshi_candle_1m"]
    assert (
        dag.reports / "kalshi_data_quality" / "latest" / "data_docs" / "KXHIGHNY" / "kalshi_candle_1m.html"
    ).exists()

    plant(
        filled,
        "DELETE FROM kalshi_candle_1m WHERE market_ticker LIKE 'KXHIGHNY-26SEP20-%' "
        "AND bucket_start_utc >= '2026-09-20 17:00' AND bucket_start_utc < '2026-09-20 18:00'",
    )
    warned = dag.run(**DAY_20)
    assert warned.succeeded, "a warning doesn't fail the run"
    assert warned.report["verdict"] == "warning"
    assert warned.report["changes"] == [], "nothing came since the run before"
    assert [run["state"] for run in select(filled, "SELECT state FROM kalshi_sync_run WHERE job = 'quality'")] == [
        "success",
        "warning",
    ]


def test_an_error_fails_the_run_after_its_report_is_written(dag: DagUnderTest, filled: sa.Engine) -> None:
    plant(filled, "UPDATE kalshi_candle_1m SET yes_ask_high = 1.2 WHERE bucket_start_utc > '2026-09-20 15:00' LIMIT 1")
    outcome = dag.run(**DAY_20)
    assert not outcome.succeeded
    assert outcome.report["verdict"] == "failed"
    assert "KXHIGHNY broke rules of severity error" in outcome.output
    assert "candle_prices_in_range" in outcome.page
    assert "1.200000" in outcome.page, "a row that breaks the rule is shown"


def test_a_run_that_checked_nothing_fails_and_says_so(dag: DagUnderTest, filled: sa.Engine) -> None:
    outcome = dag.run(series=["KXHIGHNY"], date_from="2025-01-01", date_to="2025-01-02")
    assert not outcome.succeeded
    assert "nothing was checked" in outcome.page


def test_trades_that_a_failed_run_left_out_fail_the_run_until_they_are_there(
    dag: DagUnderTest, exchange: Exchange, exchange_server: ExchangeServer
) -> None:
    engine = open_engine(address_of(dag.warehouse), loads=True)
    migrate(engine)
    fill(exchange, engine, SEP_20 - DAY, SEP_20)
    day_before = dag.rows("kalshi_trade")["kalshi_trade"]
    exchange_server.faults({"kind": "http_500", "path": "/markets/trades", "skip": 10, "times": 999})
    with pytest.raises(ExchangeUnavailable):
        fill(exchange, engine, SEP_20, SEP_20 + DAY)
    exchange_server.faults()
    before = dag.rows("kalshi_trade")["kalshi_trade"] - day_before
    outcome = dag.run(**DAY_20)
    assert not outcome.succeeded
    (series,) = outcome.report["series"]
    assert series["broken_errors"] == ["window_complete"]
    assert "gap_filled" in series["broken_warnings"]
    assert "HTTP 500" in outcome.page, "the rows say why the window isn't complete"

    fill(exchange, engine, SEP_20, SEP_20 + DAY)
    assert 0.3 < before / (dag.rows("kalshi_trade")["kalshi_trade"] - day_before) < 0.85, "a good part was missing"
    engine.dispose()
    outcome = dag.run(**DAY_20)
    assert outcome.succeeded, outcome.output[-3000:]
    assert outcome.report["verdict"] == "success"


def test_a_backfill_of_two_days_far_apart_is_checked_for_exactly_these(
    dag: DagUnderTest, filled: sa.Engine, exchange: Exchange
) -> None:
    run = "manual__backfill"
    fill(exchange, filled, SEP_20 - 32 * DAY, SEP_20 - 31 * DAY, "manual__earlier")
    fill(exchange, filled, SEP_20 - 31 * DAY, SEP_20 - 30 * DAY, run)
    fill(exchange, filled, SEP_20, SEP_20 + DAY, run)
    outcome = dag.run(series=["KXHIGHNY"])
    windows = select(
        filled,
        "SELECT scope, window_start_utc, window_end_utc FROM kalshi_sync_run WHERE job = 'quality' ORDER BY 2",
    )
    assert [(w["scope"], f"{w['window_start_utc']:%m-%d}", f"{w['window_end_utc']:%m-%d}") for w in windows] == [
        ("KXHIGHNY", "08-20", "08-21"),
        ("KXHIGHNY", "09-20", "09-21"),
    ]
    assert outcome.succeeded, outcome.output[-3000:]
    checked = {(check["from_utc"][:10], check["to_utc"][:10]) for check in outcome.report["checks"]}
    assert checked == {("2026-08-20", "2026-08-21"), ("2026-09-20", "2026-09-21")}, "the report shows both windows"


def test_the_whole_exchange_is_checked_series_by_series(dag: DagUnderTest, filled: sa.Engine) -> None:
    outcome = dag.run(series=["*"], date_from="2026-09-20", date_to="2026-09-20")
    names = [row["series_ticker"] for row in select(filled, "SELECT DISTINCT series_ticker FROM kalshi_market")]
    assert [series["scope"] for series in outcome.report["series"]] == sorted(names)
    assert outcome.succeeded, outcome.output[-3000:]
