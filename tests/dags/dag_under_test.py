"""A DAG, run by ``airflow dags test``."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.warm_airflow import WarmAirflow
from tests.support.airflow_cli import PROJECT, Airflow


@dataclass(frozen=True)
class Outcome:
    """The results of one run. ``output`` is Airflow's full log."""

    succeeded: bool
    output: str
    report: dict[str, Any]
    page: str


@dataclass(frozen=True)
class DagUnderTest:
    """One DAG, its connections and its reports folder. Without ``warm``, each run imports Airflow anew."""

    dag_id: str
    airflow: Airflow
    warm: WarmAirflow | None
    warehouse: str
    exchange: str
    reports: Path
    settings: Path

    def run(
        self, *, warehouse: str | None = None, exchange: str | None = None, date: str | None = None, **conf: Any
    ) -> Outcome:
        arguments = [*([date] if date else []), *(["--conf", json.dumps(conf)] if conf else [])]
        done = self._airflow(
            "dags",
            "test",
            self.dag_id,
            *arguments,
            f"--dagfile-path={PROJECT / 'dags' / self.dag_id}.py",  # else Airflow loads and stores all DAGs
            AIRFLOW_CONN_KALSHI_WAREHOUSE=warehouse or self.warehouse,
            AIRFLOW_CONN_KALSHI_DEFAULT=exchange or self.exchange,
            KALSHI_REPORTS_FOLDER=str(self.reports),
            KALSHI_SETTINGS=str(self.settings),
        )
        latest = self.reports / self.dag_id / "latest"
        if not latest.exists():
            return Outcome(done.returncode == 0, done.stdout, {}, "")
        report = json.loads((latest / "report.json").read_text(encoding="utf-8"))
        return Outcome(done.returncode == 0, done.stdout, report, (latest / "index.html").read_text(encoding="utf-8"))

    def _airflow(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        if self.warm is None:
            return self.airflow.run(*arguments, **variables)
        return self.warm.run(arguments, {**self.airflow.environment, **variables})

    @contextmanager
    def connected(self) -> Iterator[sa.Connection]:
        """To its warehouse. Ended in good order, as a test counts clients that break off."""
        engine = open_engine(address_of(self.warehouse))
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def rows(self, *tables: str) -> dict[str, int]:
        """How many rows these tables have."""
        with self.connected() as connection:
            return {t: connection.execute(sa.text(f"SELECT COUNT(*) FROM {t}")).scalar_one() for t in tables}
