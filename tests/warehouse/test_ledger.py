"""The ledger of runs and the rejected records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.records import Rejected
from kalshi.warehouse import gaps
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.gaps import WHOLE, Gap
from kalshi.warehouse.ledger import STALE_MINUTES, RunKey, beat, end_run, reject, resolve, runs_of, start_run

COUNTS: dict[str, Any] = {
    "inserted": 1,
    "updated": 2,
    "unchanged": 3,
    "rejected": 4,
    "requests": 5,
    "retries": 6,
    "throttled_seconds": 7.25,
}


def start(engine: sa.Engine, scope: str = "KXHIGHNY", dag_run_id: str | None = None) -> int:
    with engine.begin() as connection:
        return start_run(connection, RunKey("catalog", scope, dag_run_id))


def states(engine: sa.Engine) -> dict[int, str]:
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT run_id, state FROM kalshi_sync_run"))
        return {row.run_id: row.state for row in rows}


def grow_old(engine: sa.Engine, run_id: int) -> None:
    """Age the run's heartbeat beyond that of any live run."""
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE kalshi_sync_run SET heartbeat_at_utc = heartbeat_at_utc - INTERVAL :m MINUTE WHERE run_id = :r"
            ),
            {"m": STALE_MINUTES + 1, "r": run_id},
        )


def test_a_retry_in_the_same_dag_run_abandons_the_attempt_before(warehouse_on_both: sa.Engine) -> None:
    first, second = (start(warehouse_on_both, dag_run_id="manual") for _ in range(2))
    assert states(warehouse_on_both) == {first: "abandoned", second: "running"}


@pytest.mark.parametrize(("scope", "dag_run_id"), [("KXHIGHNY", "other"), ("KXHIGHCHI", "manual"), ("KXHIGHNY", None)])
def test_a_run_of_something_else_is_left_alone(warehouse: sa.Engine, scope: str, dag_run_id: str | None) -> None:
    first = start(warehouse, dag_run_id="manual")
    second = start(warehouse, scope, dag_run_id)
    assert states(warehouse) == {first: "running", second: "running"}


def test_a_window_means_the_same_in_every_time_zone(warehouse_on_both: sa.Engine) -> None:
    begins = datetime(2026, 9, 1, tzinfo=UTC)
    new_york = timezone(timedelta(hours=-4))
    run_ids = []
    for zone in (UTC, new_york):
        with warehouse_on_both.begin() as connection:
            window = begins.astimezone(zone), (begins + timedelta(days=1)).astimezone(zone)
            run_ids.append(start_run(connection, RunKey("candles", "KXHIGHNY", "manual", *window)))
            stored = connection.execute(
                sa.text("SELECT window_start_utc, window_end_utc FROM kalshi_sync_run WHERE run_id = :r"),
                {"r": run_ids[-1]},
            )
            assert stored.one() == (begins.replace(tzinfo=None), begins.replace(tzinfo=None) + timedelta(days=1))
    assert states(warehouse_on_both) == {run_ids[0]: "abandoned", run_ids[1]: "running"}


def test_a_run_that_gave_no_sign_of_life_is_abandoned(warehouse_on_both: sa.Engine) -> None:
    dead, alive = start(warehouse_on_both, dag_run_id="a"), start(warehouse_on_both, dag_run_id="b")
    for run_id in (dead, alive):
        grow_old(warehouse_on_both, run_id)
    with warehouse_on_both.begin() as connection:
        beat(connection, alive)
    third = start(warehouse_on_both)
    assert states(warehouse_on_both) == {dead: "abandoned", alive: "running", third: "running"}


def test_a_run_that_ended_is_never_abandoned(warehouse: sa.Engine) -> None:
    ended = start(warehouse, dag_run_id="manual")
    with warehouse.begin() as connection:
        end_run(connection, ended, {"state": "failed", **COUNTS})
    grow_old(warehouse, ended)
    start(warehouse, dag_run_id="manual")
    assert states(warehouse)[ended] == "failed"


