"""The run ledger ``kalshi_sync_run`` and the rejected records."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from kalshi.records import Rejected
from kalshi.warehouse import sql
from kalshi.warehouse.checkpoints import Window

PLAN = "(plan)"
"""The scope of the run that plans the runs of the series."""
COUNTS = ("inserted", "updated", "unchanged", "rejected", "requests", "retries", "throttled_seconds")
"""The figures of a run's report that are columns of its own."""
STALE_MINUTES = 15
"""A run without a heartbeat for this long counts as dead."""


@dataclass(frozen=True)
class RunKey:
    """What a run works on: ``job``, ``scope`` and window, and the Airflow run it belongs to."""

    job: str
    scope: str
    dag_run_id: str | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None


def start_run(connection: sa.Connection, key: RunKey) -> int:
    """Record a run as running and return its ``run_id``; earlier attempts that died become "abandoned"."""
    sql.run(
        connection,
        "UPDATE kalshi_sync_run SET state = 'abandoned' WHERE job = :job AND scope = :scope AND "
        "state = 'running' AND (dag_run_id = :dag_run_id AND window_start_utc <=> :window_start OR "
        "heartbeat_at_utc < CURRENT_TIMESTAMP(6) - INTERVAL :stale_minutes MINUTE)",
        **vars(key),
        stale_minutes=STALE_MINUTES,
    )
    entered = sql.run(
        connection,
        "INSERT INTO kalshi_sync_run (job, scope, dag_run_id, window_start_utc, window_end_utc, state) "
        "VALUES (:job, :scope, :dag_run_id, :window_start, :window_end, 'running')",
        **vars(key),
    )
    return int(entered.lastrowid)


def is_retry(connection: sa.Connection, run_id: int) -> bool:
    """Whether the Airflow run has attempted the same job, scope and window before."""
    found = sql.run(
        connection,
        "SELECT EXISTS (SELECT 1 FROM kalshi_sync_run r JOIN kalshi_sync_run earlier ON earlier.job = r.job "
        "AND earlier.scope = r.scope AND earlier.dag_run_id = r.dag_run_id "
        "AND earlier.window_start_utc <=> r.window_start_utc AND earlier.run_id < r.run_id WHERE r.run_id = :run_id)",
        run_id=run_id,
    )
    return bool(found.scalar_one())


def finished_scopes(connection: sa.Connection, key: RunKey) -> set[str]:
    """The scopes for which a run of this job, Airflow run and window ended well."""
    rows = sql.run(
        connection,
        "SELECT scope FROM kalshi_sync_run WHERE job = :job AND dag_run_id = :dag_run_id AND state IN ('success', "
        "'warning') AND window_start_utc <=> :window_start AND window_end_utc <=> :window_end",
        **vars(key),
    )
    return set(rows.scalars())


def beat(connection: sa.Connection, run_id: int) -> None:
    """Update the heartbeat of a run."""
    sql.run(
        connection,
        "UPDATE kalshi_sync_run SET heartbeat_at_utc = CURRENT_TIMESTAMP(6) WHERE run_id = :run_id",
        run_id=run_id,
    )


def end_run(connection: sa.Connection, run_id: int, report: dict[str, Any]) -> None:
    """Close a run with its report, whose state and counts are columns, too."""
    sql.run(
        connection,
        "UPDATE kalshi_sync_run SET state = :state, inserted = :inserted, updated = :updated, "
        "unchanged = :unchanged, rejected = :rejected, requests = :requests, retries = :retries, "
        "throttled_seconds = :throttled_seconds, report = :report, "
        "heartbeat_at_utc = CURRENT_TIMESTAMP(6), ended_at_utc = CURRENT_TIMESTAMP(6) WHERE run_id = :run_id",
        **{name: report[name] for name in COUNTS},
        run_id=run_id,
        state=report["state"],
        report=msgspec.json.encode(report).decode(),
    )


def runs_of(connection: sa.Connection, job: str, dag_run_id: str) -> list[dict[str, Any]]:
    """The latest attempt per scope and window of one DAG run, ordered by scope; ``report`` decoded."""
    rows = sql.run_file(connection, "ledger", "latest_runs", job=job, dag_run_id=dag_run_id)
    return [{**row, "report": msgspec.json.decode(row["report"]) if row["report"] else None} for row in rows.mappings()]


