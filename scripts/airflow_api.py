"""The part of Airflow's REST API that scripts and tests use."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime
from typing import Any

import requests

SECONDS = 300
BAD_TASKS = ("failed", "upstream_failed", "up_for_retry")


class AirflowApi:
    """An Airflow at ``url`` where every user is an administrator. Times are ISO 8601 in UTC."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v2"
        self._session = requests.Session()
        token = self._session.get(f"{url}/auth/token", timeout=60).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def wait_for_dags(self, names: Collection[str]) -> None:
        """Wait until the DAG processor has found them all.

        Raises:
            TimeoutError: it hasn't after a few minutes.
        """
        deadline = time.monotonic() + SECONDS
        while missing := set(names) - {dag["dag_id"] for dag in self._get("/dags", limit=100)["dags"]}:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Airflow hasn't found {', '.join(sorted(missing))}.")
            time.sleep(0.5)

    def switch_on(self, dag_id: str) -> None:
        """Unpause it once it is found: from then on its schedule starts runs."""
        self.wait_for_dags([dag_id])
        self._ask("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def trigger(
        self,
        dag_id: str,
        conf: dict[str, Any],
        *,
        logical_date: datetime | None = None,
        interval: tuple[datetime, datetime] | None = None,
        run_after: datetime | None = None,
    ) -> str:
        """Start a run and return its id."""
        start, end = interval or (None, None)
        times = {
            "logical_date": logical_date,
            "data_interval_start": start,
            "data_interval_end": end,
            "run_after": run_after,
        }
        body = {name: moment.isoformat() if moment else None for name, moment in times.items()}
        answer = self._ask("POST", f"/dags/{dag_id}/dagRuns", json={**body, "conf": conf})
        return str(answer.json()["dag_run_id"])

    def take_news(self, dag_id: str) -> bool:
        """Whether assets that the DAG waits for were updated; clears its queue, as the scheduler does."""
        path = f"/dags/{dag_id}/assets/queuedEvents"
        if not self._get(path)["total_entries"]:
            return False
        self._ask("DELETE", path)
        return True

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Its runs, by date."""
        found: list[dict[str, Any]] = self._get(f"/dags/{dag_id}/dagRuns")["dag_runs"]
        return sorted(found, key=lambda run: str(run["logical_date"]))

    def finished_runs(self, dag_id: str, number: int, seconds: float = SECONDS) -> list[dict[str, Any]]:
        """Wait until that many of its runs have ended, and return them.

        Raises:
            TimeoutError: they haven't after ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while True:
            runs = self.runs(dag_id)
            if sum(run["state"] in ("success", "failed") for run in runs) >= number:
                return runs
            if time.monotonic() > deadline:
                raise TimeoutError(str([(run["logical_date"], run["state"]) for run in runs]))
            time.sleep(1)

    def mapped_tasks(self, dag_id: str, run_id: str, task_id: str) -> list[dict[str, Any]]:
        """The instances of a mapped task in a run: ``state``, ``start_date``, ``end_date`` …"""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/listMapped"
        found: list[dict[str, Any]] = self._get(path)["task_instances"]
        return found

    def count_runs(self, *states: str) -> int:
        """The number of DAG runs in ``states``; all if none is given."""
        found: int = self._get("/dags/~/dagRuns", state=list(states), limit=1)["total_entries"]
        return found

    def bad_runs(self) -> list[str]:
        """Failed runs, by DAG and run id."""
        runs = self._get("/dags/~/dagRuns", state="failed", limit=100)["dag_runs"]
        return [f"{run['dag_id']} {run['dag_run_id']}" for run in runs]

    def bad_tasks(self) -> list[str]:
        """Tasks that failed or are up for retry, by DAG, run id and task."""
        found = self._get("/dags/~/dagRuns/~/taskInstances", state=list(BAD_TASKS), limit=100)["task_instances"]
        return [f"{t['dag_id']} {t['dag_run_id']} {t['task_id']}[{t['map_index']}] {t['state']}" for t in found]

    def runs_by_dag(self, names: Collection[str]) -> dict[str, int]:
        """The number of successful runs of each DAG."""
        return {n: self._get(f"/dags/{n}/dagRuns", state="success", limit=1)["total_entries"] for n in names}

    def _get(self, path: str, **params: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._ask("GET", path, params=params).json()
        return found

    def _ask(self, method: str, path: str, **arguments: Any) -> requests.Response:
        answer = self._session.request(method, self._url + path, timeout=60, **arguments)
        answer.raise_for_status()
        return answer
