"""Gaps: when they close, wait, are inherited, split, reopened, and noted for windows that no run asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from kalshi.warehouse import checkpoints, gaps
from kalshi.warehouse.checkpoints import EVERYTHING, Window
from kalshi.warehouse.gaps import UNREADABLE, WHOLE, Gap, Life, LifeChange
from kalshi.warehouse.server import in_transaction

DAY_1 = datetime(2026, 9, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SERIES, MARKET, OTHER = "KXHIGHNY", "KXHIGHNY-26SEP01-B65.5", "KXHIGHNY-26SEP01-B67.5"
RUN = 7


def window(start: float, end: float, job: str = "trades") -> Window:
    """Hours of the first of September."""
    return Window(job, SERIES, DAY_1 + start * HOUR, DAY_1 + end * HOUR)


def left(connection: sa.Connection, job: str = "trades") -> list[tuple[str, float, float]]:
    """The markets and hours of the gaps that are left."""
    return [
        (gap.market, (gap.window.start - DAY_1) / HOUR, (gap.window.end - DAY_1) / HOUR)
        for gap in gaps.open_gaps(connection, job, SERIES)
    ]


def was_read(connection: sa.Connection, read: Window) -> None:
    checkpoints.claim(connection, read, RUN)
    checkpoints.finish(connection, read)
    gaps.restate(connection, read.job, read.scope)


def state(connection: sa.Connection, read: Window) -> str:
    return str(
        connection.execute(
            sa.text(f"SELECT state FROM kalshi_checkpoint WHERE {checkpoints.THIS}"), read.values
        ).scalar_one()
    )


@pytest.mark.parametrize(
    ("gap", "read", "rest"),
    [
        ((0, 4), (0, 4), []),
        ((1, 3), (0, 4), []),
        ((0, 4), (1, 3), [(0, 1), (3, 4)]),
        ((0, 4), (2, 6), [(0, 2)]),
        ((2, 6), (0, 4), [(4, 6)]),
        ((0, 2), (2, 4), [(0, 2)]),
    ],
)
def test_a_reading_closes_of_a_gap_what_lies_in_its_window(
    warehouse: sa.Engine, gap: tuple[float, float], read: tuple[float, float], rest: list[tuple[float, float]]
) -> None:
    with warehouse.begin() as connection:
        began = gaps.note(connection, [Gap(window(*gap), reason="no run came")])
        gaps.close(connection, Gap(window(*read)), began)
        assert left(connection) == [(WHOLE, *part) for part in rest]


@pytest.mark.parametrize(
    ("reads", "rest"),
    [
        ([(0, 4)], []),
        ([(1, 3)], [(0, 1), (3, 4)]),
        ([(0, 1), (2, 3)], [(1, 2), (3, 4)]),
        ([(0, 2), (1, 5)], []),
        ([(4, 9)], [(0, 4)]),
    ],
)
def test_complete_windows_of_everything_close_what_they_cover_in_every_scope(
    warehouse_on_both: sa.Engine, reads: list[tuple[float, float]], rest: list[tuple[float, float]]
) -> None:
    with warehouse_on_both.begin() as connection:
        began = gaps.note(connection, [Gap(window(0, 4), MARKET, "reopened")])
        for read in reads:
            everything = replace(window(*read), scope=EVERYTHING)
            checkpoints.claim(connection, everything, RUN)
            checkpoints.begin(connection, everything, began)
            checkpoints.finish(connection, everything)
        gaps.restate(connection, "trades", EVERYTHING)
        gaps.note(connection, [Gap(window(0, 4), OTHER, "noted after it was read")])
        gaps.close_everywhere(connection, "trades")
        assert left(connection) == sorted([*((MARKET, *part) for part in rest), (OTHER, 0, 4)], key=lambda gap: gap[1])


def test_a_window_of_everything_that_lacks_anything_counts_for_no_series(warehouse: sa.Engine) -> None:
    everything = replace(window(0, 4), scope=EVERYTHING)
    with warehouse.begin() as connection:
        was_read(connection, everything)
        assert checkpoints.is_covered(connection, window(1, 2))
        gaps.note(connection, [Gap(everything, MARKET, "rejected")])
        gaps.restate(connection, "trades", EVERYTHING)
        assert not checkpoints.is_covered(connection, window(1, 2))
        assert not checkpoints.was_begun(connection, window(1, 2))


def test_accepting_what_everything_lacks_completes_no_series(warehouse: sa.Engine) -> None:
    everything = replace(window(0, 4), scope=EVERYTHING)
    with warehouse.begin() as connection:
        gaps.note(connection, [Gap(window(0, 4), WHOLE, "not read yet")])
        began = gaps.note(connection, [Gap(everything, WHOLE, "HTTP 503")])
        checkpoints.claim(connection, everything, RUN)
        checkpoints.begin(connection, everything, began)
        gaps.accept(connection, everything, None, "only one series is needed")
        checkpoints.finish(connection, everything)
        gaps.restate(connection, "trades", EVERYTHING)
        assert state(connection, everything) == "COMPLETE"
        gaps.close_everywhere(connection, "trades")
        assert left(connection) == [(WHOLE, 0, 4)]
        assert not checkpoints.was_begun(connection, window(0, 4))


def test_everything_counts_for_no_combination(warehouse: sa.Engine) -> None:
    combos = replace(window(0, 4), scope="KXMVEPARLAY")
    with warehouse.begin() as connection:
        began = gaps.note(connection, [Gap(combos, WHOLE, "HTTP 503")])
        everything = replace(window(0, 4), scope=EVERYTHING)
        checkpoints.claim(connection, everything, RUN)
        checkpoints.begin(connection, everything, began)
        checkpoints.finish(connection, everything)
        gaps.restate(connection, "trades", EVERYTHING)
        assert checkpoints.was_begun(connection, window(0, 4))
        assert not checkpoints.was_begun(connection, combos)
        assert gaps.close_everywhere(connection, "trades") == []
        assert gaps.next_to_fill(connection, everything, RUN, inside=False, anywhere=True) is None


def test_what_a_reading_leaves_of_a_gap_keeps_its_age_and_its_reason(warehouse: sa.Engine) -> None:
    since = datetime(2026, 8, 30, 12)  # noqa: DTZ001  # naive UTC, as in the table
    with warehouse.begin() as connection:
        began = gaps.note(connection, [Gap(window(0, 4), reason="no run came")], since=since)
        gaps.close(connection, Gap(window(0, 2)), began)
        (row,) = connection.execute(sa.text("SELECT reason, since_utc FROM kalshi_gap")).all()
    assert tuple(row) == ("no run came", since)


def test_a_gap_noted_while_a_reading_goes_on_outlasts_it(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        began = gaps.begin(connection, Gap(window(0, 4)), RUN)
        gaps.note(connection, [Gap(window(1, 2), MARKET, "rejected: not a number")], RUN)
        gaps.close(connection, Gap(window(0, 4)), began)
        assert left(connection) == [(MARKET, 1, 2)]


def test_of_two_runs_that_read_the_same_gap_either_closes_it(warehouse: sa.Engine) -> None:
    gap = Gap(window(0, 4))
    with warehouse.begin() as connection:
        first = gaps.begin(connection, gap, RUN)
        gaps.begin(connection, gap, RUN + 1)
        gaps.close(connection, gap, first)
        assert left(connection) == []


def test_the_reading_of_one_market_closes_only_its_gaps(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        began = gaps.note(connection, [Gap(window(0, 4), MARKET), Gap(window(0, 4), OTHER), Gap(window(0, 4))])
        gaps.close(connection, Gap(window(0, 4), MARKET), began)
        assert left(connection) == [(WHOLE, 0, 4), (OTHER, 0, 4)]


def test_an_accepted_gap_is_neither_closed_nor_filled(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        began = gaps.note(connection, [Gap(window(0, 4), MARKET, "neither tier knows the market")])
        assert gaps.accept(connection, window(0, 4), MARKET, "the exchange lost it") == 1
        gaps.close(connection, Gap(window(0, 4)), began)
        assert left(connection) == []
        assert gaps.next_to_fill(connection, window(0, 4), RUN, inside=True) is None
        assert len(gaps.listed(connection, accepted=True)) == 1


def test_a_gap_noted_again_counts_its_attempts_and_stays_accepted(warehouse: sa.Engine) -> None:
    gap = Gap(window(0, 4), MARKET, "rejected: not a number")
    with warehouse.begin() as connection:
        gaps.begin(connection, gap, RUN)
        gaps.begin(connection, gap, RUN + 1)
        gaps.accept(connection, gap.window, MARKET, "the exchange lost it")
        gaps.note(connection, [gap], RUN + 2)
        (row,) = connection.execute(sa.text("SELECT attempts, accepted_reason FROM kalshi_gap")).all()
    assert tuple(row) == (2, "the exchange lost it")


def test_the_window_itself_is_filled_before_the_gaps_in_it_and_the_least_tried_of_the_others_first(
    warehouse: sa.Engine,
) -> None:
    with warehouse.begin() as connection:
        gaps.begin(connection, Gap(window(-9, -8)), RUN - 1)  # tried before
        gaps.note(connection, [Gap(window(-5, -4)), Gap(window(-7, -6)), Gap(window(1, 2), MARKET), Gap(window(0, 4))])
        found = []
        for inside in (True, False):
            while gap := gaps.next_to_fill(connection, window(0, 4), RUN, inside=inside):
                found.append((gap.window, gap.market))
                gaps.try_again(connection, gap, RUN)
    order = [(window(0, 4), WHOLE), (window(1, 2), MARKET)]
    assert found == [*order, *((window(start, start + 1), WHOLE) for start in (-7, -5, -9))]


def test_a_gap_of_time_that_can_not_be_proven_yet_waits(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        gaps.note(connection, [Gap(window(2, 6)), Gap(window(4, 6), MARKET)])
        before = DAY_1 + 4 * HOUR
        gap = gaps.next_to_fill(connection, window(0, 6), RUN, inside=True, before=before)
        assert gap == Gap(window(2, 6))
        assert gaps.split(connection, gap, before) == Gap(window(2, 4))
        assert left(connection) == [(WHOLE, 2, 4), (WHOLE, 4, 6), (MARKET, 4, 6)]
        gaps.close(connection, Gap(window(2, 4)), 1_000_000)
        assert gaps.next_to_fill(connection, window(0, 6), RUN, inside=True, before=before) is None


def test_a_gap_waits_while_its_market_is_missing_from_the_parent_job(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        gaps.note(connection, [Gap(window(0, 4), MARKET), Gap(window(-99, 0, "catalog"), MARKET)])
        assert gaps.next_to_fill(connection, window(0, 4), RUN, inside=True) is None
        gaps.close(connection, Gap(window(-99, 0, "catalog")), 1_000_000)
        assert gaps.next_to_fill(connection, window(0, 4), RUN, inside=True) == Gap(window(0, 4), MARKET)


@pytest.mark.parametrize(
    ("candles", "waits"),
    [
        (window(0, 4, "candles"), True),
        (window(3, 9, "candles_from_trades"), True),
        (window(4, 9, "candles"), False),
        (window(0, 4, "trades"), False),
        (replace(window(0, 4, "candles"), scope="KXHIGHDEN"), False),
    ],
)
def test_older_dense_minutes_wait_for_all_candles_of_their_time(
    candles: Window, waits: bool, warehouse: sa.Engine
) -> None:
    dense, later = Gap(window(0, 4, "candles_dense"), MARKET), window(20, 24, "candles_dense")
    with warehouse.begin() as connection:
        gaps.note(connection, [Gap(candles), dense])
        assert gaps.next_to_fill(connection, later, RUN, inside=False) == (None if waits else dense)
        assert gaps.open_gaps(connection, later.job, later.scope, RUN) == ([] if waits else [dense])
        assert gaps.next_to_fill(connection, dense.window, RUN, inside=True) == dense, "its own run knows better"
        gaps.accept(connection, candles, None, "the exchange lost them")
        assert gaps.next_to_fill(connection, later, RUN, inside=False) == dense


def test_a_window_inherits_the_markets_that_its_parents_lack_then(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        gaps.note(connection, [Gap(window(-99, 0, "catalog"), MARKET, "rejected: soon"), Gap(window(0, 4), UNREADABLE)])
        gaps.note(connection, [Gap(window(0, 1), OTHER, "late"), Gap(window(8, 9), "KXHIGHNY-26SEP01-T70", "late")])
        gaps.inherit(connection, window(0, 4), RUN)
        assert (MARKET, 0, 4) in left(connection)
        gaps.inherit(connection, window(0, 4, "candles_from_trades"), RUN)
        assert left(connection, "candles_from_trades") == [(market, 0, 4) for market in (UNREADABLE, MARKET, OTHER)]


def test_a_window_with_a_gap_is_not_complete_until_it_is_filled_or_accepted(warehouse: sa.Engine) -> None:
    read = window(0, 4)
    with warehouse.begin() as connection:
        was_read(connection, read)
        assert state(connection, read) == "COMPLETE"
        gaps.note(connection, [Gap(window(3, 6), MARKET, "late")])
        gaps.restate(connection, "trades", SERIES)
        assert state(connection, read) == "FAILED"
        gaps.accept(connection, window(3, 6), None, "the exchange lost it")
        assert state(connection, read) == "COMPLETE"


def test_new_trades_reopen_what_was_built_without_them_where_it_was_built(warehouse: sa.Engine) -> None:
    built = window(0, 4, "candles_from_trades")
    naive = DAY_1.replace(tzinfo=None)
    with warehouse.begin() as connection:
        was_read(connection, built)
        gaps.reopen(connection, "trades", {MARKET: SERIES}, [(MARKET, naive + 3 * HOUR, naive + 5 * HOUR)])
        gaps.reopen(connection, "trades", {OTHER: SERIES}, [(OTHER, naive + 8 * HOUR, naive + 9 * HOUR)])
        assert left(connection, "candles_from_trades") == [(MARKET, 3, 4)]
        assert left(connection, "candles_dense") == [], "it was never built"
        assert state(connection, built) == "FAILED"


@pytest.mark.parametrize(
    ("before", "after", "jobs"),
    [
        (None, (1, 3), ["trades", "candles_dense"]),
        ((None, None), (1, 3), ["trades", "candles_dense"]),
        ((1, 3), (1, 4), ["trades", "candles_dense"]),
        ((1, 4), (1, 3), ["candles_dense"]),
        ((30, 40), (30, 44), []),
    ],
)
def test_a_market_that_is_new_or_lives_longer_reopens_what_was_read_without_it(
    warehouse: sa.Engine,
    before: tuple[float | None, float | None] | None,
    after: tuple[float, float],
    jobs: list[str],
) -> None:
    def life(edges: tuple[float | None, float | None]) -> Life:
        opens, closes = (None if hour is None else DAY_1.replace(tzinfo=None) + hour * HOUR for hour in edges)
        return Life(SERIES, opens, closes)

    with warehouse.begin() as connection:
        for job in ("trades", "candles_dense"):
            was_read(connection, window(0, 24, job))
        gaps.reopen_lives(connection, [LifeChange(MARKET, life(before) if before else None, life(after))])
        assert [job for job in ("trades", "candles_dense") if left(connection, job)] == jobs
        assert all(market == MARKET for job in jobs for market, *_ in left(connection, job))


def test_hours_that_no_scheduled_run_asked_for_are_noted_day_by_day_with_an_overlap(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        gaps.schedule(connection, window(0, 20), RUN)
        was_read(connection, window(30, 32))  # by hand meanwhile
        gaps.note_unread(connection, window(50, 51), overlap=HOUR)
        assert left(connection) == [(WHOLE, 19, 24), (WHOLE, 24, 30), (WHOLE, 31, 48), (WHOLE, 48, 50)]


@pytest.mark.parametrize(("read", "begins"), [((0, 4), 0), ((-40, -30), 20), (None, 20)])
def test_the_schedule_begins_with_the_first_scheduled_run_or_with_what_was_read_by_hand_lately(
    warehouse: sa.Engine, read: tuple[float, float] | None, begins: float
) -> None:
    with warehouse.begin() as connection:
        if read:
            was_read(connection, window(*read))
        for hour in (20, 30):  # the second one, after the first has failed, changes nothing
            gaps.begin_schedule(connection, window(hour, hour + 1), remembered=DAY, run_id=RUN)
        until = connection.execute(sa.text("SELECT scheduled_until_utc FROM kalshi_schedule")).scalar_one()
    assert until.replace(tzinfo=UTC) == DAY_1 + begins * HOUR


def test_a_schedule_never_goes_back(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        for end in (20, 12):
            gaps.schedule(connection, window(0, end), RUN)
        until = connection.execute(sa.text("SELECT scheduled_until_utc FROM kalshi_schedule")).scalar_one()
    assert until.replace(tzinfo=UTC) == DAY_1 + 20 * HOUR


def test_a_gap_that_a_living_run_reads_is_not_left_and_one_of_a_dead_run_is(warehouse: sa.Engine) -> None:
    def beat(connection: sa.Connection, minutes: int) -> None:
        connection.execute(
            sa.text(
                "REPLACE INTO kalshi_sync_run (run_id, job, scope, state, heartbeat_at_utc) VALUES "
                "(9, 'trades', 'KXHIGHNY', 'running', CURRENT_TIMESTAMP(6) - INTERVAL :minutes MINUTE)"
            ),
            {"minutes": minutes},
        )

    with warehouse.begin() as connection:
        gaps.begin(connection, Gap(window(0, 4)), 9)
        beat(connection, 0)
        assert left(connection) == []
        beat(connection, 60 * 24)
        assert left(connection) == [(WHOLE, 0, 4)]


def test_numbers_of_gaps_grow_although_the_clock_goes_back(warehouse: sa.Engine) -> None:
    def note(clock: str) -> int:
        def work(connection: sa.Connection) -> int:
            connection.exec_driver_sql(f"SET timestamp = UNIX_TIMESTAMP('{clock}')")
            number = gaps.note(connection, [Gap(window(0, 4), MARKET)])
            connection.exec_driver_sql("SET timestamp = DEFAULT")
            return number

        return in_transaction(warehouse, work)

    assert note("2026-09-02 00:00:00") < note("2026-09-01 00:00:00")


def test_a_market_that_turns_out_to_be_of_another_series_reopens_what_that_read_without_it(
    warehouse: sa.Engine,
) -> None:
    opens, closes = (DAY_1.replace(tzinfo=None) + hour * HOUR for hour in (1, 3))
    with warehouse.begin() as connection:
        was_read(connection, window(0, 24))
        change = LifeChange(MARKET, Life("KXHIGH", opens, closes), Life(SERIES, opens, closes))
        gaps.reopen_lives(connection, [change])
        assert left(connection) == [(MARKET, 1, 3)]
