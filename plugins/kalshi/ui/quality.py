"""Data quality: every rule, its series and the rows that break it; and a person's word that a rule is known to be
broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

import msgspec
import sqlalchemy as sa
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from kalshi.cells import Link, Table
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.quality.scope import Scope
from kalshi.settings import SEVERITIES, load_settings
from kalshi.ui.airflow import form_address, report_address
from kalshi.ui.findings import FAULTS, Finding, Latest, by_weight, histories, latest, worst
from kalshi.ui.overview import ACKNOWLEDGED, RULES, acknowledged_row, rule_row, state_cell
from kalshi.ui.rendering import Chart, address, render, table
from kalshi.ui.responses import not_found
from kalshi.ui.same_origin import SentJson, from_these_pages
from kalshi.ui.warehouse import Warehouse, ask
from kalshi.warehouse import sql
from kalshi.warehouse.acknowledgements import EVERY_SERIES, Acknowledgement, acknowledge
from kalshi.warehouse.server import error_of

router = APIRouter()
may_acknowledge = requires_access_dag("POST", DagAccessEntity.RUN, "kalshi_data_quality")
"""Who may run data quality may say what of its findings is known."""
NO_WRITING = {1142, 1290, 1792}
"""MySQL's error numbers: no permission to write the table, a read-only server, a read-only transaction."""
SAMPLES = 5
"""Series and windows whose sample rows are shown."""
RUNS_IN_CHART = 60
MOST_RUNS = 100
State = Literal["", "failed", "broken", "passed", "empty", "acknowledged"]
LIST = {"rule": "rule", "severity": "severity", "state": "state", "about": "what must hold"} | {
    name: heading for name, heading in RULES.items() if name not in ("rule", "severity", "state")
}
LIST["first_seen"] = "first seen (UTC)"
FOUND = {
    "series": "series",
    "state": "state",
    "violations": "rows that break it",
    "checked": "of",
    "first_day": "first day",
    "last_day": "last day",
    "updated_at_utc": "checked (UTC)",
    "report": "report",
    "again": "",
}
RUNS = {
    "series": "series",
    "first_day": "first day",
    "last_day": "last day",
    "state": "state",
    "started_at_utc": "checked (UTC)",
    "report": "report",
}


@router.get("/quality")
def list_rules(
    request: Request,
    connection: Warehouse,
    severity: Annotated[Literal["", "error", "warning", "info"], Query()] = "",
    series: Annotated[str, Query(max_length=120)] = "",
    state: Annotated[State, Query()] = "",
) -> Response:
    found = latest(connection, series)
    rules = [r for r in sorted(found.by_rule.values(), key=by_weight) if _fits(r, severity, state)]
    bars = histories(connection)
    rows = [{**rule_row(request, each), "history": bars.get(each[0].check)} for each in rules]
    return render(
        request,
        "quality_rules.html.jinja",
        connection,
        rules=table(rows, LIST, name="rules", empty="No rule fits this choice."),
        acknowledged=_acknowledged(request, found.findings),
        runs=table(
            [_run(request, run) for run in found.runs[:MOST_RUNS]],
            RUNS,
            name="runs",
            intro=f"The first {MOST_RUNS} of {len(found.runs):,}." if len(found.runs) > MOST_RUNS else "",
        ),
        known=sorted(found.series),
        chosen={"severity": severity, "series": series, "state": state},
        severities=SEVERITIES,
        unchecked=[name for name in load_settings().series_tickers if name not in found.series],
    )


def _fits(findings: Sequence[Finding], severity: str, state: str) -> bool:
    if state == "acknowledged":
        has_state = any(f.acknowledged for f in findings)
    else:
        has_state = state in ("", *(f.state for f in findings if not (f.acknowledged and f.is_fault)))
    return has_state and severity in ("", findings[0].severity)


def _run(request: Request, run: dict[str, Any]) -> dict[str, Any]:
    return {**run, **_days(run), "report": _report(request, run)}


def _days(row: dict[str, Any]) -> dict[str, date | None]:
    end: datetime | None = row["window_end_utc"]
    first: datetime | None = row["window_start_utc"]
    last = end and (end - datetime.resolution)
    return {"first_day": first and first.date(), "last_day": last and last.date()}


def _report(request: Request, run: dict[str, Any]) -> Link | None:
    place = report_address(request, "quality", run["dag_run_id"])
    return Link("open", place) if place else None


def _acknowledged(request: Request, findings: Iterable[Finding]) -> Table:
    return table(
        [acknowledged_row(request, each) for each in findings if each.acknowledged], ACKNOWLEDGED, name="acknowledged"
    )


@router.get("/quality/{check}")
def show_rule(request: Request, connection: Warehouse, check: str) -> Response:
    found = latest(connection)
    if (findings := found.by_rule.get(check)) is None:
        return not_found(request, f"The latest quality runs checked no rule {check}.")
    return render(request, "quality_rule.html.jinja", connection, **rule(connection, request, found, findings))


