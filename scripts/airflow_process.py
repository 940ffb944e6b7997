"""Airflow's components as processes on this machine."""

from __future__ import annotations

import ctypes
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import requests
from sqlalchemy import make_url

from scripts.airflow_home import PROJECT, sqlite_address
from scripts.end_group import end_group
from scripts.private_server import free_port

SECONDS_TO_START = 180
PR_SET_PDEATHSIG = 1
DATABASE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


@contextmanager
def running(environment: dict[str, str], port: int, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """All of Airflow (scheduler, workers, DAG processor, API) and its URL, for the duration of a with-block.

    Raises:
        SystemExit: it doesn't start in time; ``log`` says why.
    """
    url = f"http://127.0.0.1:{port}"
    environment = {DATABASE: sqlite_address(Path(environment["AIRFLOW_HOME"])), **environment}
    _let_readers_pass(environment[DATABASE])
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # standalone calls `airflow`
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__PARALLELISM": "8",
        # Two Airflows on one machine would compete for the log servers' default ports.
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
    }
    command = [sys.executable, "-m", "airflow", "standalone"]
    with (
        log.open("wb") as file,
        subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group of its own, so that all of Airflow can be stopped
        ) as airflow,
    ):
        try:
            with _ended_with_us(airflow.pid):
                wait_until_up(url, airflow, log)
                yield airflow, url
        except KeyboardInterrupt:
            print("\nStopping Airflow …", flush=True)
            raise
        finally:
            stop_group(airflow)


def end_on_signals() -> None:
    """Raise KeyboardInterrupt on SIGINT (Ctrl+C), SIGTERM and SIGHUP.

    A shell starts background jobs with SIGINT ignored, and Python leaves it ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def end_with_make() -> None:
    """Get SIGTERM if `make` is killed, since it can't pass a signal on then."""
    if "MAKELEVEL" in os.environ:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@contextmanager
def _ended_with_us(group: int) -> Iterator[None]:
    """Stop the process group even if this process is killed and can't do it itself."""
    watcher = [sys.executable, "-m", "scripts.end_group", str(group)]
    with subprocess.Popen(watcher, cwd=PROJECT, stdin=subprocess.PIPE, start_new_session=True) as process:
        try:
            yield
        finally:
            process.kill()


def _let_readers_pass(database: str) -> None:
    """Switch SQLite to WAL, so that readers and a writer don't block each other: a lock kills the scheduler."""
    url = make_url(database)
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(url.database or "")) as connection:
            connection.execute("PRAGMA journal_mode = WAL")


def wait_until_up(url: str, airflow: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and airflow.poll() is None:
        try:
            health = requests.get(f"{url}/api/v2/monitor/health", timeout=5).json()
            if all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor")):
                return
        except (requests.RequestException, ValueError, KeyError):
            pass  # not yet
        time.sleep(0.5)
    raise SystemExit(f"Airflow didn't start within {SECONDS_TO_START} s: see {log}.")


def stop_group(leader: subprocess.Popen[bytes]) -> None:
    """Stop a process with its whole group."""
    reaper = threading.Thread(target=leader.wait)  # an unreaped process would remain in its group
    reaper.start()
    end_group(leader.pid)
    reaper.join()
