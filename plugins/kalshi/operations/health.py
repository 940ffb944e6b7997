"""The report of ``kalshi_health_check``: what the doctor found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kalshi.operations.doctor import Diagnosis
from kalshi.reports.files import write_files
from kalshi.reports.runs import Section
from kalshi.settings import load_settings

STATES = {"ok": "success", "warn": "warning", "fail": "failed"}


def health_report(dag_run_id: str, findings: Sequence[Diagnosis]) -> dict[str, Any]:
    """The fields common to every report; each check is listed like a series."""
    by_state = {state: [f.check for f in findings if f.state == state] for state in STATES}
    return {
        "job": "health",
        "dag_run_id": dag_run_id,
        "is_synthetic": any(f.is_synthetic for f in findings),
        "verdict": "failed" if by_state["fail"] else "warning" if by_state["warn"] else "success",
        "failed": by_state["fail"],
        "warned": by_state["warn"],
        "series": [
            {
                "scope": f.check,
                "state": STATES[f.state],
                "error": f.words if f.state == "fail" else None,
                "warnings": [f.words] if f.state == "warn" else [],
            }
            for f in findings
        ],
    }


def write_health(report: dict[str, Any], findings: Sequence[Diagnosis], folder: Path) -> Path:
    """Write ``report.json`` and ``index.html`` below ``folder``; returns the page."""
    rows = [(f.check, STATES[f.state], f.words) for f in findings]
    return write_files(
        folder,
        report,
        "health.html.jinja",
        None,
        keep=load_settings().reports.keep,
        spec=SimpleNamespace(title="Health"),
        sections=[Section("Every check", "", ("check", "state", "found"), rows)],
    )
