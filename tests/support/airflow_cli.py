"""Airflow's command line, as a user runs it, with a separate metadata database for the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from scripts.airflow_home import sqlite_address

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Airflow:
    """``environment`` is what every command gets; ``home`` is its AIRFLOW_HOME."""

    home: Path
    environment: dict[str, str] = field(repr=False)

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """One command of Airflow, with stdout and stderr together in ``stdout``."""
        return self.python("-m", "airflow", *arguments, **variables)

    def python(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Python in the same environment."""
        return subprocess.run(
            [sys.executable, *arguments],
            env={**self.environment, **variables},
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def airflow_in(home: Path, database: str | None = None) -> Airflow:
    """Airflow with this project's DAGs, migrated. Its own database is SQLite, unless named (``mysql://…``)."""
    address = database.replace("mysql://", "mysql+pymysql://") if database else sqlite_address(home)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "KALSHI"))},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Parsing the DAGs again and again, by Airflow's default every 30 s, takes a fifth of a core.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": address,
    }
    airflow = Airflow(home, environment)
    done = airflow.run("db", "migrate")
    assert done.returncode == 0, done.stdout[-3000:]
    return airflow
