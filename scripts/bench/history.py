"""A long backfill through Airflow at the exchange's rate limit: how much of the limit it uses, with and without dense
minutes, how much disk a row takes, and how long a day's quality run takes on it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from tabulate import tabulate

from sandbox import process as sandbox_process
from sandbox.weather import CITIES
from scripts import airflow_home, airflow_process
from scripts.airflow_api import AirflowApi
from scripts.bench import CLOCK
from scripts.bench.backfill import DAG, LIMIT, environment, seen_by_exchange
from scripts.bench.contest import fresh_warehouse
from scripts.bench.quality import seconds_of
from scripts.private_server import PrivateServer, free_port

SERIES = ["KXHIGHNY", "KXHIGHCHI", *sorted({city.series for city in CITIES} - {"KXHIGHNY", "KXHIGHCHI"})]
LAST = datetime(2026, 9, 19, tzinfo=UTC)
"""The day before the sandbox's clock."""
CHUNK_DAYS = 30
BEFORE = timedelta(days=3)
"""The sandbox's events begin so much earlier."""
TABLES = ("kalshi_candle_1m", "kalshi_candle_1m_dense")
ALL_DAYS = (LAST - datetime(2023, 1, 1, tzinfo=UTC)).days + 1
"""Of all SERIES: the history that the time of is extrapolated to."""


@dataclass(frozen=True)
class Outcome:
    """One backfill. ``requests`` received per unix second; ``ended``: the last of its jobs, in unix seconds; ``rows``
    and ``bytes`` on disk by table; ``quality_seconds``: of the newest day of all its series."""

    dense: bool
    series: int
    days: int
    requests: dict[int, int]
    refused: int
    ended: float
    rows: dict[str, int]
    bytes: dict[str, int]
    quality_seconds: float

    @property
    def seconds(self) -> float:
        """From the first request to the end of the last job, which may build dense minutes long after its requests."""
        return self.ended - min(self.requests)

    @property
    def used(self) -> float:
        """The share of the limit used."""
        return sum(self.requests.values()) / (LIMIT * self.seconds)

    @property
    def all_hours(self) -> float:
        """How long all configured series since 2023 would take."""
        return self.seconds * len(SERIES) / self.series * ALL_DAYS / self.days / 3600

    def a_row(self, table: str) -> str:
        """Bytes on disk."""
        return f"{self.bytes[table] / self.rows[table]:.0f}" if self.rows[table] else "none"


def measure(folder: Path, server: PrivateServer, series: int, days: int, dense: Sequence[bool]) -> str:
    """The table: a backfill of ``days`` of that many SERIES for each of ``dense``, whether with dense minutes."""
    outcomes = [_backfill(folder / f"dense_{each}", server, SERIES[:series], days, dense=each) for each in dense]
    cells = [
        ["with dense minutes", *("yes" if each.dense else "no" for each in outcomes)],
        ["series", *(str(each.series) for each in outcomes)],
        ["days of each", *(f"{each.days:,}" for each in outcomes)],
        ["candles", *(f"{each.rows[TABLES[0]]:,}" for each in outcomes)],
        ["dense minutes", *(f"{each.rows[TABLES[1]]:,}" for each in outcomes)],
        ["requests", *(f"{sum(each.requests.values()):,}" for each in outcomes)],
        ["of them refused with 429", *(f"{each.refused:,}" for each in outcomes)],
        ["seconds", *(f"{each.seconds:,.0f}" for each in outcomes)],
        [f"share of the limit of {LIMIT} a second used", *(f"{each.used:.2f}" for each in outcomes)],
        ["bytes on disk of a candle", *(each.a_row(TABLES[0]) for each in outcomes)],
        ["bytes on disk of a dense minute", *(each.a_row(TABLES[1]) for each in outcomes)],
        ["seconds of a day's quality run, the first", *(f"{each.quality_seconds:.1f}" for each in outcomes)],
        ["so seven series since 2023, hours", *(f"{each.all_hours:.1f}" for each in outcomes)],
    ]
    return tabulate(cells, tablefmt="plain", disable_numparse=True, colalign=("left", *["right"] * len(outcomes)))


def _backfill(folder: Path, server: PrivateServer, series: list[str], days: int, *, dense: bool) -> Outcome:
    first = LAST - timedelta(days=days - 1)
    since = (first - BEFORE).date()
    options = (f"--clock={CLOCK}", f"--requests-per-second={LIMIT}", f"--since={since}", "--wide-markets=0")
    folder.mkdir()
    with (
        sandbox_process.running(folder / "sandbox.log", *options) as url,
        fresh_warehouse(server, "bench_history") as engine,
    ):
        airflow_environment = {
            **os.environ,
            **environment(folder, url, server.database("bench_history")),
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        }
        airflow_home.prepare(airflow_environment)
        minutes = "with dense minutes" if dense else "without dense minutes"
        print(f"history: {len(series)} series, {days} days, {minutes} …", flush=True)
        with airflow_process.running(airflow_environment, free_port(), folder / "airflow.log") as (_, address):
            api = AirflowApi(address)
            api.switch_on(DAG)
            range_of_days = {"date_from": str(first.date()), "date_to": str(LAST.date()), "chunk_days": CHUNK_DAYS}
            api.trigger(DAG, {"series": series, **range_of_days, "dense": dense})
            (run,) = api.finished_runs(DAG, 1, 24 * 3600)
        if run["state"] != "success":
            raise RuntimeError(f"The backfill failed: see {folder}.")
        received, refused = seen_by_exchange(url)
        with engine.connect() as connection:
            rows = {t: connection.execute(sa.text(f"SELECT COUNT(*) FROM {t}")).scalar_one() for t in TABLES}
            ended = connection.execute(
                sa.text("SELECT UNIX_TIMESTAMP(MAX(ended_at_utc)) FROM kalshi_sync_run")
            ).scalar_one()
        return Outcome(
            dense=dense,
            series=len(series),
            days=days,
            requests=received,
            refused=refused,
            ended=float(ended),
            rows=rows,
            bytes={table: bytes_on_disk(server, "bench_history", table) for table in TABLES},
            quality_seconds=seconds_of(engine, 1, series, LAST),
        )


def bytes_on_disk(server: PrivateServer, database: str, table: str) -> int:
    """Bytes that the file system has given to a table's partitions, once all pages are written: a compressed page has
    holes."""
    with server.as_root() as cursor:
        cursor.execute(f"FLUSH TABLES {database}.{table} FOR EXPORT")
        cursor.execute("SELECT @@datadir")
        files = [*(Path(str(cursor.fetchone()[0])) / database).glob(f"{table}#*.ibd")]  # type: ignore[index]
        return sum(512 * file.stat().st_blocks for file in files)
