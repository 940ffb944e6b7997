"""Prepares an Airflow home in ``.local/airflow``, and makes it the default of ``.venv/bin/airflow``."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
HOME = PROJECT / ".local" / "airflow"
POOL = "kalshi_api"
DEFAULTS = {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
}
"""Variables that are already set win."""


def sqlite_address(home: Path) -> str:
    """Airflow's own database in ``home``. Its parts wait 10 s for each other, rather than 5 s and no longer than tasks
    wait for the API server."""
    return f"sqlite:///{home.resolve()}/airflow.db?timeout=10"


def main() -> None:
    lines = "; ".join(f"os.environ.setdefault({name!r}, {value!r})" for name, value in DEFAULTS.items())
    # Python runs .pth files at its start, so that `.venv/bin/airflow` and `.venv/bin/python -m airflow` find the DAGs
    # from any folder. Only this repository's own .venv has this file; the package that is installed has none.
    hook = Path(sysconfig.get_path("purelib")) / "kalshi_warehouse.pth"
    hook.write_text(f"import os; {lines}\n", encoding="utf-8")
    HOME.mkdir(parents=True, exist_ok=True)
    prepare()


def prepare() -> None:
    """Migrate the metadata database of the AIRFLOW_HOME that is set, and make the pool."""
    _airflow("db", "migrate")
    _airflow("pools", "set", POOL, "8", "Tasks that ask the exchange at the same time")


def _airflow(*arguments: str) -> None:
    """Run one Airflow command in silence, or show all that it said and stop."""
    command = [sys.executable, "-m", "airflow", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"airflow {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()
