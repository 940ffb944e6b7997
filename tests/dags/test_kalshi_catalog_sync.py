"""The DAG kalshi_catalog_sync, run by ``airflow dags test``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tests.dags.dag_under_test import DagUnderTest
from tests.support.exchange_server import ExchangeServer

TABLES = ("kalshi_series", "kalshi_event", "kalshi_market")


@pytest.fixture
def dag(dag_under_test: Callable[[str], DagUnderTest]) -> DagUnderTest:
    return dag_under_test("kalshi_catalog_sync")


def in_json_form(warehouse: str, base_url: str) -> dict[str, str]:
    url = sa.make_url(warehouse)
    mysql = {
        "conn_type": "mysql",
        "host": url.host,
        "port": url.port,
        "login": url.username,
        "password": url.password,
        "schema": url.database,
    }
    return {
        "warehouse": json.dumps(mysql),
        "exchange": json.dumps({"conn_type": "kalshi", "host": base_url, "extra": {"requests_per_second": 500}}),
    }


def loads(dag: DagUnderTest) -> int:
    """How many LOAD DATA statements the server has run."""
    with dag.connected() as connection:
        return int(connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'Com_load'").one()[1])


def test_tasks_load_by_load_data_which_the_writer_is_twice_as_fast_with(dag: DagUnderTest) -> None:
    before = loads(dag)
    assert dag.run(series=["KXSANDBOXODD"]).succeeded
    assert loads(dag) > before


def test_a_second_run_inserts_nothing_and_updates_nothing(dag: DagUnderTest, exchange_server: ExchangeServer) -> None:
    first = dag.run()
    assert first.succeeded, first.output[-3000:]
    assert first.report["verdict"] == "success"
    assert len(first.report["series"]) == 7
    assert first.report["totals"]["inserted"] == sum(dag.rows(*TABLES).values()) > 1000
    before = dag.rows(*TABLES)

    second = dag.run(**in_json_form(dag.warehouse, exchange_server.base_url))
    assert second.succeeded, second.output[-3000:]
    assert (second.report["totals"]["inserted"], second.report["totals"]["updated"]) == (0, 0)
    assert second.report["totals"]["unchanged"] > 1000
    assert dag.rows(*TABLES) == before

    password = sa.make_url(dag.warehouse).password
    assert password
    for outcome in (first, second):
        assert password not in outcome.output
        assert password not in json.dumps(outcome.report) + outcome.page
    assert re.search(r"^KXHIGHNY +success +[\d,]+ +[\d,]+ +20\d\d-\d\d-\d\d", first.output, re.MULTILINE)


def test_a_series_that_fails_does_not_hold_up_the_others(dag: DagUnderTest) -> None:
    outcome = dag.run(series=["KXNOSUCH", "KXHIGHDEN"])
    assert not outcome.succeeded
    states = {s["scope"]: s["state"] for s in outcome.report["series"]}
    assert states == {"KXNOSUCH": "failed", "KXHIGHDEN": "success"}
    assert dag.rows("kalshi_market")["kalshi_market"] > 500
    assert "/series/KXNOSUCH was refused with HTTP 404" in outcome.page
    assert "check the ticker" in outcome.page


def test_a_page_cap_that_is_hit_is_a_warning_in_the_report(dag: DagUnderTest) -> None:
    outcome = dag.run(series=["KXSANDBOXWIDE"], max_pages=2)
    assert outcome.succeeded
    assert outcome.report["verdict"] == "warning"
    assert "raise max_pages" in outcome.page
    assert dag.rows("kalshi_market")["kalshi_market"] == 2000


def test_an_exchange_that_is_away_leaves_a_report_that_says_so(dag: DagUnderTest) -> None:
    away = json.dumps({"conn_type": "http", "host": "http://127.0.0.1:9/trade-api/v2", "extra": {"attempts": 1}})
    outcome = dag.run(exchange=away, series=["KXHIGHNY"])
    assert not outcome.succeeded
    assert "Gave up on GET /historical/cutoff after 1 attempts" in outcome.page


@pytest.mark.parametrize("conf", [{"series": []}, {"series": "KXHIGHNY"}, {"series": ["kx high"]}, {"max_pages": 0}])
def test_bad_params_are_refused_before_anything_runs(dag: DagUnderTest, conf: dict[str, Any]) -> None:
    outcome = dag.run(**conf)
    assert not outcome.succeeded
    assert "Invalid input for param" in outcome.output
    assert outcome.report == {}


def test_a_connection_that_lacks_its_database_says_so(dag: DagUnderTest) -> None:
    outcome = dag.run(warehouse="mysql://someone:secret-word@127.0.0.1:3306")
    assert not outcome.succeeded
    assert "kalshi_warehouse has no database" in outcome.output
    assert "secret-word" not in outcome.output
