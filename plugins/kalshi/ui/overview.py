"""The first page: how fresh the data is, what is missing, what ran, data quality and table sizes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from kalshi.cells import Link
from kalshi.reports.files import folder_name
from kalshi.settings import load_settings
from kalshi.ui.gaps import gap_counts
from kalshi.ui.rendering import address, render, table
from kalshi.ui.warehouse import Warehouse, ask

router = APIRouter()
QUALITY_DAG = "kalshi_data_quality"
FRESHNESS = {
    "table": "table",
    "verdict": "verdict",
    "latest_data_utc": "latest data (UTC)",
    "latest_successful_run_utc": "last successful run (UTC)",
    "lag_minutes": "minutes ago",
    "allowed_lag_minutes": "minutes allowed",
}
RUNS = {
    "job": "job",
    "state": "state",
    "scopes": "scopes",
    "started_at_utc": "began (UTC)",
    "took": "took s",
    "inserted": "inserted",
    "updated": "updated",
    "rejected": "rejected",
    "requests": "requests",
    "retries": "retries",
}
VERDICTS = {
    "series": "series",
    "verdict": "verdict",
    "first_day": "first day",
    "last_day": "last day",
    "errors": "errors",
    "warnings": "warnings",
    "checks": "checks",
    "started_at_utc": "checked (UTC)",
    "report": "report",
}
TABLES = {"name": "table", "row_estimate": "rows (estimate)", "megabytes": "MB"}


@router.get("/")
def show_overview(request: Request, connection: Warehouse) -> Response:
    found = overview(connection, request, load_settings().reports.path)
    return render(request, "overview.html.jinja", connection, **found)


def overview(connection: sa.Connection, request: Request, reports: Path) -> dict[str, Any]:
    """What the template ``overview.html.jinja`` shows."""
    runs = ask(connection, "last_runs")
    for run in runs:
        run["took"] = (run["ended_at_utc"] - run["started_at_utc"]).total_seconds() if run["ended_at_utc"] else None
    freshness = ask(connection, "freshness")
    verdicts = [_verdict(run, request, reports) for run in ask(connection, "verdicts")]
    return {
        "stale": [row["table"] for row in freshness if row["verdict"] != "pass"],
        "bad": list(dict.fromkeys(row["series"].value for row in verdicts if row["verdict"] != "success")),
        "gaps": gap_counts(connection, request),
        "freshness": table(freshness, FRESHNESS, name="freshness"),
        "verdicts": table(verdicts, VERDICTS, name="verdicts"),
        "runs": table(runs, RUNS, name="runs"),
        "tables": table(ask(connection, "tables"), TABLES, name="tables"),
    }


def _verdict(run: dict[str, Any], request: Request, reports: Path) -> dict[str, Any]:
    """A quality run as the overview shows it; broken rules of severity error count as failed."""
    report = msgspec.json.decode(run["report"] or "{}")
    name = folder_name(run["dag_run_id"] or "")
    return {
        "series": Link(run["series"], f"{address(request, 'coverage')}?series={run['series']}"),
        "verdict": "failed" if report.get("broken_errors") else run["state"],
        "first_day": run["window_start_utc"] and run["window_start_utc"].date(),
        "last_day": run["window_end_utc"] and (run["window_end_utc"] - timedelta(microseconds=1)).date(),
        "errors": ", ".join(report.get("broken_errors", [])),
        "warnings": ", ".join(report.get("broken_warnings", [])),
        "checks": report.get("checks"),
        "started_at_utc": run["started_at_utc"],
        "report": Link("open", address(request, "reports", QUALITY_DAG, name))
        if (reports / QUALITY_DAG / name / "index.html").exists()
        else None,
    }
