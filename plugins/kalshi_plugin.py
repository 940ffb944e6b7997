"""What this project adds to Airflow itself."""

from __future__ import annotations

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from kalshi.timetables import DayOfDate


class KalshiPlugin(AirflowPlugin):
    """Found by Airflow in its plugins folder."""

    name = "kalshi"
    timetables: list[Any] = [DayOfDate]  # noqa: RUF012  # as Airflow's own class declares it
