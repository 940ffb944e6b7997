"""The files in the reports folder: the list of reports, and the file behind a URL."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from kalshi.reports.files import CAUSES

TYPES = {".html": "text/html", ".json": "application/json", ".png": "image/png"}
"""The file types of a report; nothing else is served."""


class Verdict(msgspec.Struct):
    """The fields of a ``report.json`` that the list of reports shows."""

    dag_run_id: str = ""
    verdict: str = ""
    cause: str = ""
    began_at_utc: datetime | None = None
    is_synthetic: bool = False
    failed: list[str] = []
    warned: list[str] = []


def report_file(folder: Path, path: str) -> Path | None:
    """The file below ``folder`` at a path from a URL; None if it doesn't exist or isn't part of a report.

    Neither ``..``, absolute paths, backslashes nor symbolic links lead out of the folder.
    """
    parts = path.split("/")
    if "\\" in path or "\0" in path or any(not part or part.startswith(".") for part in parts):
        return None
    try:
        file = folder.joinpath(*parts).resolve(strict=True)
    except (OSError, RuntimeError):  # missing file, name too long; circular links
        return None
    is_ours = file.is_relative_to(folder.resolve()) and file.is_file() and file.suffix in TYPES
    return file if is_ours else None


def reports(folder: Path, most: int) -> dict[str, list[dict[str, Any]]]:
    """By DAG, its ``most`` newest reports, newest first.

    Each has ``dag``, ``run``, ``written_at`` and ``began_at`` (naive UTC), ``took`` (s), ``cause``, ``verdict``,
    ``to_look_at`` (names that failed, or else that warned), ``is_synthetic``. Fields that an older report lacks are
    None or empty.
    """
    dags = sorted(path for path in folder.iterdir() if _is_folder(path)) if folder.is_dir() else []
    return {
        dag.name: list(map(read_report, sorted(filter(_is_report, dag.iterdir()), key=_age)[:most])) for dag in dags
    }


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not path.name.startswith(".")


def _is_report(path: Path) -> bool:
    return _is_folder(path) and (path / "index.html").exists()


def _age(path: Path) -> float:
    return -path.stat().st_mtime


def read_report(path: Path) -> dict[str, Any]:
    """What the list shows of the report in this folder."""
    try:
        found = msgspec.json.decode((path / "report.json").read_bytes(), type=Verdict)
    except (OSError, msgspec.DecodeError):
        found = Verdict(path.name, "unreadable")
    written_at = datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None)
    began_at = found.began_at_utc and found.began_at_utc.astimezone(UTC).replace(tzinfo=None)
    return {
        "dag": path.parent.name,
        "run": path.name,
        "began_at": began_at,
        "written_at": written_at,
        "took": began_at and round((written_at - began_at).total_seconds()),
        "cause": CAUSES.get(found.cause, found.cause.replace("_", " ")),
        "verdict": found.verdict,
        "to_look_at": found.failed or found.warned,
        "is_synthetic": found.is_synthetic,
    }