def rule(connection: sa.Connection, request: Request, found: Latest, findings: Sequence[Finding]) -> dict[str, Any]:
    """What the template ``quality_rule.html.jinja`` shows."""
    first = worst(findings)
    runs = {run["run_id"]: run for run in found.runs}
    rows = ask(connection, "quality_found", runs=[*runs], check=first.check)
    broken = [row for row in rows if row["state"] in FAULTS]
    return {
        "rule": first,
        "broken": [finding.series for finding in findings if finding.is_fault],
        "since": min((f.since for f in findings if f.since), default=None),
        "acknowledged": _acknowledged(request, findings),
        "found": table([_found(request, runs, row) for row in rows], FOUND, name="series"),
        "samples": [_sample(connection, request, row) for row in broken[:SAMPLES]],
        "chart": _chart(ask(connection, "quality_history", most=RUNS_IN_CHART, check=first.check)),
        "query": _query(first.check, (broken or rows)[0]),
        "queried": (broken or rows)[0],
        "today": datetime.now(UTC).date(),
    }


def _found(request: Request, runs: dict[int, dict[str, Any]], row: dict[str, Any]) -> dict[str, Any]:
    again = form_address(request, "quality", row["series"], row["window_start_utc"], row["window_end_utc"])
    report = _report(request, runs[row["run_id"]])
    state = state_cell(row["state"], row["severity"])
    return {**row, **_days(row), "state": state, "report": report, "again": Link("check again", again)}


def _sample(connection: sa.Connection, request: Request, row: dict[str, Any]) -> Table:
    """Some rows that break the rule; their markets and events lead to the event's page."""
    rows: list[dict[str, Any]] = msgspec.json.decode(row["samples"] or "[]")
    tickers = [str(sample["market_ticker"]) for sample in rows if sample.get("market_ticker")]
    events = {each["market"]: each["event"] for each in ask(connection, "events_of_markets", markets=tickers)}
    linked = [{name: _linked(request, events, name, value) for name, value in sample.items()} for sample in rows]
    days = _days(row)
    return table(
        linked,
        {name: name.replace("_", " ") for name in (rows[0] if rows else ())},
        name=f"{row['series']}_{days['first_day']}",
        title=f"{row['series']}, {days['first_day']} to {days['last_day']}",
    )


def _linked(request: Request, events: dict[str, str], name: str, value: Any) -> Any:
    event = {"market_ticker": events.get(str(value)), "event_ticker": value}.get(name)
    if event:
        return Link(value, address(request, "event", str(event)))
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _query(check: str, row: dict[str, Any]) -> str:
    """The query for all rows that break the rule, ready to run: as it was for this series and window."""
    if not row["query"]:
        return ""
    scope = Scope(row["run_id"], row["series"], row["window_start_utc"], row["window_end_utc"], [], [])
    values = scope.values(load_settings().quality) | {"now": row["updated_at_utc"]}
    # The lists may have thousands of tickers; the run's own rows have them all.
    text = str(row["query"])
    for name, column in (("markets", "market_ticker"), ("events", "event_ticker")):
        chosen = f"(SELECT DISTINCT {column} FROM kalshi_coverage WHERE run_id = {row['run_id']:d})"
        text = text.replace(f" IN :{name}", f" IN {chosen}")
    return f"-- {check}: the rows that break it\n{sql.written_out(text, values)};"


def _chart(history: Sequence[dict[str, Any]]) -> Chart | None:
    values = [
        {"run": f"{row['at_utc']:%Y-%m-%d %H:%M}", "series": row["series"], "rows": row["violations"]}
        for row in history
    ]
    if not any(value["rows"] for value in values):
        return None
    return Chart(
        {
            "data": {"values": values},
            "mark": "bar",
            "width": max(240, 24 * len({value["run"] for value in values})),
            "height": 160,
            "encoding": {
                "x": {"field": "run", "type": "ordinal", "title": "quality run (UTC)", "axis": {"labelOverlap": True}},
                "y": {
                    "field": "rows",
                    "type": "quantitative",
                    "title": "rows that break it",
                    "axis": {"tickMinStep": 1},
                },
                "color": {"field": "series", "type": "nominal", "title": None},
                "tooltip": [{"field": name} for name in ("run", "series", "rows")],
            },
        },
        widest=900,
    )


class Sent(msgspec.Struct, forbid_unknown_fields=True):
    """What the form on a rule's page sends; ``series``: empty for every series."""

    reason: str
    until: date
    series: str = EVERY_SERIES


@router.post("/quality/{check}", dependencies=[Depends(from_these_pages), Depends(may_acknowledge)])
def acknowledge_rule(check: str, body: SentJson, user: GetUserDep) -> Response:
    """Store that a person knows that the rule is broken; the only route that writes."""
    try:
        sent = msgspec.json.decode(body, type=Sent)
        given = Acknowledgement(check, sent.series, sent.reason, sent.until)
        with WarehouseHook().connected() as engine, engine.begin() as connection:
            acknowledge(connection, given, user.get_name())
    except msgspec.DecodeError as error:
        return _answer(400, f"This can't be stored: {error}. Give a reason and a last day, such as 2026-12-31.")
    except ValueError as error:
        return _answer(400, str(error))
    except sa.exc.DBAPIError as error:
        if error_of(error)[0] in NO_WRITING:
            words = "This server may only read the warehouse: run python -m kalshi quality acknowledge on a worker."
            return _answer(403, words)
        raise
    return _answer(200, f"Acknowledged until {given.until} (UTC).")


def _answer(status: int, words: str) -> Response:
    return JSONResponse({"detail": words}, status)
