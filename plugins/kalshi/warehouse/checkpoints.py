"""Checkpoints: which windows of a job and scope are complete. All times are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa

from kalshi.warehouse.times import naive_utc

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Window:
    """The time from ``start`` (inclusive) to ``end`` (exclusive) for one job and scope."""

    job: str
    scope: str
    start: datetime
    end: datetime

    @property
    def values(self) -> dict[str, object]:
        return {
            "job": self.job,
            "scope": self.scope,
            "start": naive_utc(self.start),
            "end": naive_utc(self.end),
        }


THIS = "job = :job AND scope = :scope AND window_start_utc = :start AND window_end_utc = :end"


def claim(connection: sa.Connection, window: Window, run_id: int) -> str | None:
    """Mark a window RUNNING for this run, and return the progress of an earlier run.

    A RUNNING or FAILED window of an earlier run is taken over; a COMPLETE one starts over.
    """
    found = connection.execute(
        sa.text(f"SELECT state, progress FROM kalshi_checkpoint WHERE {THIS} FOR UPDATE"), window.values
    ).one_or_none()
    reached = found.progress if found and found.state != "COMPLETE" else None
    connection.execute(
        sa.text(
            "INSERT INTO kalshi_checkpoint (job, scope, window_start_utc, window_end_utc, state, run_id) "
            "VALUES (:job, :scope, :start, :end, 'RUNNING', :run_id) ON DUPLICATE KEY UPDATE "
            "state = 'RUNNING', progress = :reached, attempts = attempts + 1, error = NULL, run_id = :run_id, "
            "heartbeat_at_utc = CURRENT_TIMESTAMP(6)"
        ),
        {**window.values, "run_id": run_id, "reached": reached},
    )
    return reached


def progress(connection: sa.Connection, window: Window, progress_json: str) -> None:
    """Record a window's progress, in the same transaction as its rows."""
    connection.execute(
        sa.text(
            f"UPDATE kalshi_checkpoint SET progress = :progress, heartbeat_at_utc = CURRENT_TIMESTAMP(6) WHERE {THIS}"
        ),
        {**window.values, "progress": progress_json},
    )


def complete(connection: sa.Connection, window: Window) -> None:
    """Mark a window COMPLETE, and drop what it supersedes: windows inside it, and unfinished ones that
    complete windows now cover."""
    connection.execute(
        sa.text(f"UPDATE kalshi_checkpoint SET state = 'COMPLETE', progress = NULL, error = NULL WHERE {THIS}"),
        window.values,
    )
    connection.execute(
        sa.text(
            "DELETE FROM kalshi_checkpoint WHERE job = :job AND scope = :scope "
            f"AND window_start_utc >= :start AND window_end_utc <= :end AND NOT ({THIS})"
        ),
        window.values,
    )
    unfinished = connection.execute(
        sa.text(
            "SELECT window_start_utc, window_end_utc FROM kalshi_checkpoint "
            "WHERE job = :job AND scope = :scope AND state <> 'COMPLETE'"
        ),
        window.values,
    )
    for start, end in unfinished.all():
        older = replace(window, start=start.replace(tzinfo=UTC), end=end.replace(tzinfo=UTC))
        if is_covered(connection, older):
            connection.execute(sa.text(f"DELETE FROM kalshi_checkpoint WHERE {THIS}"), older.values)


def fail(connection: sa.Connection, window: Window, error: str, *, resumable: bool = True) -> None:
    """Mark a window FAILED, with the reason. Unless ``resumable``, its progress is discarded."""
    connection.execute(
        sa.text(
            "UPDATE kalshi_checkpoint SET state = 'FAILED', error = :error, "
            f"progress = IF(:resumable, progress, NULL) WHERE {THIS}"
        ),
        {**window.values, "error": error[:8000], "resumable": resumable},
    )


def is_covered(connection: sa.Connection, window: Window) -> bool:
    """Whether complete windows of this job and scope, laid end to end, leave no gap in ``window``."""
    until = covered_until(connection, window.job, window.scope, window.start)
    return until is not None and until >= window.end


def covered_until(connection: sa.Connection, job: str, scope: str, start: datetime) -> datetime | None:
    """How far complete windows, laid end to end, reach from ``start``; None if none contains it."""
    rows = connection.execute(
        sa.text(
            "SELECT window_start_utc, window_end_utc FROM kalshi_checkpoint "
            "WHERE job = :job AND scope = :scope AND state = 'COMPLETE' AND window_end_utc > :start "
            "ORDER BY window_start_utc"
        ),
        {"job": job, "scope": scope, "start": naive_utc(start)},
    )
    covered = start
    for first, last in rows:
        if first.replace(tzinfo=UTC) > covered:
            break
        covered = max(covered, last.replace(tzinfo=UTC))
    return covered if covered > start else None


def first_start(connection: sa.Connection, job: str, scope: str, after: datetime, until: datetime) -> datetime | None:
    """The earliest start of a complete window that ended between ``after`` and ``until``."""
    start: datetime | None = connection.execute(
        sa.text(
            "SELECT MIN(window_start_utc) FROM kalshi_checkpoint WHERE job = :job AND scope = :scope "
            "AND state = 'COMPLETE' AND window_end_utc BETWEEN :after AND :until"
        ),
        {"job": job, "scope": scope, "after": naive_utc(after), "until": naive_utc(until)},
    ).scalar()
    return start.replace(tzinfo=UTC) if start else None
