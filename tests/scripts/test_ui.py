"""``make ui`` and ``make stop``: Airflow's processes end with it, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from scripts import backends
from tests.support.airflow_cli import PROJECT, Airflow
from tests.support.exchange_server import ExchangeServer
from tests.support.processes import ignore_interrupts

UI = [sys.executable, "-m", "scripts.ui"]
SECONDS = 120


@pytest.fixture
def environment(
    airflow: Airflow, empty_database: str, exchange_server: ExchangeServer, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """Of a UI whose warehouse, exchange and reports are the tests'. A checkout has one UI, so processes that run these
    tests at the same time take turns."""
    with FileLock(backends.LOCAL / "test-ui.lock"):
        yield {
            **airflow.environment,
            "PYTHONPATH": str(PROJECT / "plugins"),
            "AIRFLOW_CONN_KALSHI_WAREHOUSE": empty_database,
            "AIRFLOW_CONN_KALSHI_DEFAULT": f"kalshi://{exchange_server.base_url.removeprefix('http://')}",
            "KALSHI_REPORTS_FOLDER": str(tmp_path),
        }


def started(
    environment: dict[str, str],
    command: list[str],
    start: Callable[[], None] | None = None,
    until: str = "Ctrl-C stops Airflow",
) -> tuple[subprocess.Popen[str], str]:
    """A UI, and what it said ``until`` then; by default until it is up."""
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
        if until in line:
            return ui, said
    raise AssertionError(said)


def starting(
    environment: dict[str, str], command: list[str], start: Callable[[], None] | None = None
) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A UI whose Airflow has begun to start its parts, and all its processes: that takes a third of the time."""
    ui, _ = started(environment, command, start, until="Starting Airflow")
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        processes = psutil.Process(ui.pid).children(recursive=True)
        if len(processes) > 5:
            return ui, processes
        time.sleep(0.05)
    raise AssertionError(f"Only {processes} after {SECONDS} s.")


def all_end(processes: list[psutil.Process]) -> bool:
    return not psutil.wait_procs(processes, SECONDS)[1]


@pytest.mark.parametrize(
    ("ending", "start"),
    [(signal.SIGHUP, None), (signal.SIGINT, ignore_interrupts)],
    ids=["SIGHUP", "SIGINT in the background"],
)
def test_a_ui_that_is_ended_while_it_starts_takes_airflow_with_it(
    environment: dict[str, str], ending: signal.Signals, start: Callable[[], None] | None
) -> None:
    ui, processes = starting(environment, UI, start)
    ui.send_signal(ending)
    ui.communicate(timeout=SECONDS)
    assert all_end(processes)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_a_make_that_is_ended_ends_the_ui_too(environment: dict[str, str], ending: signal.Signals) -> None:
    make, processes = starting(environment, ["make", "ui", "--old-file=setup", f"RUN={sys.executable} -m"])
    make.send_signal(ending)
    assert all_end(processes)
    make.communicate(timeout=SECONDS)


def test_a_killed_ui_takes_all_of_airflow_with_it(environment: dict[str, str]) -> None:
    ui, said = started(environment, UI)
    assert "/plugin/kalshi" in said
    processes = psutil.Process(ui.pid).children(recursive=True)
    assert len(processes) > 4
    ui.kill()
    ui.communicate(timeout=SECONDS)
    assert all_end(processes)


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
