"""Five days of candles by Airflow's scheduler after the daily DAG is switched on; meanwhile the scheduler is killed."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from kalshi.settings import INCLUDE
from scripts import airflow_process
from scripts.airflow_api import AirflowApi
from scripts.content import content
from scripts.private_server import PrivateServer, free_port
from tests.support.airflow_cli import Airflow, airflow_in
from tests.support.databases import select
from tests.support.exchange_server import ExchangeServer

DAYS = 5
OLDER = 2
"""Days before those, which are asked for with ``airflow backfill create``."""
NOW = datetime.now(UTC)
FIRST = NOW.date() - timedelta(days=DAYS)
LAST = NOW.date() - timedelta(days=1)


@pytest.fixture
def exchange_of_today() -> Iterator[ExchangeServer]:
    """A sandbox whose clock stands at this machine's time, which the scheduler goes by."""
    since = FIRST - timedelta(days=5)
    arguments = (f"--clock={NOW.isoformat()}", f"--since={since}", "--wide-markets=0", "--requests-per-second=0")
    with ExchangeServer(*arguments) as server:
        yield server


@pytest.fixture
def fresh_airflow(
    tmp_path: Path, mysql: PrivateServer, warehouse_uri: str, exchange_of_today: ExchangeServer
) -> Airflow:
    """An Airflow without a past, for one series and a catchup that begins five days ago. On MySQL, as in production:
    on SQLite what asks while the scheduler writes may be told that the database is locked."""
    settings = (INCLUDE / "kalshi.toml").read_text(encoding="utf-8")
    facts, *series = settings.split("[[series]]")
    facts = re.sub(r"start_date = \S+", f"start_date = {FIRST}", facts)
    facts = re.sub(r"retry_delay_seconds = \S+", "retry_delay_seconds = 1", facts)
    (new_york,) = (one for one in series if '"KXHIGHNY"' in one)
    (tmp_path / "kalshi.toml").write_text(f"{facts}[[series]]{new_york}", encoding="utf-8")
    airflow = airflow_in(tmp_path / "airflow", mysql.database("airflow_catchup"))
    airflow.environment.update(
        AIRFLOW_CONN_KALSHI_WAREHOUSE=warehouse_uri,
        AIRFLOW_CONN_KALSHI_DEFAULT=f"kalshi://{exchange_of_today.base_url.removeprefix('http://')}",
        KALSHI_SETTINGS=str(tmp_path / "kalshi.toml"),
        KALSHI_REPORTS_FOLDER=str(tmp_path / "reports"),
        AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS="True",
        # How soon a scheduler and its tasks count as dead: by default 30 s and 5 min, checked every 5 min.
        AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC="1",
        AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD="20",
        AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL="5",
        AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT="20",
        AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL="2",
    )
    done = airflow.run("pools", "set", "kalshi_api", "8", "Tasks that send requests to the exchange")
    assert done.returncode == 0, done.stdout
    return airflow


@contextmanager
def scheduler_replaced(airflow: subprocess.Popen[bytes], log: Path) -> Iterator[None]:
    """Kill the scheduler of ``airflow standalone``, and start another as a supervisor would.

    Its executor's processes and their tasks die with it, as they do in a container or a service of systemd: they would
    keep its connections to MySQL open, and with them the locks on the rows that it was about to write, for ever.
    """
    (scheduler,) = (p for p in psutil.Process(airflow.pid).children() if "scheduler" in " ".join(p.cmdline()))
    environment = scheduler.environ()
    scheduler.suspend()  # so that it begets no more
    for process in (*scheduler.children(recursive=True), scheduler):
        process.kill()
    with (
        log.open("wb") as file,
        subprocess.Popen(
            [sys.executable, "-m", "airflow", "scheduler"],
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as another,
    ):
        try:
            yield
        finally:
            airflow_process.stop_group(another)


def test_five_days_of_catchup_and_two_older_ones_hold_what_one_backfill_of_them_holds(
    fresh_airflow: Airflow, warehouse: sa.Engine, tmp_path: Path
) -> None:
    older = FIRST - timedelta(days=OLDER)
    with (
        airflow_process.running(fresh_airflow.environment, free_port(), tmp_path / "airflow.log") as (standalone, url),
        ExitStack() as stack,
    ):
        api = AirflowApi(url)
        api.switch_on("kalshi_candles_daily")
        while "running" not in [run["state"] for run in api.finished_runs("kalshi_candles_daily", 2)]:
            time.sleep(0.1)
        stack.enter_context(scheduler_replaced(standalone, tmp_path / "scheduler.log"))
        api.finished_runs("kalshi_candles_daily", DAYS)
        days_before = ("--from-date", str(older), "--to-date", str(FIRST - timedelta(days=1)))
        done = fresh_airflow.run("backfill", "create", "--dag-id", "kalshi_candles_daily", *days_before)
        assert done.returncode == 0, done.stdout[-3000:]
        runs = api.finished_runs("kalshi_candles_daily", OLDER + DAYS)
        assert [run["state"] for run in runs] == ["success"] * (OLDER + DAYS)
        assert [run["run_type"] for run in runs] == ["backfill"] * OLDER + ["scheduled"] * DAYS
        days = [str(older + timedelta(days=n)) for n in range(OLDER + DAYS)]
        assert [run["data_interval_start"][:10] for run in runs] == days
        by_catchup = content(warehouse)
        there = select(warehouse, "SELECT DISTINCT DATE(bucket_start_utc) AS day FROM kalshi_candle_1m ORDER BY 1")
        assert [str(row["day"]) for row in there] == days

        with warehouse.begin() as connection:
            connection.execute(sa.text("DELETE FROM kalshi_candle_1m"))
            connection.execute(sa.text("DELETE FROM kalshi_checkpoint WHERE job = 'candles'"))
        api.switch_on("kalshi_candles_backfill")
        for _ in range(2):
            api.trigger("kalshi_candles_backfill", {"date_from": days[0], "date_to": days[-1]})
        both = api.finished_runs("kalshi_candles_backfill", 2)
        assert [run["state"] for run in both] == ["success", "success"]
        assert content(warehouse) == by_catchup
