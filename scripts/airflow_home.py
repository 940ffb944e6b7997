"""Prepares an Airflow home in ``.local/airflow`` and makes it the default for ``.venv/bin/airflow``."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from kalshi.settings import POOL

PROJECT = Path(__file__).resolve().parents[1]
HOME = PROJECT / ".local" / "airflow"
DEFAULTS = {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",  # every 30 s takes a fifth of a core for nothing
}
"""Variables that are already set take precedence."""


def sqlite_address(home: Path) -> str:
    """The URL of Airflow's metadata database in ``home``. Its processes wait up to 10 s for a lock, longer than
    tasks wait for the API server; the default is 5 s."""
    return f"sqlite:///{home.resolve()}/airflow.db?timeout=10"


def main() -> None:
    lines = "; ".join(f"os.environ.setdefault({name!r}, {value!r})" for name, value in DEFAULTS.items())
    # Python runs .pth files at startup, so `.venv/bin/airflow` and `.venv/bin/python -m airflow` find the DAGs from any
    # folder. Only this repository's own .venv has this file; the installed package has none.
    hook = Path(sysconfig.get_path("purelib")) / "kalshi_warehouse.pth"
    hook.write_text(f"import os; {lines}\n", encoding="utf-8")
    HOME.mkdir(parents=True, exist_ok=True)
    prepare()


def prepare(environment: Mapping[str, str] = os.environ) -> None:
    """Migrate the metadata database in AIRFLOW_HOME and create the pool."""
    _airflow(environment, "db", "migrate")
    _airflow(environment, "pools", "set", POOL, "8", "Tasks that send requests to the exchange")


def _airflow(environment: Mapping[str, str], *arguments: str) -> None:
    """Run one Airflow command silently; if it fails, exit with its whole output."""
    command = [sys.executable, "-m", "airflow", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"airflow {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()
