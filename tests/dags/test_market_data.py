"""The DAGs of settlements, trades and snapshots, each on a fresh database, without a catalog sync first."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.private_server import PrivateServer
from tests.dags.dag_under_test import DagUnderTest
from tests.support.databases import select
from tests.support.exchange_server import ExchangeServer
from tests.sync.candles import candle_requests

Dag = Callable[[str], DagUnderTest]


def test_settlements_come_once(dag_under_test: Dag) -> None:
    dag = dag_under_test("kalshi_settlements_sync")
    first = dag.run()
    assert first.succeeded, first.output[-3000:]
    settled = dag.rows("kalshi_settlement")
    assert settled["kalshi_settlement"] == sum(s["settled"] for s in first.report["series"]) > 7000
    second = dag.run()
    assert (second.report["totals"]["inserted"], second.report["totals"]["updated"]) == (0, 0)
    assert dag.rows("kalshi_settlement") == settled
    assert "Time to settle" in second.page


def test_trades_come_for_a_range_of_days(dag_under_test: Dag) -> None:
    dag = dag_under_test("kalshi_trades_sync")
    outcome = dag.run(series=["KXHIGHNY", "KXHIGHDEN"], date_from="2026-09-19", date_to="2026-09-20")
    assert outcome.succeeded, outcome.output[-3000:]
    assert [s["from_utc"][:10] for s in outcome.report["series"]] == ["2026-09-19"] * 2
    assert dag.rows("kalshi_trade")["kalshi_trade"] > 200
    assert "<svg" in outcome.page


def test_one_task_reads_the_whole_exchange(dag_under_test: Dag) -> None:
    range_of_days = {"date_from": "2026-09-19", "date_to": "2026-09-19"}
    for name, table, days in (
        ("catalog_sync", "kalshi_market", {}),
        ("settlements_sync", "kalshi_settlement", {}),
        ("trades_sync", "kalshi_trade", range_of_days),
        ("candles_backfill", "kalshi_candle_1m", range_of_days),
    ):
        dag = dag_under_test(f"kalshi_{name}")
        outcome = dag.run(series=["*"], **days)
        assert outcome.succeeded, outcome.output[-3000:]
        assert [s["scope"] for s in outcome.report["series"]] == ["*"]
        with dag.connected() as connection:
            query = "SELECT COUNT(DISTINCT series_ticker) FROM kalshi_market"
            assert connection.exec_driver_sql(query).scalar_one() >= 7
        assert dag.rows(table)[table] > 500
        assert len(outcome.page) < 2_000_000


def test_the_whole_exchange_is_refused_beside_single_series(dag_under_test: Dag) -> None:
    outcome = dag_under_test("kalshi_trades_sync").run(series=["*", "KXHIGHNY"])
    assert not outcome.succeeded
    assert "The series * means the whole exchange: pass it alone." in outcome.output


def test_a_pattern_names_the_series_that_the_exchange_lists(dag_under_test: Dag) -> None:
    dag = dag_under_test("kalshi_price_snapshots")
    outcome = dag.run(series=["KXHIGHM*", "KXHIGHNY"], date="2026-09-22T15:00:00+00:00")
    assert outcome.succeeded, outcome.output[-3000:]
    assert [s["scope"] for s in outcome.report["series"]] == ["KXHIGHMIA", "KXHIGHNY"]
    nothing = dag.run(series=["KXLOW*"])
    assert not nothing.succeeded
    assert "No known series matches KXLOW*." in nothing.output


def test_half_a_range_of_days_is_refused(dag_under_test: Dag) -> None:
    outcome = dag_under_test("kalshi_trades_sync").run(series=["KXHIGHNY"], date_from="2026-09-19")
    assert not outcome.succeeded
    assert "Give both date_from and date_to" in outcome.output


def test_the_same_data_interval_twice_gives_one_snapshot(dag_under_test: Dag) -> None:
    dag = dag_under_test("kalshi_price_snapshots")
    for _ in range(2):
        outcome = dag.run(date="2026-09-22T15:00:00+00:00")
        assert outcome.succeeded, outcome.output[-3000:]
        assert dag.rows("kalshi_price_snapshot")["kalshi_price_snapshot"] == 7 * 12
    assert "minutes after the snapshot&#39;s timestamp" in outcome.page


def test_a_future_date_is_refused_by_a_snapshot(dag_under_test: Dag) -> None:
    dag = dag_under_test("kalshi_price_snapshots")
    outcome = dag.run(date="2199-09-22T15:00:00+00:00", series=["KXHIGHNY"])
    assert not outcome.succeeded
    assert "minutes in the future" in outcome.page
    assert dag.rows("kalshi_price_snapshot") == {"kalshi_price_snapshot": 0}


def test_a_dag_refuses_a_warehouse_of_another_exchange(dag_under_test: Dag) -> None:
    dag = dag_under_test("kalshi_price_snapshots")
    with dag.connected() as connection:
        migrate(connection.engine)
        connection.exec_driver_sql(
            "INSERT INTO kalshi_exchange (exchange, is_synthetic, run_id) VALUES ('https://exchange.example', FALSE, 1)"
        )
        connection.commit()
    outcome = dag.run(series=["KXHIGHNY"])
    assert not outcome.succeeded
    assert "kalshi_warehouse is of https://exchange.example. Synthetic and real data never mix" in outcome.output
    assert dag.rows("kalshi_market", "kalshi_price_snapshot") == {"kalshi_market": 0, "kalshi_price_snapshot": 0}


def test_a_report_knows_when_its_run_began_whatever_date_it_is_run_for(dag_under_test: Dag) -> None:
    before = datetime.now(UTC)
    outcome = dag_under_test("kalshi_price_snapshots").run(date="2026-09-22T15:00:00+00:00", series=["KXHIGHNY"])
    assert outcome.succeeded, outcome.output[-3000:]
    assert before < datetime.fromisoformat(outcome.report["began_at_utc"]) < datetime.now(UTC)


def test_tasks_close_their_connections_properly(dag_under_test: Dag, mariadb: PrivateServer) -> None:
    broken_off = _broken_off(mariadb)
    outcome = dag_under_test("kalshi_price_snapshots").run(series=["KXHIGHNY"], retention_days=1)
    assert outcome.succeeded, outcome.output[-3000:]
    assert _broken_off(mariadb) == broken_off


def _broken_off(server: PrivateServer) -> int:
    """How often the server found a client gone without a word, each of which it logs."""
    with server.as_root() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")
        return int(cursor.fetchall()[0][1])


def test_a_backfill_in_chunks_holds_what_its_days_hold(dag_under_test: Dag) -> None:
    dag = dag_under_test("kalshi_candles_backfill")
    days: dict[str, Any] = {"series": ["KXHIGHNY"], "date_from": "2026-09-16", "date_to": "2026-09-19"}
    outcome = dag.run(**days, chunk_days=3)
    assert outcome.succeeded, outcome.output[-3000:]
    (series,) = outcome.report["series"]
    assert (series["from_utc"][:10], series["to_utc"][:10]) == ("2026-09-16", "2026-09-20")
    rows = dag.rows("kalshi_candle_1m", "kalshi_candle_1m_dense")
    assert rows["kalshi_candle_1m"] == series["candles"] > 10_000
    assert rows["kalshi_candle_1m_dense"] == series["inserted"] - series["candles"] > 30_000
    # Airflow runs the chunks in any order: a later one that came first is built again where the earlier one reaches in.
    assert series["dense_minutes"] >= rows["kalshi_candle_1m_dense"]
    written = series["inserted"] + series["updated"] + series["unchanged"]
    assert series["candles"] + series["dense_minutes"] == written

    daily = dag_under_test("kalshi_candles_daily").run(date="2026-09-18", series=["KXHIGHNY"], force=True)
    assert daily.succeeded, daily.output[-3000:]
    (day,) = daily.report["series"]
    assert (day["from_utc"][:10], day["to_utc"][:10]) == ("2026-09-18", "2026-09-19"), "the date's own day"
    assert (daily.report["totals"]["inserted"], daily.report["totals"]["updated"]) == (0, 0)
    assert daily.report["totals"]["unchanged"] > 2000
    assert dag.rows("kalshi_candle_1m", "kalshi_candle_1m_dense") == rows


def test_dense_minutes_that_a_backfill_left_out_are_built_later_without_a_request_for_candles(
    dag_under_test: Dag, exchange_server: ExchangeServer
) -> None:
    dag = dag_under_test("kalshi_candles_backfill")
    days: dict[str, Any] = {"series": ["KXHIGHNY"], "date_from": "2026-09-18", "date_to": "2026-09-18"}
    without = dag.run(**days, dense=False)
    assert without.succeeded, without.output[-3000:]
    rows = dag.rows("kalshi_candle_1m", "kalshi_candle_1m_dense")
    assert rows["kalshi_candle_1m"] > 2000
    assert rows["kalshi_candle_1m_dense"] == 0
    before = candle_requests(exchange_server)
    later = dag.run(**days)
    assert later.succeeded, later.output[-3000:]
    assert candle_requests(exchange_server) == before
    (series,) = later.report["series"]
    assert dag.rows("kalshi_candle_1m_dense")["kalshi_candle_1m_dense"] == series["dense_minutes"] > 10_000


def test_a_backfill_without_days_is_refused_in_words(dag_under_test: Dag) -> None:
    outcome = dag_under_test("kalshi_candles_backfill").run(series=["KXHIGHNY"])
    assert not outcome.succeeded
    assert "Give both date_from and date_to, such as 2026-09-01 and 2026-09-07." in outcome.output


def test_a_date_before_the_start_date_is_refused_rather_than_called_a_success(dag_under_test: Dag) -> None:
    outcome = dag_under_test("kalshi_candles_daily").run(date="2025-09-01", series=["KXHIGHNY"])
    assert not outcome.succeeded
    assert "2025-09-01 is before the DAG's start date 2025-09-29" in outcome.output


def test_a_chunk_that_fails_is_the_only_one_that_the_next_run_reads(
    dag_under_test: Dag, exchange_server: ExchangeServer
) -> None:
    dag = dag_under_test("kalshi_candles_backfill")
    hasty = json.dumps({"conn_type": "kalshi", "host": exchange_server.base_url, "extra": {"attempts": 1}})
    days: dict[str, Any] = {"series": ["KXHIGHNY"], "date_from": "2026-09-16", "date_to": "2026-09-18", "chunk_days": 1}
    exchange_server.faults({"kind": "http_500", "path": "/candlesticks", "skip": 4})
    failed = dag.run(exchange=hasty, **days)
    assert not failed.succeeded
    (series,) = failed.report["series"]
    assert series["state"] == "failed"
    assert "HTTP 500" in failed.page
    engine = open_engine(address_of(dag.warehouse))
    windows = "SELECT * FROM kalshi_checkpoint WHERE job = 'candles'"

    before = candle_requests(exchange_server)
    again = dag.run(exchange=hasty, **days)
    assert again.succeeded, again.output[-3000:]
    assert candle_requests(exchange_server) - before in (0, 3), "the task of another day may have read it already"
    found = select(engine, windows)
    assert {window["state"] for window in found} == {"COMPLETE"}
    assert sorted(window["attempts"] for window in found) == [1, 1, 2]
    engine.dispose()
