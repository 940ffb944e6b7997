"""With DEV set, Airflow's tracebacks show the variables of each frame: no key and no password is among them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.dags.dag_under_test import DagUnderTest
from tests.support.api_key import ApiKey, make_key

SHOWN = 12
"""Characters of a line of a key that nobody mistakes for anything else."""


@pytest.fixture
def dag(dag_under_test: Callable[[str], DagUnderTest]) -> DagUnderTest:
    dag = dag_under_test("kalshi_catalog_sync")
    return replace(dag, airflow=replace(dag.airflow, environment={**dag.airflow.environment, "DEV": "1"}), warm=None)


@pytest.fixture
def key(tmp_path: Path) -> ApiKey:
    return make_key("rsa", tmp_path)


def output_of_failure(dag: DagUnderTest, words: str, **connections: str) -> str:
    outcome = dag.run(**connections)
    assert not outcome.succeeded
    assert words in outcome.output
    assert " locals " in outcome.output, "the tracebacks show variables"
    return outcome.output


@pytest.mark.parametrize("kept_in", ["password", "private_key_path"])
def test_a_private_key_that_cannot_be_read_shows_in_no_traceback(
    dag: DagUnderTest, key: ApiKey, tmp_path: Path, kept_in: str
) -> None:
    broken = key.private_pem.replace(key.secrets[3], key.secrets[3][5:])
    file = tmp_path / "broken.pem"
    file.write_text(broken)
    secret = {"password": broken} if kept_in == "password" else {"extra": {kept_in: str(file)}}
    parts = {"conn_type": "kalshi", "host": "http://127.0.0.1:1/trade-api/v2", "login": key.id, **secret}
    shown = output_of_failure(dag, "private key of kalshi_default can't be read", exchange=json.dumps(parts))
    pieces = [piece for line in key.secrets for piece in (line[-SHOWN:], line[-2 * SHOWN : -SHOWN])]
    assert not [piece for piece in pieces if piece in shown]


def test_the_password_of_the_warehouse_shows_in_no_traceback(dag: DagUnderTest) -> None:
    url = sa.make_url(dag.warehouse)
    wrong = url.set(password="a-wrong\\password'of\"ours").render_as_string(hide_password=False)
    shown = output_of_failure(dag, "kalshi_warehouse refused access", warehouse=wrong)
    assert "a-wrong" not in shown
    wrong_mode = url.update_query_dict({"ssl_mode": "SOMEHOW"}).render_as_string(hide_password=False)
    shown = output_of_failure(dag, "ssl_mode must be one of", warehouse=wrong_mode)
    assert str(url.password) not in shown
