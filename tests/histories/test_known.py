"""Histories that once ended in data missing without a word, and for good."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.histories.play import replay
from tests.histories.steps import (
    At,
    Cutoff,
    Hour,
    Late,
    Mend,
    Pause,
    Prune,
    Reread,
    Return,
    Run,
    Skew,
    Spoil,
    Terse,
    Vanish,
)

BOTH = ("api_event", "trades")


@pytest.mark.parametrize("requests", range(1, 6))
def test_a_retry_remembers_what_the_attempt_before_it_could_not_read(
    shared_warehouse: sa.Engine, requests: int
) -> None:
    replay(
        shared_warehouse,
        At("00:12:00"),
        Run("catalog"),
        Spoil("trade", "A"),
        Run("trades", fail=requests, lenient=True),
        Run("trades", retry=True, lenient=True),
        Mend(),
        At("03:30:00"),
        Hour(),
    )


def test_a_market_that_can_not_be_read_is_missed_by_the_day_that_needs_it(shared_warehouse: sa.Engine) -> None:
    replay(
        shared_warehouse,
        At("00:12:00"),
        Spoil("market", "A"),
        Run("candles", lenient=True),
        Mend(),
        Hour(),
        sources=BOTH,
    )


def test_a_market_that_the_hourly_catalog_could_not_read_is_missed_by_the_other_jobs(
    shared_warehouse: sa.Engine,
) -> None:
    replay(
        shared_warehouse,
        At("00:12:00"),
        Spoil("market", "A"),
        Run("catalog", lenient=True),
        Run("trades"),
        Run("candles"),
        Mend(),
        Hour(),
    )


@pytest.mark.parametrize("days", [8, 29, 31, 45])
def test_trades_of_a_long_pause_are_read(shared_warehouse: sa.Engine, days: int) -> None:
    replay(shared_warehouse, At("01:00:02"), Hour(), Pause(days), Hour())


@pytest.mark.parametrize("requests", [0, 3])
def test_hours_of_the_first_run_ever_are_read_although_it_failed(shared_warehouse: sa.Engine, requests: int) -> None:
    replay(shared_warehouse, At("00:12:00"), Run("trades", fail=requests), At("03:30:00"), Run("trades"))


def test_hours_of_a_first_run_that_learnt_not_even_the_time_are_read_after_a_pause(shared_warehouse: sa.Engine) -> None:
    replay(
        shared_warehouse,
        At("00:31:00"),
        Run("trades", fail=0, how="lost"),
        Reread("trades", days=3, kill=20),
        Pause(29),
        At("00:00:05"),
        Hour(),
    )


def test_a_trade_that_was_held_back_is_published_when_it_is_let_go(shared_warehouse: sa.Engine) -> None:
    replay(shared_warehouse, Late("trade", 58), At("00:00:01"), Hour(), Late("trade", 1))


def test_a_candle_published_after_the_end_of_its_day_is_read(shared_warehouse: sa.Engine) -> None:
    replay(shared_warehouse, At("16:00:00"), Late("candle", 1, "A"), At("00:00:05"), Hour())


def test_a_day_is_read_to_its_end_by_a_machine_whose_clock_is_fast(shared_warehouse: sa.Engine) -> None:
    replay(shared_warehouse, At("16:00:00"), Skew(3), At("00:00:01"), Hour())


@pytest.mark.parametrize("job", ["candles", "trades"])
def test_the_last_minutes_of_a_day_are_read_again_only_once_nothing_of_them_can_still_be_published(
    shared_warehouse: sa.Engine, job: str
) -> None:
    late = Late(job.removesuffix("s"), 9, "A")
    replay(shared_warehouse, At("16:00:00"), late, At("00:00:01"), Reread(job), At("00:00:05"), Reread(job, ago=1))


def test_candles_from_trades_wait_for_the_last_trades_of_the_day(shared_warehouse: sa.Engine) -> None:
    late = Late("trade", 1, "A")
    replay(shared_warehouse, At("16:00:00"), late, At("00:00:01"), Run("candles"), At("00:31:00"), Hour(), sources=BOTH)


def test_the_run_of_an_older_day_fills_the_minutes_that_a_later_run_left(shared_warehouse: sa.Engine) -> None:
    replay(
        shared_warehouse,
        At("23:59:30"),
        Hour(),
        Pause(8),
        Skew(60),
        At("00:00:05"),
        Run("candles", kill=16),
        Pause(8),
        sources=BOTH,
    )


@pytest.mark.parametrize("job", ["candles", "trades"])
def test_a_day_read_by_hand_while_the_exchange_is_still_in_it_is_read_to_its_end(
    shared_warehouse: sa.Engine, job: str
) -> None:
    replay(shared_warehouse, At("16:00:00"), Skew(60), At("00:00:05"), Reread(job), At("00:31:00"), Hour())


def test_a_market_listed_after_the_end_of_the_day_is_read(shared_warehouse: sa.Engine) -> None:
    replay(shared_warehouse, At("09:00:00"), Late("market", 31, "B"), At("00:00:05"), Hour())


def test_a_market_listed_late_has_its_trades_from_its_opening_on(shared_warehouse: sa.Engine) -> None:
    replay(
        shared_warehouse,
        At("09:00:00"),
        Run("trades"),
        Late("market", 200, "A"),
        At("01:00:02"),
        Run("trades"),
        At("03:30:00"),
        Hour(),
    )


def test_the_last_trades_before_a_pause_are_read_although_candles_needed_those_after_it(
    shared_warehouse: sa.Engine,
) -> None:
    replay(
        shared_warehouse,
        At("23:45:30"),
        Late("trade", 58, "B"),
        At("00:12:00"),
        Run("candles"),
        Run("trades"),
        At("23:59:30"),
        At("00:31:00"),
        Run("candles"),
        Run("trades"),
        sources=BOTH,
    )


def test_candles_from_trades_have_the_trades_that_came_late(shared_warehouse: sa.Engine) -> None:
    replay(shared_warehouse, At("16:00:00"), Late("trade", 25, "A"), At("00:12:00"), Hour(), sources=BOTH)


@pytest.mark.parametrize("is_terse", [True, False])
def test_a_market_that_moved_to_the_archive_before_its_day_was_read_has_its_candles(
    shared_warehouse: sa.Engine, is_terse: bool
) -> None:
    replay(shared_warehouse, Terse(is_terse), At("00:12:00"), Run("catalog"), At("09:00:00"), Cutoff(2), Run("candles"))


def test_a_market_that_no_tier_knew_is_read_once_it_is_back(shared_warehouse: sa.Engine) -> None:
    replay(shared_warehouse, At("00:12:00"), Run("catalog"), Vanish("A"), Run("candles"), Run("trades"), Return())


def test_a_market_that_first_appears_in_the_archive_is_found_when_that_is_read_again(
    shared_warehouse: sa.Engine,
) -> None:
    replay(
        shared_warehouse,
        Vanish("A"),
        At("00:31:00"),
        Hour(),
        Pause(45),
        Run("catalog"),
        Cutoff(2),
        Pause(31),
        At("00:05:00"),
        Hour(),
        At("01:00:02"),
        Hour(),
    )


def test_a_market_without_open_and_close_time_is_missed(shared_warehouse: sa.Engine) -> None:
    replay(shared_warehouse, At("00:12:00"), Spoil("times", "A"), Hour(), At("03:30:00"), Hour(), Mend())


def test_a_market_whose_times_the_archive_lacked_is_looked_up_until_it_has_them(shared_warehouse: sa.Engine) -> None:
    replay(
        shared_warehouse,
        At("00:00:05"),
        Hour(),
        At("03:30:00"),
        Hour(),
        Spoil("times", "A"),
        Pause(29),
        At("23:59:30"),
        Cutoff(100),
        Run("catalog"),
        Pause(29),
        At("23:59:58"),
        Hour(),
    )


@pytest.mark.parametrize("transaction", range(1, 16))
def test_dense_minutes_follow_a_forced_day_whose_run_was_killed(shared_warehouse: sa.Engine, transaction: int) -> None:
    replay(
        shared_warehouse,
        At("16:00:00"),
        Late("market", 121, "B"),
        At("00:12:00"),
        Reread(days=2, force=False),
        At("02:00:05"),
        Run("catalog"),
        Reread(days=1, kill=transaction),
        Hour(),
    )


@pytest.mark.parametrize("transaction", range(1, 9))
def test_dense_minutes_follow_days_whose_run_was_killed_at_once(shared_warehouse: sa.Engine, transaction: int) -> None:
    replay(
        shared_warehouse,
        Pause(8),
        At("01:00:02"),
        Reread(days=2, kill=transaction),
        Run("candles"),
        sources=BOTH,
    )


def test_candles_are_not_built_from_trades_that_were_read_before_the_last_could_be_published(
    shared_warehouse: sa.Engine,
) -> None:
    replay(
        shared_warehouse,
        Late("trade", 58),
        Reread(ago=3),
        At("00:12:00"),
        Run("trades"),
        At("00:31:00"),
        Run("candles"),
        sources=BOTH,
    )


def test_a_retry_knows_where_the_archive_ends_by_now(shared_warehouse: sa.Engine) -> None:
    replay(
        shared_warehouse,
        Run("trades", fail=2, lenient=True),
        Pause(29),
        Run("trades", fail=2, lenient=True),
        Cutoff(20),
        Run("trades"),
    )


def test_days_of_the_archive_are_not_filled_before_its_markets_are_known(shared_warehouse: sa.Engine) -> None:
    replay(shared_warehouse, Run("trades", fail=2, lenient=True), Pause(29), Cutoff(240), Run("trades"))


@pytest.mark.parametrize("what", ["trades", "dense", "candles"])
@pytest.mark.parametrize("kill", [None, 3])
def test_months_that_were_dropped_on_purpose_stay_away_and_nothing_else_does(
    shared_warehouse: sa.Engine, what: str, kill: int | None
) -> None:
    replay(
        shared_warehouse,
        At("03:30:00"),
        Hour(),
        Pause(8),
        At("03:30:00"),
        Hour(),
        Pause(45),
        Hour(),
        Prune(what, kill=kill),
        At("03:30:00"),
        Hour(),
        Prune(what),
        sources=BOTH,
    )
