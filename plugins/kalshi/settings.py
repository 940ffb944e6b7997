"""The settings that users edit: ``kalshi.toml``, read into frozen dataclasses; and where the package's files are."""

from __future__ import annotations

import functools
import os
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

PACKAGE = Path(__file__).resolve().parent
HOLDER = PACKAGE if (PACKAGE / "include").is_dir() else PACKAGE.parents[1]
"""What holds include/ and dags/: the installed package, or the repository."""
INCLUDE, DAGS = HOLDER / "include", HOLDER / "dags"
PROJECT = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() if HOLDER == PACKAGE else HOLDER
"""Where reports go by default: Airflow's home where the package is installed, else the repository."""
SEVERITIES = ("error", "warning", "info")
"""The severities of a failed data quality check, from worst to harmless."""


class SettingsError(ValueError):
    """``kalshi.toml`` is unusable; the message says where and why."""


@dataclass(frozen=True)
class SeriesSettings:
    """One configured series, its city, IANA time zone and weather station."""

    ticker: str
    city: str
    time_zone: str
    station: str


@dataclass(frozen=True)
class DecisionTime:
    """When a strategy decides: ``time`` is local to the city, ``day`` counts days from the event's own."""

    name: str
    day: int
    time: time

    def __post_init__(self) -> None:
        if self.name == "open":
            raise ValueError("a decision time can't be named open: that name means the market's own open")


@dataclass(frozen=True)
class CheckRule:
    """How to judge a data quality rule. ``severity`` of a failure: error, warning or info; ``mostly``: the share
    of rows that must pass."""

    severity: str
    mostly: float = 1.0

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES or not 0 <= self.mostly <= 1:
            raise ValueError(f"severity must be one of {', '.join(SEVERITIES)} and mostly from 0 to 1, not {self}")


@dataclass(frozen=True)
class Readiness:
    """The small backtest: the latest ``events`` of each series, and the seeded random fills of a maker."""

    events: int
    maker_fill_probability: float
    seed: int


@dataclass(frozen=True)
class QualitySettings:
    """What counts as good data: minutes, dollars, and the ``checks`` by name. ``samples``: failing rows to show."""

    quote_minutes: int
    gap_minutes: int
    open_minutes: int
    max_spread: Decimal
    strike_step: Decimal
    samples: int
    readiness: Readiness
    checks: dict[str, CheckRule]

    @classmethod
    def read(cls, values: dict[str, Any]) -> QualitySettings:
        """From the table ``quality`` of the file."""
        numbers = {name: Decimal(values[name]) for name in ("max_spread", "strike_step")}
        checks = {name: CheckRule(**rule) for name, rule in values["checks"].items()}
        return cls(**{**values, **numbers, "readiness": Readiness(**values["readiness"]), "checks": checks})


@dataclass(frozen=True)
class ReconciliationSettings:
    """What still counts as proven: contracts of difference between the exchange's volume and that of the trades or
    candles, and dollars between the mean of a candle and of its trades.

    ``wait_days``: before a market that stays unproven is read again; ``most_read_again``: markets per series and run.
    """

    trades_contracts: Decimal = Decimal(0)
    candles_contracts: Decimal = Decimal(0)
    mean_dollars: Decimal = Decimal("0.0001")
    wait_days: float = 7
    most_read_again: int = 200

    @classmethod
    def read(cls, values: dict[str, Any]) -> ReconciliationSettings:
        """From the table ``reconciliation`` of the file."""
        exact = {name: Decimal(values[name]) for name in ("trades_contracts", "candles_contracts", "mean_dollars")}
        return cls(**{**values, **exact})


@dataclass(frozen=True)
class NotifierSettings:
    """One of Airflow's notifiers: its class, as module and name, and its ``arguments``, which may hold templates."""

    notifier: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Settings:
    """``rejected_share``: above this share of rejected records a task fails after loading the rest.

    ``grace_minutes``: a window is only complete once its end lies this far back on the exchange's clock.
    ``candles_start``: the first day that the daily candles catchup fills; ``candles_dense``: whether
    ``kalshi_candle_1m_dense`` is built.
    ``subaccounts``: of the portfolio.
    ``reports_kept``: per DAG; ``snapshots_kept_days``: None keeps all.
    ``retry_delay_seconds``: before the first of ``task_retries``; it doubles with each retry.
    ``reports_url``: where the reports folder is served, or empty; ``notifiers``: how people are alerted to failed runs.
    """

    series: tuple[SeriesSettings, ...]
    decision_times: tuple[DecisionTime, ...]
    candles_start: datetime
    candles_dense: bool
    subaccounts: tuple[int, ...]
    rejected_share: float
    grace_minutes: float
    reports_folder: Path
    reports_kept: int
    snapshots_kept_days: int | None
    task_retries: int
    retry_delay_seconds: float
    reports_url: str
    notifiers: tuple[NotifierSettings, ...]
    quality: QualitySettings
    reconciliation: ReconciliationSettings

    @property
    def series_tickers(self) -> list[str]:
        return [series.ticker for series in self.series]

    def time_zone(self, series_ticker: str) -> ZoneInfo | None:
        """The time zone of a configured series; None for any other."""
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
            grace_minutes=float(values["tolerances"].get("grace_minutes", 10)),
            reports_folder=PROJECT / folder,
            reports_kept=int(values["reports"]["keep"]),
            snapshots_kept_days=int(values["snapshots"]["keep_days"]) or None,
            task_retries=int(values["tasks"]["retries"]),
            retry_delay_seconds=float(values["tasks"]["retry_delay_seconds"]),
            reports_url=str(values["reports"].get("url", "")).rstrip("/"),
            notifiers=tuple(NotifierSettings(**notifier) for notifier in values.get("alerts", [])),
            quality=QualitySettings.read(values["quality"]),
            reconciliation=ReconciliationSettings.read(values["reconciliation"]),
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise SettingsError(f"{path} can't be used: {type(error).__name__}: {error}") from error
