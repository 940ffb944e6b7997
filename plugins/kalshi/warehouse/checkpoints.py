"""Checkpoints: which windows of a job and scope are complete. All times are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import sqlalchemy as sa

from kalshi.warehouse import sql

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVERYTHING = "*"
"""The scope of a job that reads the whole exchange in one stream."""
COMBO = "KXMVE"
"""So begin the tickers of multivariate combinations (Kalshi docs, "Multivariate events"); EVERYTHING has none."""
IS_WHOLE = (
    "w.scope = '*' AND w.state = 'COMPLETE' AND NOT EXISTS (SELECT 1 FROM kalshi_gap a WHERE a.job = w.job "
    "AND a.scope = '*' AND a.market_ticker = '' AND a.window_start_utc < w.window_end_utc "
    "AND a.window_end_utc > w.window_start_utc)"
)
"""SQL, also for the files that say ``{is_whole}``: whether the window ``w`` is of EVERYTHING and lacks nothing; a time
that a person has accepted as missing is missing for every series."""
COUNTS = f"(w.scope = :scope OR :scope NOT LIKE '{COMBO}%' AND {IS_WHOLE})"
"""SQL: the windows ``w`` that count for a scope: its own, and those of EVERYTHING that lack nothing."""


@dataclass(frozen=True)
class Window:
    """The time from ``start`` (inclusive) to ``end`` (exclusive) for one job and scope."""

    job: str
    scope: str
    start: datetime
    end: datetime

    @property
    def values(self) -> dict[str, object]:
        return {"job": self.job, "scope": self.scope, "start": self.start, "end": self.end}


THIS = "job = :job AND scope = :scope AND window_start_utc = :start AND window_end_utc = :end"


def claim(connection: sa.Connection, window: Window, run_id: int) -> tuple[str | None, int]:
    """Mark a window RUNNING for this run. Returns the progress of an earlier run, and the number with which that
    reading began (``begin``).

    A RUNNING or FAILED window of an earlier run is taken over; one that was read to its end starts over.
    """
    sql.run(
        connection,
        "INSERT INTO kalshi_checkpoint (job, scope, window_start_utc, window_end_utc, state, run_id, attempts) "
        "VALUES (:job, :scope, :start, :end, 'RUNNING', :run_id, 1) ON DUPLICATE KEY UPDATE state = 'RUNNING', "
        "attempts = attempts + 1, error = NULL, run_id = :run_id, heartbeat_at_utc = CURRENT_TIMESTAMP(6)",
        **window.values,
        run_id=run_id,
    )
    found = sql.run(connection, f"SELECT progress, began FROM kalshi_checkpoint WHERE {THIS}", **window.values).one()
    return found.progress, found.began


def begin(connection: sa.Connection, window: Window, number: int) -> None:
    """Remember that the reading of a claimed window begins anew, with this number of the latest gap."""
    sql.run(connection, f"UPDATE kalshi_checkpoint SET began = :number WHERE {THIS}", **window.values, number=number)


def progress(connection: sa.Connection, window: Window, progress_json: str) -> None:
    """Record a window's progress, in the same transaction as its rows."""
    sql.run(
        connection,
        f"UPDATE kalshi_checkpoint SET progress = :progress, heartbeat_at_utc = CURRENT_TIMESTAMP(6) WHERE {THIS}",
        **window.values,
        progress=progress_json,
    )


def finish(connection: sa.Connection, window: Window) -> None:
    """Mark a window as read to its end. ``gaps.restate`` says whether it is COMPLETE."""
    sql.run(connection, f"UPDATE kalshi_checkpoint SET state = 'FAILED', progress = NULL WHERE {THIS}", **window.values)


def supersede(connection: sa.Connection, window: Window) -> None:
    """If the window is COMPLETE, drop the windows inside it, and unfinished ones that complete windows now cover."""
    sql.run(
        connection,
        "DELETE inside FROM kalshi_checkpoint inside JOIN kalshi_checkpoint whole ON whole.job = inside.job "
        "AND whole.scope = inside.scope AND whole.window_start_utc = :start AND whole.window_end_utc = :end "
        "AND whole.state = 'COMPLETE' WHERE inside.job = :job AND inside.scope = :scope "
        "AND inside.window_start_utc >= :start AND inside.window_end_utc <= :end "
        "AND NOT (inside.window_start_utc = :start AND inside.window_end_utc = :end)",
        **window.values,
    )
    unfinished = sql.run(
        connection,
        "SELECT window_start_utc, window_end_utc FROM kalshi_checkpoint "
        "WHERE job = :job AND scope = :scope AND state <> 'COMPLETE'",
        **window.values,
    )
    for start, end in unfinished.all():
        older = replace(window, start=start.replace(tzinfo=UTC), end=end.replace(tzinfo=UTC))
        if is_covered(connection, older):
            sql.run(connection, f"DELETE FROM kalshi_checkpoint WHERE {THIS}", **older.values)