def test_the_ledger_tells_the_latest_attempt_of_each_scope(warehouse_on_both: sa.Engine) -> None:
    start(warehouse_on_both, "KXHIGHNY", "manual")
    start(warehouse_on_both, "KXHIGHNY", "other")
    last = start(warehouse_on_both, "KXHIGHNY", "manual")
    running = start(warehouse_on_both, "KXHIGHCHI", "manual")
    report = {"state": "warning", **COUNTS, "warnings": ["65° 🌡️ 'quoted' \\ %s :name"], "none": None}
    with warehouse_on_both.begin() as connection:
        end_run(connection, last, report)
        found = runs_of(connection, "catalog", "manual")
        stored = connection.execute(sa.text("SELECT * FROM kalshi_sync_run WHERE run_id = :r"), {"r": last}).mappings()
        row = dict(stored.one())
    assert [(r["scope"], r["run_id"], r["state"], r["report"]) for r in found] == [
        ("KXHIGHCHI", running, "running", None),
        ("KXHIGHNY", last, "warning", report),
    ]
    assert {name: row[name] for name in COUNTS} == {**COUNTS, "throttled_seconds": Decimal("7.25")}
    assert row["ended_at_utc"] >= row["started_at_utc"]


def stored(engine: sa.Engine, run_id: int, *records: Rejected) -> None:
    with engine.begin() as connection:
        reject(connection, run_id, "catalog", "KXHIGHNY", None, [("", record) for record in records])


@pytest.mark.parametrize(
    ("missing", "is_resolved"), [("A-1-T1", False), (WHOLE, False), ("A-1-T2", True), (None, True)]
)
def test_a_rejected_record_is_resolved_where_neither_its_market_nor_the_whole_window_is_missing(
    warehouse_on_both: sa.Engine, missing: str | None, is_resolved: bool
) -> None:
    day = Window("catalog", "A", datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 2, tzinfo=UTC))
    with warehouse_on_both.begin() as connection:
        reject(connection, 1, "catalog", "A", day, [("A-1-T1", Rejected("/markets", "not a number", b"{}"))])
        if missing is not None:
            gaps.note(connection, [Gap(day, missing, "the exchange was away")])
        resolve(connection, day)
        resolved = connection.execute(sa.text("SELECT resolved_at_utc FROM kalshi_rejected_record")).scalar_one()
    assert (resolved is not None) is is_resolved


def test_a_rejected_record_is_stored_once_and_counted(warehouse_on_both: sa.Engine) -> None:
    payload = '{"ticker": "🌡️", "x": "%s"}'.encode()
    first, elsewhere = Rejected("/markets", "old reason", payload), Rejected("/events", "another endpoint", payload)
    stored(warehouse_on_both, 1, first, elsewhere)
    stored(warehouse_on_both, 2, Rejected("/markets", "new reason", payload))
    stored(warehouse_on_both, 2)
    with warehouse_on_both.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT endpoint, reason, payload, times_seen, run_id FROM kalshi_rejected_record ORDER BY id")
        ).all()
    text = payload.decode()
    assert rows == [("/markets", "new reason", text, 2, 2), ("/events", "another endpoint", text, 1, 1)]


def test_a_rejected_record_may_be_anything(warehouse_on_both: sa.Engine) -> None:
    payloads = [b"", b"\xff\xfe", b"\0", b"x" * 2_000_000]
    stored(warehouse_on_both, 1, *(Rejected("/markets" * 100, "reason" * 1000, payload) for payload in payloads))
    with warehouse_on_both.connect() as connection:
        rows = connection.exec_driver_sql("SELECT LENGTH(payload) FROM kalshi_rejected_record ORDER BY id")
        assert rows.scalars().all() == [0, 6, 1, 2_000_000]  # what isn't UTF-8 is shown as �
