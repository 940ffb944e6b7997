"""The report of ``kalshi_health_check``: what the doctor found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

from kalshi.cells import table
from kalshi.diagnosis import Diagnosis
from kalshi.reports.files import write_files
from kalshi.reports.runs import Verdicts
from kalshi.settings import load_settings
from kalshi.sync.report import Outcome, State, worst

STATES: dict[str, State] = {"ok": "success", "warn": "warning", "fail": "failed"}


def health_report(dag_run_id: str, findings: Sequence[Diagnosis]) -> Verdicts[Outcome]:
    """The fields common to every report; each check is listed like a series."""
    checks = [
        Outcome(
            scope=found.check,
            state=STATES[found.state],
            error=found.words if found.state == "fail" else None,
            warnings=[found.words] if found.state == "warn" else [],
        )
        for found in findings
    ]
    return Verdicts(
        job="health",
        dag_run_id=dag_run_id,
        is_synthetic=any(found.is_synthetic for found in findings),
        verdict=worst(check.state for check in checks),
        failed=[check.scope for check in checks if check.state == "failed"],
        warned=[check.scope for check in checks if check.state == "warning"],
        series=checks,
    )


def write_health(report: Verdicts[Outcome], findings: Sequence[Diagnosis], folder: Path) -> Path:
    """Write ``report.json`` and ``index.html`` below ``folder``; returns the page."""
    rows = [(f.check, STATES[f.state], f.words) for f in findings]
    return write_files(
        folder,
        report,
        "health.html.jinja",
        None,
        keep=load_settings().reports.keep,
        spec=SimpleNamespace(title="Health"),
        worst=report.series,
        sections=[table("Every check", ("check", "state", "found"), rows)],
    )
