"""``make ui``: Airflow with its web UI on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import os
import socket
from contextlib import suppress
from pathlib import Path

from scripts.airflow_process import end_on_signals, end_with_make, running
from scripts.backends import EXCHANGES, LOCAL, connections, only_ui
from scripts.private_server import free_port

PAGES = "/plugin/kalshi"
"""The path of this project's pages, with Airflow's menu around them."""


def _port() -> int:
    """Port 8080, or a free one if that is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8080))
        except OSError:
            return free_port()
    return 8080


def main() -> None:
    parser = argparse.ArgumentParser(description="Run Airflow's web UI with the DAGs and both connections ready.")
    parser.add_argument("--exchange", choices=EXCHANGES, default="sandbox")
    exchange = parser.parse_args().exchange
    end_on_signals()
    end_with_make()
    with suppress(KeyboardInterrupt), only_ui():
        os.environ.update(connections(exchange))
        port, log = _port(), LOCAL / "ui.log"
        print(f"Starting Airflow; its log: {log}", flush=True)
        with running(dict(os.environ), port, log) as (airflow, url):
            print(f"\n  Airflow       {url}\n  Kalshi pages  {url}{PAGES}\n  {_login()}\n", flush=True)
            print("Switch a DAG on and trigger it in the UI. Ctrl-C stops Airflow.", flush=True)
            airflow.wait()


def _login() -> str:
    """User and password, which Airflow generates at its first start."""
    passwords = Path(os.environ["AIRFLOW_HOME"]) / "simple_auth_manager_passwords.json.generated"
    return "\n  ".join(f"user {user}, password {word}" for user, word in json.loads(passwords.read_text()).items())


if __name__ == "__main__":
    main()
