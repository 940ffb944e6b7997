"""The day that a run of a daily DAG covers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pendulum
import pytest

from kalshi.timetables import DayOfDate

DAILY = DayOfDate(datetime(2026, 9, 1, tzinfo=UTC))
DAY = timedelta(days=1)


def by_hand(moment: datetime) -> tuple[datetime, datetime]:
    interval = DAILY.infer_manual_data_interval(run_after=pendulum.instance(moment))
    return interval.start, interval.end


@pytest.mark.parametrize(
    "moment", ["2026-09-20T00:00:00+00:00", "2026-09-20T15:30:00+00:00", "2026-09-19T20:00:00-04:00"]
)
def test_a_run_by_hand_covers_the_day_of_its_date(moment: str) -> None:
    assert by_hand(datetime.fromisoformat(moment)) == (
        datetime(2026, 9, 20, tzinfo=UTC),
        datetime(2026, 9, 21, tzinfo=UTC),
    )


@pytest.mark.parametrize("ahead", [timedelta(0), 5 * DAY])
def test_a_run_by_hand_for_a_day_that_is_not_over_covers_the_last_whole_one(ahead: timedelta) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    assert by_hand(datetime.now(UTC) + ahead) == (today - DAY, today)


def test_a_run_by_hand_covers_what_the_scheduled_run_of_that_date_covers() -> None:
    from airflow.timetables.base import TimeRestriction

    first = pendulum.datetime(2026, 9, 20)
    scheduled = DAILY.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(earliest=first, latest=None, catchup=True)
    )
    assert scheduled
    assert scheduled.logical_date == first
    assert scheduled.data_interval == DAILY.infer_manual_data_interval(run_after=first)


def test_a_run_by_hand_before_the_start_date_is_refused_in_words() -> None:
    assert by_hand(datetime(2026, 9, 1, tzinfo=UTC))[0] == DAILY.start_date
    with pytest.raises(ValueError, match="2026-08-31 is before the DAG's start date 2026-09-01"):
        by_hand(datetime(2026, 8, 31, 23, 59, tzinfo=UTC))


def test_the_scheduler_gets_the_same_timetable_from_the_metadata_database() -> None:
    again = DayOfDate.deserialize(json.loads(json.dumps(DAILY.serialize())))
    assert (again, again.start_date, again.summary) == (DAILY, DAILY.start_date, DAILY.summary)
