"""The settings that users edit: ``kalshi.toml``, each table of it a Struct; and where the package's files are."""

from __future__ import annotations

import functools
import os
import tomllib
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct, field

PACKAGE = Path(__file__).resolve().parent
HOLDER = PACKAGE if (PACKAGE / "include").is_dir() else PACKAGE.parents[1]
"""What holds include/ and dags/: the installed package, or the repository."""
INCLUDE, DAGS = HOLDER / "include", HOLDER / "dags"
PROJECT = Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() if HOLDER == PACKAGE else HOLDER
"""Where reports go by default: Airflow's home where the package is installed, else the repository."""
POOL = "kalshi_api"
"""Airflow's pool of the tasks that send requests to the exchange."""
MOST_TASKS = 64
"""A pattern of series may name no more than this: each is a task of its own."""
Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""The severities of a failed data quality check, from worst to harmless."""
Whole = Annotated[int, Meta(ge=0)]
Amount = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]


class SettingsError(ValueError):
    """``kalshi.toml`` is unusable; the message says where and why."""


class _Table(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file: an unknown key, a missing one and a value of another type are errors."""


class SeriesSettings(_Table, frozen=True):
    """One configured series, its city, IANA time zone and weather station."""

    ticker: str
    city: str
    time_zone: str
    station: str

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (LookupError, OSError, ValueError) as error:
            raise ValueError(f"{self.time_zone!r} is not a time zone of the IANA database") from error


class DecisionTime(_Table, frozen=True):
    """When a strategy decides: ``time`` is local to the city, ``day`` counts days from the event's own."""

    name: str
    day: int
    time: time

    def __post_init__(self) -> None:
        if self.name == "open":
            raise ValueError("a decision time can't be named open: that name means the market's own open")


class CheckRule(_Table, frozen=True):
    """How to judge a data quality rule: how severe a failure is, and the share of rows that must pass."""

    severity: Severity
    mostly: Share = 1.0


class Readiness(_Table, frozen=True):
    """The small backtest: the latest ``events`` of each series, and the seeded random fills of a maker."""

    events: Whole
    maker_fill_probability: Share
    seed: int


class QualitySettings(_Table, frozen=True):
    """What counts as good data: minutes, dollars, and the ``checks`` by name. ``samples``: failing rows to show."""

    quote_minutes: Whole
    gap_minutes: Whole
    open_minutes: Whole
    max_spread: Decimal
    strike_step: Decimal
    samples: Whole
    readiness: Readiness
    checks: dict[str, CheckRule]


class ReconciliationSettings(_Table, frozen=True):
    """What still counts as proven: contracts of difference between the exchange's volume and that of the trades or
    candles, and dollars between the mean of a candle and of its trades.

    ``wait_days``: before a market that stays unproven is read again; ``most_read_again``: markets per task.
    """

    trades_contracts: Decimal = Decimal(0)
    candles_contracts: Decimal = Decimal(0)
    mean_dollars: Decimal = Decimal("0.0001")
    wait_days: Amount = 7
    most_read_again: Whole = 200


class NotifierSettings(_Table, frozen=True):
    """One of Airflow's notifiers: its class, as module and name, and its ``arguments``, which may hold templates."""

    notifier: str
    arguments: dict[str, Any] = field(default_factory=dict)


class ReportsSettings(_Table, frozen=True):
    """``keep``: how many reports per DAG; ``url``: where the folder is served, or empty."""

    folder: str
    keep: Whole
    url: str = ""

    @property
    def path(self) -> Path:
        """The folder; ``KALSHI_REPORTS_FOLDER`` overrides it."""
        return PROJECT / (os.environ.get("KALSHI_REPORTS_FOLDER") or self.folder)


class SnapshotsSettings(_Table, frozen=True):
    """``keep_days``: after which snapshots are pruned; 0 keeps them all."""

    keep_days: Whole


class Tolerances(_Table, frozen=True):
    """``rejected_share``: above this share of rejected records a task fails after loading the rest.

    ``grace_minutes``: a window is only complete once its end lies this far back on the exchange's clock.
    """

    rejected_share: Share
    grace_minutes: Amount = 10


class TasksSettings(_Table, frozen=True):
    """``retry_delay_seconds``: before the first of the ``retries``; it doubles with each."""

    retries: Whole
    retry_delay_seconds: Amount


class CatalogSettings(_Table, frozen=True):
    """``archive_days``: after which the historical tier's markets are read again."""

    archive_days: Amount = 7


class CandlesSettings(_Table, frozen=True):
    """``start_date``: the first day that the daily catchup fills; ``dense``: whether ``kalshi_candle_1m_dense`` is
    built."""

    start_date: date
    dense: bool

    @property
    def start(self) -> datetime:
        """When the first day begins, aware UTC."""
        return datetime.combine(self.start_date, time(), UTC)


class RetentionSettings(_Table, frozen=True):
    """How many months to keep before the current one; 0 keeps all. ``schedule``: when to run, as in cron, or empty;
    ``dry_run``: only count them; ``export_folder``: where dropped months are kept as Parquet files, or empty."""

    schedule: str = ""
    dry_run: bool = True

    dense_months: Whole = 0
    candles_months: Whole = 0
    trades_months: Whole = 0
    snapshots_months: Whole = 0
    export_folder: str = ""

    @property
    def export_path(self) -> Path | None:
        return PROJECT / self.export_folder if self.export_folder else None


class PortfolioSettings(_Table, frozen=True):
    subaccounts: tuple[Whole, ...]


class Settings(_Table, frozen=True):
    """The whole file. ``alerts``: how people are alerted to failed runs."""

    reports: ReportsSettings
    snapshots: SnapshotsSettings
    tolerances: Tolerances
    tasks: TasksSettings
    candles: CandlesSettings
    portfolio: PortfolioSettings
    quality: QualitySettings
    decision_times: tuple[DecisionTime, ...]
    series: tuple[SeriesSettings, ...]
    catalog: CatalogSettings = CatalogSettings()
    reconciliation: ReconciliationSettings = ReconciliationSettings()
    retention: RetentionSettings = RetentionSettings()
    alerts: tuple[NotifierSettings, ...] = ()

    @property
    def series_tickers(self) -> list[str]:
        return [series.ticker for series in self.series]

    @property
    def cities(self) -> dict[str, str]:
        """The city of each configured series."""
        return {series.ticker: series.city for series in self.series}

    def time_zone(self, series_ticker: str) -> ZoneInfo | None:
        """The time zone of a configured series; None for any other."""
        return next((ZoneInfo(s.time_zone) for s in self.series if s.ticker == series_ticker), None)


@functools.cache
def load_settings() -> Settings:
    """Read the settings once per process. ``KALSHI_SETTINGS`` names another file.

    Raises:
        SettingsError: the file is missing or isn't TOML; a value is missing, of another type or out of range; or a key
            isn't known.
    """
    path = Path(os.environ.get("KALSHI_SETTINGS", INCLUDE / "kalshi.toml"))
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Settings)
    except (OSError, ValueError) as error:  # of which TOMLDecodeError and ValidationError are kinds
        raise SettingsError(f"{path} can't be used: {error}") from error
