"""Checkpoints: what is covered, resumed and superseded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.warehouse import checkpoints as marks
from kalshi.warehouse import gaps
from kalshi.warehouse.checkpoints import Window, claim, fail, is_covered, progress
from kalshi.warehouse.gaps import Gap
from kalshi.warehouse.server import in_transaction


def hour(number: float) -> datetime:
    return datetime(2026, 9, 1, tzinfo=UTC) + timedelta(hours=number)


def window(start: float, end: float, scope: str = "KXHIGHNY", job: str = "catalog") -> Window:
    return Window(job, scope, hour(start), hour(end))


def complete(connection: sa.Connection, it: Window) -> None:
    """What a reading without doubts does at its end."""
    marks.finish(connection, it)
    gaps.restate(connection, it.job, it.scope)
    marks.supersede(connection, it)


def finish(engine: sa.Engine, *windows: Window) -> None:
    with engine.begin() as connection:
        for each in windows:
            claim(connection, each, 1)
            complete(connection, each)


def read(engine: sa.Engine, it: Window) -> None:
    """A reading that fills what is missing of a window."""
    with engine.begin() as connection:
        began = gaps.begin(connection, Gap(it), 1)
        claim(connection, it, 1)
    with engine.begin() as connection:
        gaps.close(connection, Gap(it), began)
        complete(connection, it)


def open_gaps(engine: sa.Engine) -> list[Gap]:
    with engine.connect() as connection:
        return gaps.open_gaps(connection, "catalog", "KXHIGHNY")


def checkpoints(engine: sa.Engine) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT * FROM kalshi_checkpoint ORDER BY window_start_utc, window_end_utc"))
        return [dict(row) for row in rows.mappings()]


@pytest.mark.parametrize(
    ("done", "wanted", "covered"),
    [
        ([], (0, 1), False),
        ([(0, 4)], (0, 4), True),
        ([(0, 4)], (1, 3), True),
        ([(0, 4)], (0, 5), False),
        ([(1, 4)], (0, 4), False),
        ([(0, 2), (2, 4)], (0, 4), True),
        ([(0, 2), (3, 4)], (0, 4), False),
        ([(0, 3), (2, 4)], (0, 4), True),
        ([(0, 4), (1, 2), (3, 6)], (0, 6), True),
        ([(1, 2), (0, 1.5), (2, 4)], (0, 4), True),
        ([(5, 6)], (0, 4), False),
    ],
)
def test_complete_windows_cover_what_they_leave_no_gap_in(
    warehouse: sa.Engine, done: list[tuple[float, float]], wanted: tuple[float, float], covered: bool
) -> None:
    finish(warehouse, *(window(*d) for d in done))
    with warehouse.connect() as connection:
        assert is_covered(connection, window(*wanted)) is covered


def test_only_complete_windows_of_the_same_job_and_scope_cover(warehouse_on_both: sa.Engine) -> None:
    finish(warehouse_on_both, window(0, 4, scope="KXHIGHCHI"), window(0, 4, job="trades"))
    with warehouse_on_both.begin() as connection:
        claim(connection, window(0, 2), 1)
        claim(connection, window(2, 4), 1)
        fail(connection, window(2, 4), "away")
        for part in (window(0, 2), window(2, 4), window(0, 4)):
            assert not is_covered(connection, part)


def test_a_window_means_the_same_in_every_time_zone(warehouse_on_both: sa.Engine) -> None:
    here = timezone(timedelta(hours=-5))
    finish(warehouse_on_both, Window("catalog", "KXHIGHNY", hour(0).astimezone(here), hour(4).astimezone(here)))
    with warehouse_on_both.connect() as connection:
        assert is_covered(connection, window(0, 4))
    assert checkpoints(warehouse_on_both)[0]["window_end_utc"] == hour(4).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("ending", "reached"), [("killed", '{"page": 3}'), ("failed", '{"page": 3}'), ("wrong", None), ("complete", None)]
)
def test_a_claim_takes_over_what_an_unfinished_run_reached(
    warehouse_on_both: sa.Engine, ending: str, reached: str | None
) -> None:
    it = window(0, 4)
    with warehouse_on_both.begin() as connection:
        assert claim(connection, it, 1)[0] is None
        progress(connection, it, '{"page": 3}')
        if ending == "complete":
            complete(connection, it)
        elif ending != "killed":
            fail(connection, it, "the reason", resumable=ending == "failed")
    with warehouse_on_both.begin() as connection:
        assert claim(connection, it, 2)[0] == reached
    found = checkpoints(warehouse_on_both)
    assert len(found) == 1
    assert (found[0]["state"], found[0]["run_id"], found[0]["attempts"], found[0]["error"]) == ("RUNNING", 2, 2, None)
    assert found[0]["progress"] == reached


def test_a_failure_says_why(warehouse_on_both: sa.Engine) -> None:
    with warehouse_on_both.begin() as connection:
        claim(connection, window(0, 4), 1)
        fail(connection, window(0, 4), "🌡️" * 10_000)
    found = checkpoints(warehouse_on_both)[0]
    assert found["state"] == "FAILED"
    assert found["error"].startswith("🌡️🌡️")


def test_progress_goes_with_the_rows_it_came_with(warehouse_on_both: sa.Engine) -> None:
    with warehouse_on_both.begin() as connection:
        claim(connection, window(0, 4), 1)
    with warehouse_on_both.connect() as connection:
        progress(connection, window(0, 4), '{"page": 3}')
        connection.rollback()
    assert checkpoints(warehouse_on_both)[0]["progress"] is None


def test_a_complete_window_drops_those_inside_it_and_no_others(warehouse_on_both: sa.Engine) -> None:
    finish(warehouse_on_both, window(0, 1), window(1, 3), window(0, 3, scope="KXHIGHCHI"))
    with warehouse_on_both.begin() as connection:
        claim(connection, window(1, 2), 1)
        fail(connection, window(1, 2), "away")
        claim(connection, window(3, 5), 1)
    finish(warehouse_on_both, window(1, 4))
    kept = [(c["scope"], c["window_start_utc"].hour, c["window_end_utc"].hour) for c in checkpoints(warehouse_on_both)]
    assert sorted(kept) == [("KXHIGHCHI", 0, 3), ("KXHIGHNY", 0, 1), ("KXHIGHNY", 1, 4), ("KXHIGHNY", 3, 5)]


def test_a_window_with_a_gap_drops_none_of_those_inside_it(warehouse_on_both: sa.Engine) -> None:
    finish(warehouse_on_both, window(0, 1))
    with warehouse_on_both.begin() as connection:
        gaps.note(connection, [Gap(window(2, 3), reason="the exchange was away")])
    finish(warehouse_on_both, window(0, 4))
    assert [(c["window_end_utc"].hour, c["state"]) for c in checkpoints(warehouse_on_both)] == [
        (1, "COMPLETE"),
        (4, "FAILED"),
    ]


def test_a_failed_window_is_complete_once_the_rest_of_its_gap_is_read(warehouse: sa.Engine) -> None:
    failed = window(2, 5)
    with warehouse.begin() as connection:
        gaps.note(connection, [Gap(failed)])
        claim(connection, failed, 1)
        fail(connection, failed, "the exchange was away")
    read(warehouse, window(4, 8))
    assert [row["state"] for row in checkpoints(warehouse)] == ["FAILED", "COMPLETE"]
    assert open_gaps(warehouse) == [Gap(window(2, 4))]
    read(warehouse, window(0, 4))
    assert [row["state"] for row in checkpoints(warehouse)] == ["COMPLETE"] * 3
    assert open_gaps(warehouse) == []


def test_a_window_that_is_read_again_counts_only_when_it_is_complete_again(warehouse: sa.Engine) -> None:
    first, second = window(0, 2), window(2, 4)
    finish(warehouse, first, second)

    def covered() -> tuple[bool, bool]:
        with warehouse.connect() as connection:
            return is_covered(connection, first), is_covered(connection, second)

    with warehouse.begin() as connection:
        claim(connection, first, 2)
    assert covered() == (False, True)
    with warehouse.begin() as connection:
        fail(connection, first, "away")
    assert covered() == (False, True)
    finish(warehouse, first)
    assert covered() == (True, True)


def test_windows_that_complete_at_the_same_time_all_count(warehouse_on_both: sa.Engine) -> None:
    def run(number: int) -> None:
        it = window(number, number + 1)
        in_transaction(warehouse_on_both, claim, it, number)
        in_transaction(warehouse_on_both, progress, it, '{"page": 3}')
        in_transaction(warehouse_on_both, complete, it)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, reversed(range(40))))
    rows = checkpoints(warehouse_on_both)
    assert [(row["state"], row["progress"]) for row in rows] == [("COMPLETE", None)] * 40
    with warehouse_on_both.connect() as connection:
        assert is_covered(connection, window(0, 40))
