"""When DAGs run, and which data interval a run stands for."""

from __future__ import annotations

from airflow.timetables.base import DataInterval
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import DateTime
from pendulum import now as pendulum_now


class DayOfDate(CronDataIntervalTimetable):
    """UTC days; a run by hand covers the day of its logical date, as the scheduled run of that date does.

    Airflow's own timetable takes the day before: ``airflow dags test DAG 2026-09-20`` would read the 19th.
    """

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """The UTC day that ``run_after`` lies in, or the last whole one where that isn't over."""
        last_whole_day = pendulum_now("UTC").start_of("day").subtract(days=1)
        start = min(run_after.in_timezone("UTC").start_of("day"), last_whole_day)
        return DataInterval(start=start, end=start.add(days=1))
