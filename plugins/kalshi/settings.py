"""The facts that users edit: ``include/kalshi.toml``, read into frozen dataclasses."""

from __future__ import annotations

import functools
import os
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

PROJECT = Path(__file__).resolve().parents[2]
INCLUDE = PROJECT / "include"


class SettingsError(ValueError):
    """``kalshi.toml`` can't be used; the message says where and why."""


@dataclass(frozen=True)
class SeriesSettings:
    """One configured series, its city, IANA time zone and weather station."""

    ticker: str
    city: str
    time_zone: str
    station: str


@dataclass(frozen=True)
class DecisionTime:
    """When a strategy decides: ``time`` local to the city, ``day`` days after the event's own."""

    name: str
    day: int
    time: time


@dataclass(frozen=True)
class Settings:
    """``rejected_share``: above this share of rejected records a task fails after loading the rest.

    ``candles_start``: the first day that the daily catchup of candles fills; ``candles_dense``: whether
    ``kalshi_candle_1m_dense`` is built.
    ``subaccounts``: of the portfolio.
    ``reports_kept``: per DAG; ``snapshots_kept_days``: None keeps all.
    ``retry_delay_seconds``: before the first of ``task_retries``; it doubles with each.
    """

    series: tuple[SeriesSettings, ...]
    decision_times: tuple[DecisionTime, ...]
    candles_start: datetime
    candles_dense: bool
    subaccounts: tuple[int, ...]
    rejected_share: float
    reports_folder: Path
    reports_kept: int
    snapshots_kept_days: int | None
    task_retries: int
    retry_delay_seconds: float

    @property
    def series_tickers(self) -> list[str]:
        return [series.ticker for series in self.series]

    def time_zone(self, series_ticker: str) -> ZoneInfo | None:
        """The time zone of a configured series; None of any other."""
        return next((ZoneInfo(s.time_zone) for s in self.series if s.ticker == series_ticker), None)


@functools.cache
def load_settings() -> Settings:
    """Read the settings once per process.

    ``KALSHI_SETTINGS`` names another file; ``KALSHI_REPORTS_FOLDER`` overrides the reports folder.

    Raises:
        SettingsError: the file is missing, isn't TOML, or lacks a value.
    """
    path = Path(os.environ.get("KALSHI_SETTINGS", INCLUDE / "kalshi.toml"))
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        folder = os.environ.get("KALSHI_REPORTS_FOLDER") or values["reports"]["folder"]
        return Settings(
            series=tuple(SeriesSettings(**series) for series in values["series"]),
            decision_times=tuple(DecisionTime(**decision) for decision in values["decision_times"]),
            candles_start=datetime.combine(values["candles"]["start_date"], time(), UTC),
            candles_dense=bool(values["candles"]["dense"]),
            subaccounts=tuple(int(number) for number in values["portfolio"]["subaccounts"]),
            rejected_share=float(values["tolerances"]["rejected_share"]),
            reports_folder=PROJECT / folder,
            reports_kept=int(values["reports"]["keep"]),
            snapshots_kept_days=int(values["snapshots"]["keep_days"]) or None,
            task_retries=int(values["tasks"]["retries"]),
            retry_delay_seconds=float(values["tasks"]["retry_delay_seconds"]),
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"{path} can't be used: {type(error).__name__}: {error}") from error
