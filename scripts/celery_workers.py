"""Airflow with Celery workers and Redis on this machine, as docker-compose.yaml runs them on several."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from kalshi.settings import POOL
from scripts.airflow_process import stop_group, wait_until_up
from scripts.private_server import free_port

SECONDS_TO_START = 60


@dataclass(frozen=True)
class CeleryWorkers:
    """``url`` of the API, and each worker's log."""

    url: str
    worker_logs: tuple[Path, ...]


@contextmanager
def celery_workers(
    folder: Path, metadata: str, environment: Mapping[str, str], *, workers: int, concurrency: int
) -> Iterator[CeleryWorkers]:
    """Run a scheduler, a DAG processor, an API server and ``workers`` Celery workers for the length of a with-block.

    ``metadata``: an empty database for Airflow's own use, as a connection (``mysql://…``). Not on MariaDB: there the
    scheduler of Airflow 3.3.2 crashes on a DELETE … RETURNING;
    ``environment``: the connections and settings of the tasks; ``concurrency``: parallel tasks per worker.
    Anyone who can reach the API is an administrator, so it listens on the loopback address only.

    Raises:
        SystemExit: a part didn't start; the message names its log.
    """
    address = metadata.replace("mysql://", "mysql+pymysql://")
    port, broker_port, log_port = free_port(), free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        **os.environ,
        **environment,
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": address,
        "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{broker_port}/0",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{address}",
        "AIRFLOW__CELERY__WORKER_CONCURRENCY": str(concurrency),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(log_port),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for command in (("db", "migrate"), ("pools", "set", POOL, "8", "Tasks that send requests to the exchange")):
        _airflow(command, settings, folder)
    logs = tuple(folder / f"worker-{number}.log" for number in range(1, workers + 1))
    with ExitStack() as stack:
        _start_redis(stack, broker_port, folder)
        for name in ("api-server", "scheduler", "dag-processor"):
            process = _start(stack, _command(name), settings, folder / f"{name}.log")
        for log in logs:
            name = f"--celery-hostname={log.stem}@127.0.0.1"
            _start(stack, _command("celery", "worker", name, "--skip-serve-logs"), settings, log)
        wait_until_up(url, process, folder)
        _wait_for_workers(logs)
        yield CeleryWorkers(url, logs)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "airflow", *arguments]


def _airflow(arguments: tuple[str, ...], settings: Mapping[str, str], folder: Path) -> None:
    log = folder / f"{arguments[0]}.log"
    with log.open("wb") as file:
        done = subprocess.run(_command(*arguments), env=settings, stdout=file, stderr=file, check=False)
    if done.returncode:
        raise SystemExit(f"airflow {' '.join(arguments)} failed: see {log}.")


def _start(stack: ExitStack, command: list[str], settings: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # its own process group, so that all of it can be stopped at once
        )
    stack.callback(stop_group, process)
    return process


def _start_redis(stack: ExitStack, port: int, folder: Path) -> None:
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = _start(stack, command, dict(os.environ), folder / "redis.log")
    with redis.Redis("127.0.0.1", port) as client:
        deadline = time.monotonic() + SECONDS_TO_START
        while process.poll() is None and time.monotonic() < deadline:
            try:
                client.ping()
                return
            except redis.exceptions.ConnectionError:
                time.sleep(0.05)
    raise SystemExit(f"Redis didn't start: see {folder / 'redis.log'}.")


def _wait_for_workers(logs: tuple[Path, ...]) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    for log in logs:
        while " ready." not in log.read_text(encoding="utf-8", errors="replace"):
            if time.monotonic() > deadline:
                raise SystemExit(f"A worker didn't start: see {log}.")
            time.sleep(0.2)
