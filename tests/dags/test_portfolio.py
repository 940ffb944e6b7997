"""The DAG kalshi_portfolio_sync: with a key, without one, with a bad one; and the private key never appears."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.dags.dag_under_test import DagUnderTest
from tests.support.account import AFTERNOON, account_at, connection
from tests.support.api_key import ApiKey, make_key
from tests.support.exchange_server import ExchangeServer
from tests.support.processes import command_lines


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> ApiKey:
    return make_key("rsa", tmp_path_factory.mktemp("dag-key"))


@pytest.fixture(scope="module")
def account(key: ApiKey) -> Iterator[ExchangeServer]:
    with account_at(AFTERNOON, key, since="2026-08-15") as server:
        yield server


@pytest.fixture
def dag(dag_under_test: Callable[[str], DagUnderTest]) -> DagUnderTest:
    return dag_under_test("kalshi_portfolio_sync")


def everything_written(dag: DagUnderTest) -> Iterator[bytes]:
    """Airflow's whole home (logs, and the database with XComs and rendered templates), reports, the ledger."""
    for folder in (dag.airflow.home, dag.reports):
        yield from (file.read_bytes() for file in folder.rglob("*") if file.is_file())
    with dag.connected() as warehouse:
        for table in ("kalshi_sync_run", "kalshi_checkpoint", "kalshi_rejected_record", "kalshi_request_budget"):
            yield repr(warehouse.execute(sa.text(f"SELECT * FROM {table}")).all()).encode()


def test_a_second_run_changes_nothing_and_the_private_key_shows_nowhere(
    dag: DagUnderTest, account: ExchangeServer, key: ApiKey, tmp_path: Path
) -> None:
    chatty = {**dag.airflow.environment, "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG"}
    # A process of its own for each key: with its level of logs, and a command line to watch.
    watched = replace(dag, airflow=replace(dag.airflow, environment=chatty), warm=None)
    strange = replace(key, private_pem=make_key("rsa", tmp_path).private_pem)
    with command_lines() as seen:
        first = watched.run(exchange=connection(account, key), subaccounts=[0, 1])
        rows = dag.rows("kalshi_fill", "kalshi_position", "kalshi_portfolio_settlement", "kalshi_balance")
        second = dag.run(exchange=connection(account, key), subaccounts=[0, 1])
        third = watched.run(exchange=connection(account, strange))

    assert first.succeeded, first.output[-3000:]
    assert first.report["verdict"] == "success"
    assert [s["scope"] for s in first.report["series"]] == ["0", "1"]
    assert min(rows.values()) > 1
    for heading in ("Realised P&amp;L so far, and by series", "P&amp;L by series", "Open positions", "Balance"):
        assert f"<h2>{heading}</h2>" in first.page
    assert "<svg" in first.page

    assert second.succeeded, second.output[-3000:]
    assert (second.report["totals"]["inserted"], second.report["totals"]["updated"]) == (0, 0)
    assert dag.rows(*rows) == rows

    assert not third.succeeded
    assert "does not belong to the key id" in third.page

    output = "".join(outcome.output for outcome in (first, second, third))
    assert "[debug" in output
    assert any(b"kalshi_portfolio_sync" in line for line in seen), "the runs were watched"
    told = b"".join([output.encode(), *seen, *everything_written(dag)])
    assert b"sync_subaccount" in told
    password = sa.make_url(dag.warehouse).password or ""
    # The first line of a key begins as that of every key does.
    pieces = [line[len(line) // 2 :] for line in [*key.secrets, *strange.secrets]]
    assert not [piece for piece in [*pieces, password] if piece.encode() in told]


def test_without_a_key_every_task_skips_and_says_why(dag: DagUnderTest) -> None:
    outcome = dag.run()
    assert outcome.succeeded, outcome.output[-3000:]
    assert "kalshi_default has no API key, so there is no portfolio to read" in outcome.output
    assert outcome.report == {}
