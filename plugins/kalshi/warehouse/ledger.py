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
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.server import text_with_lists
from kalshi.warehouse.times import naive_utc

PLAN = "(plan)"
"""The scope of the run that plans the runs of the series."""
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
    values = {
        "job": key.job,
        "scope": key.scope,
        "dag_run_id": key.dag_run_id,
        "window_start": key.window_start and naive_utc(key.window_start),
        "window_end": key.window_end and naive_utc(key.window_end),
        "stale": STALE_MINUTES,
    }
    connection.execute(
        sa.text(
            "UPDATE kalshi_sync_run SET state = 'abandoned' WHERE job = :job AND scope = :scope AND "
            "state = 'running' AND (dag_run_id = :dag_run_id AND window_start_utc <=> :window_start OR "
            "heartbeat_at_utc < CURRENT_TIMESTAMP(6) - INTERVAL :stale MINUTE)"
        ),
        values,
    )
    entered = connection.execute(
        sa.text(
            "INSERT INTO kalshi_sync_run (job, scope, dag_run_id, window_start_utc, window_end_utc, state) "
            "VALUES (:job, :scope, :dag_run_id, :window_start, :window_end, 'running')"
        ),
        values,
    )
    return int(entered.lastrowid)


def beat(connection: sa.Connection, run_id: int) -> None:
    """Update the heartbeat of a run."""
    connection.execute(
        sa.text("UPDATE kalshi_sync_run SET heartbeat_at_utc = CURRENT_TIMESTAMP(6) WHERE run_id = :run_id"),
        {"run_id": run_id},
    )


def end_run(connection: sa.Connection, run_id: int, *, state: str, counts: dict[str, Any], report: Any) -> None:
    """Close a run. ``counts``: inserted, updated, unchanged, rejected, requests, retries, throttled_seconds."""
    connection.execute(
        sa.text(
            "UPDATE kalshi_sync_run SET state = :state, inserted = :inserted, updated = :updated, "
            "unchanged = :unchanged, rejected = :rejected, requests = :requests, retries = :retries, "
            "throttled_seconds = :throttled_seconds, report = :report, "
            "heartbeat_at_utc = CURRENT_TIMESTAMP(6), ended_at_utc = CURRENT_TIMESTAMP(6) WHERE run_id = :run_id"
        ),
        {**counts, "run_id": run_id, "state": state, "report": msgspec.json.encode(report).decode()},
    )


def runs_of(connection: sa.Connection, job: str, dag_run_id: str) -> list[dict[str, Any]]:
    """The latest attempt per scope and window of one DAG run, ordered by scope; ``report`` decoded."""
    rows = connection.execute(
        sa.text(
            "SELECT r.scope, r.state, r.run_id, r.started_at_utc, r.ended_at_utc, r.report "
            "FROM kalshi_sync_run r JOIN (SELECT MAX(run_id) AS run_id FROM kalshi_sync_run "
            "WHERE job = :job AND dag_run_id = :dag_run_id GROUP BY scope, window_start_utc, window_end_utc) latest "
            "ON latest.run_id = r.run_id "
            "ORDER BY r.scope, r.window_start_utc"
        ),
        {"job": job, "dag_run_id": dag_run_id},
    )
    return [{**row, "report": msgspec.json.decode(row["report"]) if row["report"] else None} for row in rows.mappings()]


def windows_of(connection: sa.Connection, job: str, dag_run_ids: Sequence[str]) -> list[Window]:
    """The windows that a job read in these Airflow runs, by scope and start."""
    return _windows(connection, job, "r.dag_run_id IN :chosen", dag_run_ids)


def latest_windows(connection: sa.Connection, job: str, scopes: Sequence[str]) -> list[Window]:
    """The windows that a job read in the latest Airflow run of each of these scopes, by scope and start."""
    latest = (
        "r.scope IN :chosen AND r.dag_run_id = (SELECT l.dag_run_id FROM kalshi_sync_run l WHERE l.job = r.job "
        "AND l.scope = r.scope AND l.window_start_utc IS NOT NULL AND l.dag_run_id IS NOT NULL "
        "ORDER BY l.run_id DESC LIMIT 1)"
    )
    return _windows(connection, job, latest, scopes)


def _windows(connection: sa.Connection, job: str, which: str, chosen: Sequence[str]) -> list[Window]:
    query = text_with_lists(
        "SELECT DISTINCT r.scope, r.window_start_utc, r.window_end_utc FROM kalshi_sync_run r WHERE r.job = :job "
        f"AND r.window_start_utc IS NOT NULL AND r.window_end_utc > r.window_start_utc AND {which} ORDER BY 1, 2, 3",
        "chosen",
    )
    return [
        Window(job, scope, start.replace(tzinfo=UTC), end.replace(tzinfo=UTC))
        for scope, start, end in connection.execute(query, {"job": job, "chosen": list(chosen)})
    ]


def changes_since(connection: sa.Connection, scopes: list[str], run_ids: list[int]) -> list[dict[str, Any]]:
    """Rows that other jobs inserted and updated for ``scopes``, by job and table, since the previous run of the
    job that ``run_ids`` belong to."""
    query = text_with_lists(
        "SELECT r.job, r.report FROM kalshi_sync_run r JOIN (SELECT job, MIN(run_id) AS first_run FROM kalshi_sync_run "
        "WHERE run_id IN :run_ids GROUP BY job) mine ON r.job <> mine.job AND r.report IS NOT NULL "
        "AND r.scope IN :scopes AND r.ended_at_utc > COALESCE((SELECT MAX(b.started_at_utc) FROM kalshi_sync_run b "
        "WHERE b.job = mine.job AND b.scope IN :scopes AND b.run_id < mine.first_run), '1970-01-01')",
        "run_ids",
        "scopes",
    )
    totals: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: {"inserted": 0, "updated": 0})
    for job, report in connection.execute(query, {"run_ids": run_ids or [0], "scopes": scopes}):
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
    statement = sa.text(
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
        connection.execute(statement, values)


def resolve(connection: sa.Connection, window: Window) -> None:
    """Mark the rejected records in a window as resolved where no gap is left of them."""
    connection.execute(
        sa.text(
            "UPDATE kalshi_rejected_record r SET resolved_at_utc = CURRENT_TIMESTAMP(6) "
            "WHERE job = :job AND scope = :scope AND resolved_at_utc IS NULL "
            "AND window_start_utc < :end AND window_end_utc > :start "
            "AND NOT EXISTS (SELECT 1 FROM kalshi_gap g WHERE g.job = r.job AND g.scope = r.scope "
            "AND g.market_ticker IN ('', r.market_ticker) "
            "AND g.window_start_utc < r.window_end_utc AND g.window_end_utc > r.window_start_utc)"
        ),
        window.values,
    )
