"""DAGs, run by ``airflow dags test``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kalshi.settings import INCLUDE
from scripts.warm_airflow import WarmAirflow
from tests.dags.dag_under_test import DagUnderTest
from tests.support.airflow_cli import Airflow
from tests.support.exchange_server import ExchangeServer


@pytest.fixture
def dag_under_test(
    airflow: Airflow, warm: WarmAirflow, empty_database: str, exchange_server: ExchangeServer, tmp_path: Path
) -> Callable[[str], DagUnderTest]:
    """The DAG of that id, with both connections in URI form, on a fresh database."""
    settings = tmp_path / "kalshi.toml"
    settings.write_text((INCLUDE / "kalshi.toml").read_text().replace("retries = 4", "retries = 0"))
    exchange = f"kalshi://{exchange_server.base_url.removeprefix('http://')}"
    return lambda dag_id: DagUnderTest(dag_id, airflow, warm, empty_database, exchange, tmp_path / "reports", settings)
