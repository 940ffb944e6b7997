"""The gaps page: what is known to be missing, and what a person accepted."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response

from kalshi.cells import Link, Table
from kalshi.operations.missing import COLUMNS, MOST, named
from kalshi.ui.rendering import address, render, table
from kalshi.ui.warehouse import Warehouse
from kalshi.warehouse import gaps

router = APIRouter()
COUNTS = {
    "job": "job",
    "gaps": "gaps",
    "scopes": "scopes with gaps",
    "oldest": "oldest since (UTC)",
    "accepted": "accepted",
}
ACCEPTED = {
    **{name: title for name, title in COLUMNS.items() if name != "attempts"},
    "accepted_reason": "why it is accepted",
}


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


def gap_lists(connection: sa.Connection, job: str) -> dict[str, Any]:
    """What the template ``gaps.html.jinja`` shows: the gaps of one job, or of all ("")."""
    return {
        "job": job,
        "jobs": sorted({count.job for count in gaps.counts(connection)}),
        "most": MOST,
        "left": table(list(map(named, gaps.listed(connection, job, most=MOST))), COLUMNS, name="gaps"),
        "accepted": table(
            list(map(named, gaps.listed(connection, job, accepted=True, most=MOST))), ACCEPTED, name="accepted_gaps"
        ),
    }


@router.get("/gaps")
def show_gaps(request: Request, connection: Warehouse, job: Annotated[str, Query(max_length=64)] = "") -> Response:
    return render(request, "gaps.html.jinja", connection, **gap_lists(connection, job))
