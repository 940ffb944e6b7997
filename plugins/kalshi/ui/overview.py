"""The first page: is anything wrong, since when, and what to do about it; below, the figures behind the answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import APIRouter, Request, Response

from kalshi.cells import Cell, Link, Table
from kalshi.hooks.errors import BadConnection
from kalshi.hooks.kalshi import KalshiHook
from kalshi.text import minutes
from kalshi.ui.airflow import report_address, run_address
from kalshi.ui.findings import Finding, by_weight, histories, worst
from kalshi.ui.gaps import gap_counts
from kalshi.ui.rendering import Column, Columns, address, render, summed, table
from kalshi.ui.status import Status, status
from kalshi.ui.warehouse import Warehouse, ask, query
from kalshi.warehouse.ledger import PLAN

router = APIRouter()
MOST_RULES = 12
STATES = ("success", "warning", "running", "abandoned", "failed")
"""From good to bad."""
FRESHNESS = {
    "table": "table",
    "verdict": "verdict",
    "ago": "last good run",
    "allowed": "allowed",
    "latest_data_utc": "latest data (UTC)",
}
RUNS = {
    "job": "job",
    "state": "state",
    "report": "report",
    "started_at_utc": "began (UTC)",
    "took": "took s",
    "scopes": "series",
    "inserted": "inserted",
    "updated": "updated",
    "rejected": "rejected",
    "requests": "requests",
    "retries": "retries",
}
RULES = {
    "rule": "rule",
    "severity": "severity",
    "state": "state",
    "series": "series",
    "violations": "rows",
    "since": "since (UTC)",
    "history": "latest runs",
}
MOST_SERIES = 50
"""More series than this are summed up by their category."""
PROOF: Columns = {
    "share": Column("proven", "share"),
    "proven": "markets proven",
    "markets": "of",
    "differing": "differ",
    "unread": "not read in full",
    "checked_at_utc": "compared (UTC)",
}
TABLES = {"name": "table", "row_estimate": "rows (estimate)", "megabytes": "MB"}


@router.get("/")
def show_overview(request: Request, connection: Warehouse) -> Response:
    return render(request, "overview.html.jinja", connection, **overview(connection, request))


def overview(connection: sa.Connection, request: Request) -> dict[str, Any]:
    """What the template ``overview.html.jinja`` shows."""
    found = status(connection, request)
    tables = ask(connection, "tables")
    return {
        "health": found,
        "freshness": table([_fresh(row) for row in found.freshness], FRESHNESS, name="freshness"),
        "gaps": gap_counts(connection, request),
        "proof": _proof(request, found.proof),
        "rules": _rules(connection, request, found),
        "acknowledged": table(
            [acknowledged_row(request, finding) for finding in found.acknowledged], ACKNOWLEDGED, name="acknowledged"
        ),
        "runs": table(_runs(request, found), RUNS, name="runs"),
        "tables": table(tables, TABLES, name="tables", query=query("tables")),
        "megabytes": sum(row["megabytes"] or 0 for row in tables),
        "budget": _budget(ask(connection, "requests")),
    }


def _fresh(row: dict[str, Any]) -> dict[str, Any]:
    lag = row["lag_minutes"]
    ago = "never" if lag is None else f"{minutes(lag)} ago"
    return {**row, "ago": ago, "allowed": minutes(row["allowed_lag_minutes"])}


def _proof(request: Request, rows: Sequence[dict[str, Any]]) -> Table:
    """How much is proven by series, or, of many series, by their category."""
    by = "series" if len(rows) <= MOST_SERIES else "category"
    groups: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row[by] or ""].append(row)
    found = [_proven(request, by, name, of_group) for name, of_group in groups.items()]
    found.sort(key=lambda group: group["share"])
    return table(found, {by: by, **PROOF}, name="proof", query=query("proof"))


def _proven(request: Request, by: str, name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    sums = summed(rows, "proven", "markets", "differing", "unread")
    return {
        **sums,
        by: Link(name, address(request, "coverage", **{by: name})),
        "share": sums["proven"] / sums["markets"],
        "checked_at_utc": max(row["checked_at_utc"] for row in rows),
    }


def _rules(connection: sa.Connection, request: Request, found: Status) -> Table:
    """The rules that were broken in one of the latest quality runs, the worst first."""
    bars = histories(connection)
    by_rule = found.quality.by_rule
    broken = [check for check, history in bars.items() if any(bar.is_bad for bar in history.bars) and check in by_rule]
    rules = sorted((by_rule[check] for check in broken), key=by_weight)[:MOST_RULES]
    rows = [{**rule_row(request, findings), "history": bars[findings[0].check]} for findings in rules]
    return table(rows, RULES, name="rules", empty="No rule was broken in any of the latest quality runs.")


def rule_row(request: Request, findings: Sequence[Finding]) -> dict[str, Any]:
    """A rule over all its series, as a row."""
    first = worst(findings)
    faults = [finding for finding in findings if finding.is_fault]
    is_known = bool(faults) and all(finding.acknowledged for finding in faults)
    return {
        "rule": Link(first.check, address(request, "quality", first.check)),
        "about": first.about,
        "severity": Cell(first.severity, first.severity),
        "state": state_cell("acknowledged" if is_known else first.state, first.severity),
        "series": f"{len(faults):,} of {sum(finding.series_count for finding in findings):,}" if faults else "",
        "violations": sum(finding.violations for finding in findings),
        "since": min((f.since for f in faults if f.since), default=None),
        "first_seen": min((f.first_seen for f in faults if f.first_seen), default=None),
    }


def state_cell(state: str, severity: str) -> Cell:
    """The state of a rule, coloured by what its failure means."""
    badge = {"passed": "pass", "empty": "", "acknowledged": "info"}.get(state, severity)
    return Cell(state, state, badge=badge)


ACKNOWLEDGED = {
    "rule": "rule",
    "series": "series",
    "violations": "rows",
    "until_day": "acknowledged until",
    "acknowledged_by": "by",
    "acknowledged_at_utc": "at (UTC)",
    "reason": "reason",
}


def acknowledged_row(request: Request, finding: Finding) -> dict[str, Any]:
    about = dict(finding.acknowledged or {})
    link = Link(finding.check, address(request, "quality", finding.check))
    return {**about, "rule": link, "series": finding.series, "violations": finding.violations}


def _runs(request: Request, found: Status) -> list[dict[str, Any]]:
    """The latest Airflow run of each job, the worst first."""
    runs = [_run(request, job, scopes) for job, scopes in found.runs.items()]
    return sorted(runs, key=lambda run: -STATES.index(run["state"].value))


def _run(request: Request, job: str, scopes: list[dict[str, Any]]) -> dict[str, Any]:
    """The latest Airflow run of a job: totals over its series; the state is that of the worst."""
    dag_run_id = scopes[0]["dag_run_id"]
    state = max((run["state"] for run in scopes), key=STATES.index)
    began = min(run["started_at_utc"] for run in scopes)
    ends = [run["ended_at_utc"] for run in scopes]
    report, place = report_address(request, job, dag_run_id), run_address(request, job, dag_run_id)
    totals = {
        name: sum(run[name] for run in scopes) for name in ("inserted", "updated", "rejected", "requests", "retries")
    }
    return totals | {
        "job": Link(job, run_address(request, job, None)),
        "state": Link(state, place, badge=state),
        "report": Link("open", report) if report else None,
        "started_at_utc": began,
        "took": round((max(ends) - began).total_seconds()) if all(ends) else None,
        "scopes": sum(run["scope"] != PLAN for run in scopes),
    }


def _budget(hours: list[dict[str, Any]]) -> dict[str, Any]:
    """How much of the allowed requests was used in the last 24 hours, and in the busiest of them."""
    used = sum(hour["requests"] for hour in hours)
    busiest = max(hours, key=lambda hour: hour["requests"], default=None)
    try:
        rate = KalshiHook().config().requests_per_second
    except (AirflowNotFoundException, BadConnection):
        rate = 0
    return {
        "used": used,
        "rate": rate,
        "share_of_day": used / (rate * 24 * 3600) if rate else None,
        "busiest": busiest,
        "share_of_hour": busiest["requests"] / (rate * 3600) if rate and busiest else None,
        "waited": sum(hour["waited_seconds"] for hour in hours),
    }
