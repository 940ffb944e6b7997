"""``make ui`` and ``make stop``: Airflow's processes end with it, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.support.airflow_cli import PROJECT, Airflow
from tests.support.exchange_server import ExchangeServer
from tests.support.processes import ignore_interrupts

UI = [sys.executable, "-m", "scripts.ui"]
SECONDS = 120


@pytest.fixture
def environment(
    airflow: Airflow, empty_database: str, exchange_server: ExchangeServer, tmp_path: Path
) -> dict[str, str]:
    """Of a UI whose warehouse, exchange and reports are the tests'."""
    return {
        **airflow.environment,
        "PYTHONPATH": str(PROJECT / "plugins"),
        "AIRFLOW_CONN_KALSHI_WAREHOUSE": empty_database,
        "AIRFLOW_CONN_KALSHI_DEFAULT": f"kalshi://{exchange_server.base_url.removeprefix('http://')}",
        "KALSHI_REPORTS_FOLDER": str(tmp_path),
    }


def started(
    environment: dict[str, str], command: list[str], start: Callable[[], None] | None = None
) -> tuple[subprocess.Popen[str], str]:
    """A UI that is up, and what it said."""
    ui = subprocess.Popen(
        command,
        env=environment,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=start,
    )
    said = ""
    for line in ui.stdout or ():
        said += line
        if "Ctrl-C stops Airflow" in line:
            return ui, said
    raise AssertionError(said)


def all_end(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, SECONDS)[1]


@pytest.mark.parametrize(
    ("ending", "start"),
    [(signal.SIGTERM, None), (signal.SIGHUP, None), (signal.SIGKILL, None), (signal.SIGINT, ignore_interrupts)],
    ids=["SIGTERM", "SIGHUP", "SIGKILL", "SIGINT in the background"],
)
def test_the_ui_takes_all_of_airflow_with_it(
    environment: dict[str, str], ending: signal.Signals, start: Callable[[], None] | None
) -> None:
    ui, said = started(environment, UI, start)
    assert "/plugin/kalshi" in said
    processes = psutil.Process(ui.pid).children(recursive=True)
    assert len(processes) > 4
    ui.send_signal(ending)
    ui.communicate(timeout=SECONDS)
    assert all_end(processes)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_a_make_that_is_ended_ends_the_ui_too(environment: dict[str, str], ending: signal.Signals) -> None:
    make, _ = started(environment, ["make", "ui", "--old-file=setup", f"RUN={sys.executable} -m"])
    processes = psutil.Process(make.pid).children(recursive=True)
    assert len(processes) > 5
    make.send_signal(ending)
    assert all_end(processes)
    make.communicate(timeout=SECONDS)


def test_make_stop_ends_the_ui_before_what_it_needs(environment: dict[str, str]) -> None:
    ui, _ = started(environment, UI)
    processes = psutil.Process(ui.pid).children(recursive=True)
    second = subprocess.run(UI, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert second.stderr.endswith("`make ui` is already running. `make stop` ends it.\n")
    stop = [sys.executable, "-c", "from scripts.backends import stop_ui; stop_ui()"]
    done = subprocess.run(stop, env=environment, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout == f"Stopping Airflow's web UI (process {ui.pid}) first …\n"
    assert all_end(processes)
    ui.communicate(timeout=SECONDS)
