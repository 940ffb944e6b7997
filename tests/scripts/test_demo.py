"""``make demo`` and ``make help``, as a user types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.airflow_cli import PROJECT, Airflow
from tests.exchange_server import ExchangeServer

DEMO = [sys.executable, "-m", "scripts.demo"]


@pytest.fixture
def environment(
    airflow: Airflow, empty_database: str, exchange_server: ExchangeServer, tmp_path: Path
) -> dict[str, str]:
    """Of a demo whose warehouse and exchange are the tests'."""
    return {
        **airflow.environment,
        "PYTHONPATH": str(PROJECT / "plugins"),
        "AIRFLOW_CONN_KALSHI_WAREHOUSE": empty_database,
        "AIRFLOW_CONN_KALSHI_DEFAULT": json.dumps({"conn_type": "kalshi", "host": exchange_server.base_url}),
        "KALSHI_REPORTS_FOLDER": str(tmp_path),
    }


def test_demo_ends_with_the_quality_run_and_the_path_of_its_report(
    environment: dict[str, str], empty_database: str, tmp_path: Path
) -> None:
    done = subprocess.run(DEMO, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "KXHIGHNY /markets page 1:" in done.stdout
    assert "What the warehouse holds" in done.stdout
    assert (tmp_path / "kalshi_catalog_sync" / "latest" / "index.html").exists()
    report = tmp_path / "kalshi_data_quality" / "latest" / "index.html"
    assert f"The report: {report.resolve()}" in done.stdout
    assert json.loads(report.with_name("report.json").read_text())["failed"] == []
    assert empty_database not in done.stdout


def test_an_exchange_that_is_away_is_told_before_anything_is_run(environment: dict[str, str]) -> None:
    nobody = {"AIRFLOW_CONN_KALSHI_DEFAULT": "kalshi://127.0.0.1:9/trade-api/v2"}
    done = subprocess.run(DEMO, env={**environment, **nobody}, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Running the DAG" not in done.stdout
    assert done.stderr.splitlines()[-1].startswith("http://127.0.0.1:9/trade-api/v2 can't be reached")


def test_an_interrupted_demo_stops_at_once_and_leaves_no_process(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        DEMO, env=environment, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        said = iter(demo.stdout or ())
        assert any("/markets page 1:" in line for line in said)
        children = psutil.Process(demo.pid).children(recursive=True)
        demo.send_signal(signal.SIGINT)
        *_, last = said
    assert last == "Stopped. What was read stays, and the next `make demo` goes on.\n"
    assert children
    assert not any(child.is_running() for child in children)


def test_help_lists_every_command() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    listed = subprocess.run(["make"], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True).stdout
    for command in ("setup", "demo", "test", "lint", "bench", "sandbox", "ui", "clean"):
        assert f"\n  {command} " in listed, command
