"""One DAG, through the REST API of an Airflow whose every user is an administrator."""

from __future__ import annotations

import time
from typing import Any

import requests

SECONDS = 300


class Dag:
    """``url``: where Airflow's API server listens."""

    def __init__(self, url: str, dag_id: str) -> None:
        self._url = f"{url}/api/v2/dags/{dag_id}"
        token = requests.get(f"{url}/auth/token", timeout=60).json()["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}

    def switch_on(self) -> None:
        """As soon as Airflow has found it.

        Raises:
            TimeoutError: it doesn't within five minutes.
        """
        deadline = time.monotonic() + SECONDS
        while not self._ask("PATCH", json={"is_paused": False}).ok:
            if time.monotonic() > deadline:
                raise TimeoutError("Airflow doesn't find the DAG.")
            time.sleep(0.5)

    def trigger(self, **conf: Any) -> str:
        """Start a run by hand; the answer is its id."""
        answer = self._ask("POST", "/dagRuns", json={"logical_date": None, "conf": conf})
        answer.raise_for_status()
        return str(answer.json()["dag_run_id"])

    def runs(self, number: int, seconds: float = SECONDS) -> list[dict[str, Any]]:
        """All runs in the order of their dates, once so many are over.

        Raises:
            TimeoutError: they aren't within ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while True:
            answer = self._ask("GET", "/dagRuns")
            answer.raise_for_status()
            runs: list[dict[str, Any]] = answer.json()["dag_runs"]
            if sum(run["state"] in ("success", "failed") for run in runs) >= number:
                return sorted(runs, key=lambda run: str(run["logical_date"]))
            if time.monotonic() > deadline:
                raise TimeoutError(str([(run["logical_date"], run["state"]) for run in runs]))
            time.sleep(1)

    def tasks(self, run_id: str, task_id: str) -> list[dict[str, Any]]:
        """The mapped instances of a task in one run: ``state``, ``start_date``, ``end_date`` (ISO 8601) …"""
        answer = self._ask("GET", f"/dagRuns/{run_id}/taskInstances", params={"task_id": task_id})
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["task_instances"]
        return [one for one in found if one["task_id"] == task_id]

    def _ask(self, method: str, path: str = "", **arguments: Any) -> requests.Response:
        return requests.request(method, self._url + path, headers=self._headers, timeout=60, **arguments)
