"""The gaps page: what is known to be missing, and what a person accepted."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from kalshi.cells import Link, Table
from kalshi.operations.missing import COLUMNS, MOST, named
from kalshi.ui.airflow import dag_form
from kalshi.ui.rendering import address, render, table
from kalshi.ui.warehouse import Warehouse, ask
from kalshi.warehouse import gaps

router = APIRouter()
COUNTS = {
    "job": "job",
    "gaps": "gaps",
    "scopes": "scopes with gaps",
    "oldest": "oldest since (UTC)",
    "accepted": "accepted",
}
LEFT = {**COLUMNS, "meaning": "what it means", "run": "what to do"}
ACCEPTED = {
    **{name: title for name, title in COLUMNS.items() if name != "attempts"},
    "accepted_reason": "why it is accepted",
}
DAGS = {
    "catalog": "kalshi_catalog_sync",
    "settlements": "kalshi_settlements_sync",
    "trades": "kalshi_trades_sync",
    "candles": "kalshi_candles_backfill",
    "candles_from_trades": "kalshi_candles_backfill",
    "candles_dense": "kalshi_candles_backfill",
}
"""What fills the gaps of each job at once, rather than at its next ordinary run."""
MEANINGS = {
    "no run came": "No scheduled run read this: Airflow was off, or its runs failed before they began.",
    "not read yet": "A run was to read this and has not got through it.",
    "neither tier": "The exchange has it neither among its live nor its historical data. It may come later, or never.",
    "read so soon": "Read right after it happened: the exchange may add to it, so it is read again.",
    "missing from ": "Another job lacks this market, so this one can't be complete: that gap is filled first.",
    "listed after it was read": "The exchange listed the market, or prolonged its life, after this was read.",
    "changed later": "What this was built from has changed since, so it is built again.",
    "life became shorter": "The market now closes earlier, so its minutes are built again.",
    "records were rejected": "The exchange sent records that can't be stored: kalshi_rejected_record has them.",
    "time isn't known": "The exchange gives no open or close time, so nobody knows which days to read.",
}
"""Words in the reason of a gap, and what they mean to a person."""


def gap_counts(connection: sa.Connection, request: Request) -> Table:
    """A row for each job that was ever run, the one with the most gaps first; their number links to them."""
    found = gaps.counts(connection)
    jobs = [_job(job, [c for c in found if c.job == job], request) for job in {c.job: None for c in found}]
    jobs.sort(key=lambda job: -job["gaps"].value)
    return table(jobs, COUNTS, name="gaps", empty="No job has read anything yet.")


def _job(job: str, counts: list[gaps.Count], request: Request) -> dict[str, Any]:
    left = sum(count.left for count in counts)
    return {
        "job": job,
        "gaps": Link(left, address(request, "gaps", job=job), badge="warn" if left else "pass"),
        "scopes": sum(count.left > 0 for count in counts),
        "oldest": min(filter(None, (count.oldest for count in counts)), default=None),
        "accepted": sum(count.accepted for count in counts),
    }


def gap_lists(connection: sa.Connection, request: Request, job: str) -> dict[str, Any]:
    """What the template ``gaps.html.jinja`` shows: the gaps of one job, or of all ("")."""
    left, accepted = (gaps.listed(connection, job, accepted=which, most=MOST) for which in (False, True))
    markets = sorted({gap["market_ticker"] for gap in left + accepted})
    events = {row["market"]: row["event"] for row in ask(connection, "gap_events", markets=markets)}
    return {
        "job": job,
        "jobs": sorted({count.job for count in gaps.counts(connection)}),
        "most": MOST,
        "left": table([_left(gap, events, request) for gap in left], LEFT, name="gaps"),
        "accepted": table([_linked(gap, events, request) for gap in accepted], ACCEPTED, name="accepted_gaps"),
    }


def _linked(gap: dict[str, Any], events: dict[str, str], request: Request) -> dict[str, Any]:
    """With its market as a link to the event."""
    shown = named(gap)
    event = events.get(gap["market_ticker"])
    return {**shown, "market": Link(shown["market"], address(request, "event", event))} if event else shown


def _left(gap: dict[str, Any], events: dict[str, str], request: Request) -> dict[str, Any]:
    """With what it means and the run that fills it."""
    meaning = next((words for part, words in MEANINGS.items() if part in gap["reason"]), None)
    return {**_linked(gap, events, request), "meaning": meaning, "run": _run(gap, request)}


def _run(gap: dict[str, Any], request: Request) -> Link | None:
    dag = DAGS.get(gap["job"])
    if dag is None:
        return None
    start, end = gap["window_start_utc"], gap["window_end_utc"] - timedelta(microseconds=1)
    return Link("read it now", dag_form(request, dag, gap["scope"], start.date(), end.date()))


@router.get("/gaps")
def show_gaps(request: Request, connection: Warehouse, job: Annotated[str, Query(max_length=64)] = "") -> Response:
    return render(request, "gaps.html.jinja", connection, **gap_lists(connection, request, job))
