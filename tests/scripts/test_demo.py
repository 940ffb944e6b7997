"""``make demo`` and ``make help``, as a user types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.airflow_cli import PROJECT, Airflow
from tests.exchange_server import ExchangeServer


def test_demo_ends_with_the_quality_run_and_the_path_of_its_report(
    airflow: Airflow, empty_database: str, exchange_server: ExchangeServer, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.demo"],
        env={
            **airflow.environment,
            "PYTHONPATH": str(PROJECT / "plugins"),
            "AIRFLOW_CONN_KALSHI_WAREHOUSE": empty_database,
            "AIRFLOW_CONN_KALSHI_DEFAULT": json.dumps({"conn_type": "kalshi", "host": exchange_server.base_url}),
            "KALSHI_REPORTS_FOLDER": str(tmp_path),
        },
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "KXHIGHNY /markets page 1:" in done.stdout
    assert "What the warehouse holds" in done.stdout
    assert (tmp_path / "kalshi_catalog_sync" / "latest" / "index.html").exists()
    report = tmp_path / "kalshi_data_quality" / "latest" / "index.html"
    assert f"The report: {report.resolve()}" in done.stdout
    assert json.loads(report.with_name("report.json").read_text())["failed"] == []
    assert empty_database not in done.stdout


def test_help_lists_every_command() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    listed = subprocess.run(["make"], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True).stdout
    for command in ("setup", "demo", "test", "lint", "bench", "sandbox", "ui", "clean"):
        assert f"\n  {command} " in listed, command
