"""Airflow's REST API, as far as the soak asks it."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime
from typing import Any

import requests

from scripts.soak.schedule import DueRun

SECONDS_TO_FIND_DAGS = 180
ACTIVE = ("queued", "running")
BAD_TASKS = ("failed", "upstream_failed", "up_for_retry")


class AirflowApi:
    """An Airflow in which everybody is an admin."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/api/v2"
        self._session = requests.Session()
        token = self._session.get(f"{url}/auth/token", timeout=60).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def wait_for_dags(self, names: Collection[str]) -> None:
        """Until the DAG processor has found them all.

        Raises:
            SystemExit: it didn't within a few minutes.
        """
        deadline = time.monotonic() + SECONDS_TO_FIND_DAGS
        while missing := set(names) - {dag["dag_id"] for dag in self._get("/dags", limit=100)["dags"]}:
            if time.monotonic() > deadline:
                raise SystemExit(f"Airflow doesn't find {', '.join(sorted(missing))}.")
            time.sleep(1)

    def trigger(self, run: DueRun) -> None:
        start, end = run.interval or (None, None)
        body = {
            "logical_date": _text(run.logical_date),
            "data_interval_start": _text(start),
            "data_interval_end": _text(end),
            "run_after": _text(run.run_after),
            "conf": run.conf,
        }
        self._ask("POST", f"/dags/{run.dag_id}/dagRuns", json=body).raise_for_status()

    def take_news(self, dag_id: str) -> bool:
        """Whether assets that the DAG waits for have news; they are taken off its queue, as the scheduler does."""
        path = f"/dags/{dag_id}/assets/queuedEvents"
        if not self._get(path)["total_entries"]:
            return False
        self._ask("DELETE", path).raise_for_status()
        return True

    def count_runs(self, *states: str) -> int:
        """DAG runs in one of ``states``; without any, all."""
        found: int = self._get("/dags/~/dagRuns", state=list(states), limit=1)["total_entries"]
        return found

    def bad_runs(self) -> list[str]:
        """Failed runs, by DAG and run id."""
        runs = self._get("/dags/~/dagRuns", state="failed", limit=100)["dag_runs"]
        return [f"{run['dag_id']} {run['dag_run_id']}" for run in runs]

    def bad_tasks(self) -> list[str]:
        """Tasks that failed or wait to be tried again, by DAG, run id and task."""
        found = self._get("/dags/~/dagRuns/~/taskInstances", state=list(BAD_TASKS), limit=100)["task_instances"]
        return [f"{t['dag_id']} {t['dag_run_id']} {t['task_id']}[{t['map_index']}] {t['state']}" for t in found]

    def runs_by_dag(self, names: Collection[str]) -> dict[str, int]:
        """Successful runs of each DAG."""
        return {n: self._get(f"/dags/{n}/dagRuns", state="success", limit=1)["total_entries"] for n in names}

    def _get(self, path: str, **params: Any) -> dict[str, Any]:
        answer = self._ask("GET", path, params=params)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _ask(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return self._session.request(method, self._url + path, timeout=60, **arguments)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
