"""What is measured during the soak, and what must be gone when all runs have ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from scripts.private_server import PrivateServer
from scripts.soak.growth import Allowance

ROLES = {
    "scheduler": re.compile(r"airflow scheduler"),
    "API server": re.compile(r"airflow api[-_]server"),
    "DAG processor": re.compile(r"airflow dag-processor"),
    "triggerer": re.compile(r"airflow triggerer"),
    "log servers": re.compile(r"airflow serve-logs"),
    "workers": re.compile(r"airflow worker -- LocalExecutor"),
}
"""Airflow's long-lived processes, by their command lines."""
PROCESSES = [*ROLES, "sandbox", "database server"]
MEMORY = Allowance(share=0.02, units=3.0)
SERVER_MEMORY = Allowance(share=0.10, units=20.0)
"""Its buffer pool fills as data arrives."""
COUNT = Allowance(share=0.0, units=1.0)
ALLOWANCES = {
    **{f"{role}, MB": MEMORY for role in [*ROLES, "sandbox"]},
    "database server, MB": SERVER_MEMORY,
    **{f"{role}, open files": COUNT for role in PROCESSES},
    "connections": COUNT,
    "connections broken off": COUNT,
    "temporary files": COUNT,
    "temporary tablespace, MB": Allowance(share=0.0, units=1.0),
    "tables beside ours": COUNT,
    "request budgets": COUNT,
    "sync runs running": COUNT,
    "runs queued or running": Allowance(share=0.0, units=2.0),
}
"""By measure. Others are shown only."""
ERROR_LINE = re.compile(r'"level": ?"(?:error|critical)"|\[(?:error|critical) *\]|\[ERROR\]|^Traceback \(most recent')


@dataclass(frozen=True)
class Watch:
    """The processes, the private server with the database ``database``, and the folder of the soak."""

    airflow: int
    sandbox: int
    server: PrivateServer
    database: str
    folder: Path

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    def look(self) -> dict[str, float]:
        """Every measure now, by name."""
        return {**self._processes(), **self._warehouse(), **self._files()}

    def leftovers(self) -> list[str]:
        """What should be gone when no run is active, in words."""
        left = self._warehouse() | {"temporary files": len(self.temporary_files())}
        names = ("connections", "temporary files", "tables beside ours", "sync runs running", "windows running")
        return [f"{left[name]:.0f} {name}" for name in names if left[name]]

    def temporary_files(self) -> list[Path]:
        """Every log: Airflow's, the tasks' and the database server's."""
        folders = (self.folder / "tmp", self.folder / "mysql" / "tmp")
        return [path for folder in folders for path in folder.rglob("*") if path.is_file()]

    def log_errors(self) -> list[str]:
        """Log lines that report an error, each with its file."""
        return [f"{file.relative_to(self.folder)}: {line[:300]}" for file, line in self._log_lines()]

    def _log_lines(self) -> Iterator[tuple[Path, str]]:
        logs = [*self.folder.glob("*.log"), self.folder / "mysql" / "server.log"]
        for file in [*logs, *(self.folder / "airflow" / "logs").rglob("*.log")]:
            with file.open(encoding="utf-8", errors="replace") as lines:
                yield from ((file, line.strip()) for line in lines if ERROR_LINE.search(line))

    def _processes(self) -> dict[str, float]:
        found = {role: lasting(self.airflow, pattern) for role, pattern in ROLES.items()}
        if dead := [role for role, some in found.items() if not some]:
            raise SystemExit(f"Airflow has lost its {' and '.join(dead)}: {self.folder / 'airflow.log'} says why.")
        found["sandbox"] = [psutil.Process(self.sandbox)]
        found["database server"] = [psutil.Process(int((self.folder / "mysql" / "server.pid").read_text()))]
        memory = {f"{role}, MB": sum(p.memory_info().rss for p in some) / 2**20 for role, some in found.items()}
        files = {f"{role}, open files": float(sum(p.num_fds() for p in some)) for role, some in found.items()}
        return {**memory, **files}

    def _warehouse(self) -> dict[str, float]:
        queries = {
            "connections": "SELECT COUNT(*) FROM information_schema.processlist WHERE db = %s AND user <> 'root'",
            "tables beside ours": "SELECT COUNT(*) FROM information_schema.tables "
            "WHERE table_schema = %s AND table_name NOT LIKE 'kalshi\\_%%'",
            "data, MB": "SELECT SUM(data_length + index_length) / 1048576 FROM information_schema.tables "
            "WHERE table_schema = %s",
        }
        counts = {
            "request budgets": "kalshi_request_budget",
            "sync runs running": "kalshi_sync_run WHERE state = 'running'",
            "windows running": "kalshi_checkpoint WHERE state = 'RUNNING'",
        }
        values: dict[str, float] = {}
        with self.server.as_root() as cursor:
            for name, query in queries.items():
                cursor.execute(query, (self.database,))
                values[name] = float(cursor.fetchall()[0][0])
            for name, rows in counts.items():
                cursor.execute(f"SELECT COUNT(*) FROM {self.database}.{rows}")
                values[name] = float(cursor.fetchall()[0][0])
            cursor.execute("SHOW GLOBAL STATUS LIKE 'Aborted_clients'")
            values["connections broken off"] = float(cursor.fetchall()[0][1])
        return values

    def _files(self) -> dict[str, float]:
        reports = [path for path in self.reports.rglob("*") if path.is_file() and not path.is_symlink()]
        return {
            "temporary files": len(self.temporary_files()),
            "temporary tablespace, MB": (self.folder / "mysql" / "data" / "ibtmp1").stat().st_size / 2**20,
            "reports": float(sum(path.name == "report.json" for path in reports)),
            "reports, MB": sum(path.stat().st_size for path in reports) / 2**20,
        }


def lasting(airflow: int, pattern: re.Pattern[str]) -> list[psutil.Process]:
    """The descendants of ``airflow`` with that command line, without their short-lived forks."""
    parents = {
        process: parent
        for process in psutil.Process(airflow).children(recursive=True)
        for command, parent in _described(process)
        if pattern.search(command)
    }
    pids = {process.pid for process in parents}
    return [process for process, parent in parents.items() if parent not in pids]


def _described(process: psutil.Process) -> Iterator[tuple[str, int]]:
    """Its command line and its parent; empty if it has ended."""
    with suppress(psutil.NoSuchProcess):
        yield " ".join(process.cmdline()), process.ppid()
