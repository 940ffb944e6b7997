"""``make demo`` and ``make help``, as a user types them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser

from scripts.pages_client import logged_in
from tests.support.airflow_cli import PROJECT, Airflow
from tests.support.exchange_server import ExchangeServer
from tests.support.processes import ignore_interrupts

DEMO = [sys.executable, "-m", "scripts.demo"]


@pytest.fixture(scope="module")
def exchange_today() -> Iterator[ExchangeServer]:
    """The sandbox in real time, with a few months of data."""
    since = (datetime.now(UTC) - timedelta(days=100)).date()
    with ExchangeServer(f"--since={since}", "--requests-per-second=0", "--wide-markets=0", clock=None) as server:
        yield server


@pytest.fixture
def environment(
    airflow: Airflow, empty_database: str, exchange_today: ExchangeServer, tmp_path: Path
) -> dict[str, str]:
    """Of a demo whose warehouse and exchange are the tests'."""
    return {
        **airflow.environment,
        "PYTHONPATH": str(PROJECT / "plugins"),
        "AIRFLOW_CONN_KALSHI_WAREHOUSE": empty_database,
        "AIRFLOW_CONN_KALSHI_DEFAULT": json.dumps({"conn_type": "kalshi", "host": exchange_today.base_url}),
        "KALSHI_REPORTS_FOLDER": str(tmp_path),
    }


def test_demo_runs_every_dag_and_ends_with_an_answer_a_picture_and_one_page(
    environment: dict[str, str],
    empty_database: str,
    tmp_path: Path,
    browser: Browser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = subprocess.run(DEMO, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "KXHIGHNY /markets page 1:" in done.stdout
    assert empty_database not in done.stdout
    dags = {file.stem for file in (PROJECT / "dags").glob("*.py")} - {"kalshi_portfolio_sync"}  # there is no key
    reports = {dag: json.loads((tmp_path / dag / "latest" / "report.json").read_text()) for dag in dags}
    assert {dag for dag, report in reports.items() if report["verdict"] != "success"} == {"kalshi_health_check"}
    assert reports["kalshi_health_check"]["warned"] == ["alerts"], "kalshi.toml names no notifier"
    assert all(report["is_synthetic"] for report in reports.values())
    assert {report["cause"] for report in reports.values()} == {"manual"}

    ending = done.stdout.rpartition("Synthetic data")[2]
    prices = re.findall(r"^\d+° .*? +(\d\.\d\d) +(\d\.\d\d) +(yes|no) ", ending, re.MULTILINE)
    assert len(prices) == 6
    assert all(bid < ask for bid, ask, _ in prices)
    assert [settled for *_, settled in prices].count("yes") == 1
    assert re.search(r"^kalshi_price_snapshot +\d+$", ending, re.MULTILINE)
    assert f"Everything on one page: {(tmp_path / 'index.html').as_uri()}\n" in ending
    assert re.fullmatch(r"Done in \d+ s; proven: (\d+) of \1 settled markets\.", ending.splitlines()[-1])

    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto((tmp_path / "index.html").as_uri())
    assert page.locator("p.synthetic").is_visible()
    assert page.evaluate("document.images[0].naturalWidth") > 1000
    assert page.get_by_role("heading", name=re.compile(r"Proven: (\d+) of \1 settled markets")).is_visible()
    assert page.evaluate("document.images[1].naturalWidth") > 100
    assert page.locator("a").count() == len(dags)
    for number in range(len(dags)):
        page.locator("a").nth(number).click()
        page.wait_for_selector("h1 span.success, h1 span.warning")
        assert page.locator("p.synthetic").is_visible()
        page.go_back()
    page.close()

    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", empty_database)
    with logged_in() as pages:
        assert "<h1>All is well</h1>" in pages.get("/").text


def test_an_unreachable_exchange_is_reported_before_anything_runs(environment: dict[str, str]) -> None:
    nobody = {"AIRFLOW_CONN_KALSHI_DEFAULT": "kalshi://127.0.0.1:9/trade-api/v2"}
    done = subprocess.run(DEMO, env={**environment, **nobody}, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "kalshi_catalog_sync:" not in done.stdout
    assert done.stderr.splitlines()[-1].startswith("http://127.0.0.1:9/trade-api/v2 can't be reached")


@pytest.mark.parametrize("start", [None, ignore_interrupts], ids=["in the foreground", "in the background"])
def test_an_interrupted_demo_stops_at_once_and_leaves_no_process(
    environment: dict[str, str], start: Callable[[], None] | None
) -> None:
    with subprocess.Popen(
        DEMO,
        env=environment,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=start,
    ) as demo:
        said = iter(demo.stdout or ())
        assert any("/markets page 1:" in line for line in said)
        children = psutil.Process(demo.pid).children(recursive=True)
        demo.send_signal(signal.SIGINT)
        *_, last = said
    assert last == "Stopped. The data already loaded is kept, and the next `make demo` resumes.\n"
    assert children
    assert not any(child.is_running() for child in children)


def test_help_lists_every_command() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    listed = subprocess.run(["make"], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True).stdout
    for command in ("setup", "demo", "test", "lint", "bench", "sandbox", "ui", "clean"):
        assert f"\n  {command} " in listed, command
