"""When DAGs run, and which data interval a run covers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import DateTime
from pendulum import now as pendulum_now


class DayOfDate(CronDataIntervalTimetable):
    """UTC days; a manual run covers the day of its logical date, like the scheduled run of that date.

    Airflow's own timetable covers the day before: ``airflow dags test DAG 2026-09-20`` would read the 19th.
    ``start_date``: the DAG's. For a manual run before it, Airflow runs no tasks and reports success, so such
    a run is refused. ``grace``: scheduled runs start this long after their day has ended, when the exchange has
    published all of it.
    """

    def __init__(self, start_date: datetime, grace: timedelta = timedelta(0)) -> None:
        super().__init__("@daily", timezone="UTC")
        self.start_date = start_date
        self.grace = grace

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The next day's run."""
        info = super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )
        return info._replace(run_after=info.run_after + self.grace) if info else None

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        """The UTC day of ``run_after``, or the last complete day if that one isn't over yet.

        Raises:
            ValueError: the day is before the start date.
        """
        last_whole_day = pendulum_now("UTC").start_of("day").subtract(days=1)
        start = min(run_after.in_timezone("UTC").start_of("day"), last_whole_day)
        if start < self.start_date:
            raise ValueError(
                f"{start:%Y-%m-%d} is before the DAG's start date {self.start_date:%Y-%m-%d}, and Airflow runs no "
                "tasks of such a manual run. Use the backfill DAG or airflow backfill create, or set an earlier start "
                "date."
            )
        return DataInterval(start=start, end=start.add(days=1))

    def serialize(self) -> dict[str, Any]:
        return {"start_date": self.start_date.isoformat(), "grace_seconds": self.grace.total_seconds()}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> DayOfDate:
        grace = timedelta(seconds=data.get("grace_seconds", 0))
        return cls(datetime.fromisoformat(data["start_date"]), grace)