def reports_since(connection: sa.Connection, job: str, scope: str, days: float) -> list[dict[str, Any]]:
    """The reports of the runs of a job and scope that ended well in the last days."""
    rows = sql.run(
        connection,
        "SELECT report FROM kalshi_sync_run WHERE job = :job AND scope = :scope AND state IN ('success', 'warning') "
        "AND ended_at_utc > CURRENT_TIMESTAMP(6) - INTERVAL :minutes MINUTE",
        job=job,
        scope=scope,
        minutes=round(days * 24 * 60),
    )
    return [msgspec.json.decode(report) for report in rows.scalars()]


def windows_of(connection: sa.Connection, job: str, dag_run_ids: Sequence[str]) -> list[Window]:
    """The windows that a job read in these Airflow runs, by scope and start."""
    rows = sql.run(
        connection,
        "SELECT DISTINCT scope, window_start_utc, window_end_utc FROM kalshi_sync_run WHERE job = :job "
        "AND dag_run_id IN :dag_run_ids AND window_start_utc IS NOT NULL AND window_end_utc > window_start_utc "
        "ORDER BY 1, 2, 3",
        job=job,
        dag_run_ids=dag_run_ids,
    )
    return _windows(job, rows)


def latest_windows(connection: sa.Connection, job: str, scopes: Sequence[str]) -> list[Window]:
    """The windows that a job read in the latest Airflow run of each of these scopes, by scope and start."""
    return _windows(job, sql.run_file(connection, "ledger", "latest_windows", job=job, scopes=scopes))


def _windows(job: str, rows: Iterable[Any]) -> list[Window]:
    return [Window(job, scope, start.replace(tzinfo=UTC), end.replace(tzinfo=UTC)) for scope, start, end in rows]


def changes_since(connection: sa.Connection, scopes: list[str], run_ids: list[int]) -> list[dict[str, Any]]:
    """Rows that other jobs inserted and updated for ``scopes``, by job and table, since the previous run of the
    job that ``run_ids`` belong to."""
    totals: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: {"inserted": 0, "updated": 0})
    for job, report in sql.run_file(connection, "ledger", "other_runs", run_ids=run_ids, scopes=scopes):
        for table, counts in (msgspec.json.decode(report).get("tables") or {}).items():
            for change in ("inserted", "updated"):
                totals[job, table][change] += counts[change]
    return [{"job": job, "table": table, **counts} for (job, table), counts in sorted(totals.items())]


def reject(
    connection: sa.Connection,
    run_id: int,
    job: str,
    scope: str,
    window: Window | None,
    records: Iterable[tuple[str, Rejected]],
) -> None:
    """Store rejected records, each with the market that it is about, and what they were read for.

    A record that is rejected again, byte for byte the same, is counted rather than stored twice.
    """
    statement = (
        "INSERT INTO kalshi_rejected_record (endpoint, reason, payload, payload_sha256, run_id, job, scope, "
        "market_ticker, window_start_utc, window_end_utc) "
        "VALUES (:endpoint, :reason, :payload, :sha, :run_id, :job, :scope, :market, :start, :end) "
        "ON DUPLICATE KEY UPDATE times_seen = times_seen + 1, reason = :reason, run_id = :run_id, job = :job, "
        "scope = :scope, market_ticker = :market, window_start_utc = :start, window_end_utc = :end, "
        "resolved_at_utc = NULL"
    )
    about = {**(window.values if window else {"start": None, "end": None}), "job": job, "scope": scope}
    for market, bad in records:  # PyMySQL's executemany can't bind values after ON DUPLICATE KEY UPDATE
        values = {
            **about,
            "run_id": run_id,
            "market": market,
            "endpoint": bad.endpoint[:190],
            "reason": bad.reason[:1000],
            "payload": bad.raw.decode("utf-8", "replace"),
            "sha": hashlib.sha256(bad.endpoint.encode() + b"\0" + bad.raw).hexdigest(),
        }
        sql.run(connection, statement, **values)


def resolve(connection: sa.Connection, window: Window) -> None:
    """Mark the rejected records in a window as resolved where no gap is left of them."""
    sql.run_file(connection, "ledger", "resolve", **window.values)
