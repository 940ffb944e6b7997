"""``make ui``: Airflow with its web UI on this machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import requests

from scripts.backends import EXCHANGES, LOCAL, connections
from scripts.private_server import free_port

SECONDS_TO_START = 180


def _port() -> int:
    """8080, or a free one where that is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8080))
        except OSError:
            return free_port()
    return 8080


def main() -> None:
    parser = argparse.ArgumentParser(description="Airflow's web UI with the DAGs and both connections ready.")
    parser.add_argument("--exchange", choices=EXCHANGES, default="sandbox")
    os.environ.update(connections(parser.parse_args().exchange))
    port, log = _port(), LOCAL / "ui.log"
    print(f"Starting Airflow; its log: {log}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), running(dict(os.environ), port, log) as (airflow, url):
        print(f"\n  {url}\n  {_login()}\n\nSwitch a DAG on and trigger it there. Ctrl-C stops Airflow.", flush=True)
        airflow.wait()


@contextmanager
def running(environment: dict[str, str], port: int, log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """All of Airflow (scheduler, workers, DAG processor, API) for the length of a with-block, and its address.

    Raises:
        SystemExit: it isn't up in time; ``log`` says why.
    """
    url = f"http://127.0.0.1:{port}"
    environment = {
        **environment,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # standalone calls `airflow`
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__PARALLELISM": "8",
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
            _wait_until_up(url, airflow, log)
            yield airflow, url
        except KeyboardInterrupt:
            print("\nStopping Airflow …", flush=True)
            raise
        finally:
            stop(airflow)


def _wait_until_up(url: str, airflow: subprocess.Popen[bytes], log: Path) -> None:
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


def stop(airflow: subprocess.Popen[bytes]) -> None:
    """Stop Airflow with all its workers: they are asked first, and ended where they don't listen."""
    for how, seconds in ((signal.SIGINT, 5), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        try:
            os.killpg(airflow.pid, how)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            airflow.poll()
            try:
                os.killpg(airflow.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.1)


def _login() -> str:
    """User and password, which Airflow generates at its first start."""
    passwords = Path(os.environ["AIRFLOW_HOME"]) / "simple_auth_manager_passwords.json.generated"
    return "\n  ".join(f"user {user}, password {word}" for user, word in json.loads(passwords.read_text()).items())


if __name__ == "__main__":
    main()