def fail(connection: sa.Connection, window: Window, error: str, *, resumable: bool = True) -> None:
    """Mark a window FAILED, with the reason. Unless ``resumable``, its progress is discarded."""
    sql.run(
        connection,
        "UPDATE kalshi_checkpoint SET state = 'FAILED', error = :error, "
        f"progress = IF(:resumable, progress, NULL) WHERE {THIS}",
        **window.values,
        error=error[:8000],
        resumable=resumable,
    )


def is_older(connection: sa.Connection, window: Window, days: float) -> bool:
    """Whether the latest reading that began where ``window`` begins was made more than so many days ago."""
    return bool(
        sql.run(
            connection,
            "SELECT MAX(heartbeat_at_utc) < CURRENT_TIMESTAMP(6) - INTERVAL :minutes MINUTE FROM kalshi_checkpoint "
            "WHERE job = :job AND scope = :scope AND window_start_utc = :start",
            **window.values,
            minutes=round(days * 24 * 60),
        ).scalar_one()
    )


def scopes_older(connection: sa.Connection, job: str, start: datetime, days: float) -> list[str]:
    """The scopes, but for EVERYTHING, whose latest reading that began at ``start`` was made more than so many days
    ago."""
    rows = sql.run(
        connection,
        "SELECT scope FROM kalshi_checkpoint WHERE job = :job AND window_start_utc = :start AND scope <> '*' "
        "GROUP BY scope HAVING MAX(heartbeat_at_utc) < CURRENT_TIMESTAMP(6) - INTERVAL :minutes MINUTE ORDER BY scope",
        job=job,
        start=start,
        minutes=round(days * 24 * 60),
    )
    return list(rows.scalars())


def is_covered(connection: sa.Connection, window: Window) -> bool:
    """Whether complete windows of this job, of the scope or of everything, laid end to end, leave no gap in
    ``window``."""
    until = covered_until(connection, window.job, window.scope, window.start)
    return until is not None and until >= window.end


def was_begun(connection: sa.Connection, window: Window) -> bool:
    """Whether every part of ``window`` lies in some window that was begun. What is missing of those is a gap."""
    until = _reach(connection, window.job, window.scope, window.start, "TRUE")
    return until is not None and until >= window.end


def covered_until(connection: sa.Connection, job: str, scope: str, start: datetime) -> datetime | None:
    """How far complete windows, laid end to end, reach from ``start``; None if none contains it."""
    return _reach(connection, job, scope, start, "state = 'COMPLETE'")


def read_until(connection: sa.Connection, job: str, scope: str, start: datetime) -> datetime | None:
    """The same for windows that were read to their end, whether or not single markets are missing from them."""
    whole = (
        "NOT EXISTS (SELECT 1 FROM kalshi_gap g WHERE g.job = w.job AND g.scope = w.scope "
        "AND g.market_ticker = '' AND g.accepted_reason IS NULL "
        "AND g.window_start_utc < w.window_end_utc AND g.window_end_utc > w.window_start_utc)"
    )
    return _reach(connection, job, scope, start, whole)


def begun(connection: sa.Connection, job: str, scope: str, after: datetime) -> list[tuple[datetime, datetime]]:
    """The windows that count for a scope and end ``after`` this time, by their start; aware UTC."""
    return _spans(connection, job, scope, after, "TRUE")


def _reach(connection: sa.Connection, job: str, scope: str, start: datetime, which: str) -> datetime | None:
    covered = start
    for first, last in _spans(connection, job, scope, start, which):
        if first > covered:
            break
        covered = max(covered, last)
    return covered if covered > start else None


def _spans(
    connection: sa.Connection, job: str, scope: str, after: datetime, which: str
) -> list[tuple[datetime, datetime]]:
    rows = sql.run(
        connection,
        "SELECT window_start_utc, window_end_utc FROM kalshi_checkpoint w "
        f"WHERE job = :job AND window_end_utc > :after AND {COUNTS} AND {which} ORDER BY window_start_utc",
        job=job,
        scope=scope,
        after=after,
    )
    return [(start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)) for start, end in rows]
