"""What the commands run against: the connections that are set, else a private server and the sandbox."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

import requests

from kalshi.exchange.config import BASE_URLS
from sandbox import process as sandbox_process
from sandbox.access import MADE_KEY
from scripts import private_server

PROJECT = Path(__file__).resolve().parents[1]
LOCAL = PROJECT / ".local"
WAREHOUSE = "AIRFLOW_CONN_KALSHI_WAREHOUSE"
EXCHANGE = "AIRFLOW_CONN_KALSHI_DEFAULT"
EXCHANGES = ("sandbox", "prod", "demo")
DATABASES = {"sandbox": "kalshi_sandbox", "prod": "kalshi", "demo": "kalshi_demo"}
"""A database each, so that synthetic data never mixes with real data."""
STATE = LOCAL / "sandbox.json"
UI = LOCAL / "ui.pid"
"""Locked by the `make ui` that runs; holds its process."""
SANDBOX_KEY = LOCAL / "sandbox-key.pem"
"""The private key of the sandbox's account, which the sandbox makes."""


def connections(exchange: str) -> dict[str, str]:
    """Both connections as Airflow's environment variables, and a line on the screen for each."""
    warehouse, source = os.environ.get(WAREHOUSE), os.environ.get(EXCHANGE)
    if warehouse:
        print(f"Warehouse: {WAREHOUSE}, as set")
    else:
        server = private_server.ensure(LOCAL / "mysql")
        warehouse = server.database("kalshi" if source else DATABASES[exchange])
        print(f"Warehouse: private server on 127.0.0.1:{server.port}, database {urlsplit(warehouse).path[1:]}")
    if source:
        print(f"Exchange:  {EXCHANGE}, as set")
    elif exchange == "sandbox":
        base_url = ensure_sandbox()
        key = {"login": MADE_KEY, "extra": {"private_key_path": str(SANDBOX_KEY)}}
        source = json.dumps({"conn_type": "kalshi", "host": base_url, **key})
        print(f"Exchange:  sandbox, synthetic data, {base_url}")
    else:
        source = json.dumps({"conn_type": "kalshi", "host": BASE_URLS[exchange]})
        print(f"Exchange:  Kalshi {exchange}, public endpoints, no key")
    return {WAREHOUSE: warehouse, EXCHANGE: source}


def _running_sandbox() -> tuple[str, int] | None:
    """Base URL and process of the sandbox, where it answers."""
    if not STATE.exists():
        return None
    state = json.loads(STATE.read_text())
    try:
        requests.get(state["base_url"] + "/exchange/status", timeout=2)
    except requests.RequestException:
        return None
    return state["base_url"], state["pid"]


def ensure_sandbox() -> str:
    """The base URL of the sandbox, started where it isn't running or runs older code."""
    running = _running_sandbox()
    if running:
        files = (PROJECT / "sandbox").rglob("*.*")
        if SANDBOX_KEY.exists() and all(file.stat().st_mtime < STATE.stat().st_mtime for file in files):
            return running[0]
        stop_sandbox()
    LOCAL.mkdir(exist_ok=True)
    process, base_url = sandbox_process.start(LOCAL / "sandbox.log", f"--make-key={SANDBOX_KEY}")
    STATE.write_text(json.dumps({"base_url": base_url, "pid": process.pid}))
    return base_url


def stop_sandbox() -> None:
    running = _running_sandbox()
    if running:
        os.kill(running[1], signal.SIGTERM)
        while _running_sandbox():
            time.sleep(0.05)
    STATE.unlink(missing_ok=True)


@contextmanager
def only_ui() -> Iterator[None]:
    """Be the one `make ui` of this project, as long as the block runs; ``stop_ui`` knows it by its lock.

    Raises:
        SystemExit: another one runs.
    """
    LOCAL.mkdir(exist_ok=True)
    with UI.open("a+", encoding="utf-8") as file:
        if not _lock(file):
            raise SystemExit("`make ui` runs already. `make stop` ends it.")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _lock(file: TextIO, how: int = fcntl.LOCK_EX | fcntl.LOCK_NB) -> bool:
    """Whether the lock, which goes with the process that has it, could be had."""
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    return True


def stop_ui() -> None:
    """End `make ui`, where it runs, and wait until it has: its Airflow needs the server and the sandbox."""
    if not UI.exists():
        return
    with UI.open(encoding="utf-8") as file:
        if _lock(file):
            return
        pid = int(file.read())
        print(f"Stopping Airflow's web UI (process {pid}) first …", flush=True)
        os.kill(pid, signal.SIGTERM)
        _lock(file, fcntl.LOCK_EX)


def main() -> None:
    parser = argparse.ArgumentParser(description="Stop the web UI, the sandbox and the private server.")
    parser.add_argument("action", choices=["stop"])
    parser.parse_args()
    stop_ui()
    stop_sandbox()
    private_server.stop(LOCAL / "mysql")


if __name__ == "__main__":
    main()
