"""How a soak is judged: which runs are due, and what counts as growth."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kalshi.settings import INCLUDE
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.private_server import PrivateServer
from scripts.soak.__main__ import preparation, soak_settings
from scripts.soak.growth import Allowance, Points, draw, growth, judge, table
from scripts.soak.schedule import due_runs, load_dags, start_around_midnight, waits_for_assets
from scripts.soak.watch import ERROR_LINE, Watch, lasting
from tests.support.airflow_cli import PROJECT

START = datetime(2026, 9, 21, 23, 30, tzinfo=UTC)
END = datetime(2026, 9, 22, 0, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def runs() -> dict[str, list[tuple[str, str | None]]]:
    """Of each DAG, when its runs fall due and for which logical date."""
    found: dict[str, list[tuple[str, str | None]]] = {}
    for run in due_runs(load_dags(PROJECT / "dags"), START, END):
        date = f"{run.logical_date:%d %H:%M}" if run.logical_date else None
        found.setdefault(run.dag_id, []).append((f"{run.run_after:%d %H:%M}", date))
    return found


def test_a_dag_by_minutes_runs_at_once_and_then_every_five(runs: dict[str, list[tuple[str, str | None]]]) -> None:
    times = [due for due, _ in runs["kalshi_price_snapshots"]]
    assert times[:2] == ["21 23:30", "21 23:35"]
    assert times[-1] == "22 00:25", "the next one belongs to the next hour"
    assert len(times) == 12


def test_a_dag_by_the_hour_catches_up_its_latest_run_only(runs: dict[str, list[tuple[str, str | None]]]) -> None:
    assert runs["kalshi_catalog_sync"] == [("21 23:00", "21 23:00"), ("22 00:00", "22 00:00")]
    assert runs["kalshi_trades_sync"] == [("21 23:00", "21 22:00"), ("22 00:00", "21 23:00")]
    assert runs["kalshi_health_check"] == [("21 22:45", "21 22:45"), ("21 23:45", "21 23:45")]


def test_the_day_that_ends_within_the_hour_falls_due_ten_minutes_later(
    runs: dict[str, list[tuple[str, str | None]]],
) -> None:
    assert runs["kalshi_candles_daily"] == [("21 00:10", "20 00:00"), ("22 00:10", "21 00:00")]


def test_dags_without_a_schedule_are_not_due(runs: dict[str, list[tuple[str, str | None]]]) -> None:
    dags = load_dags(PROJECT / "dags")
    assert dags.keys() - runs.keys() == {"kalshi_candles_backfill", "kalshi_data_quality", "kalshi_retention"}
    assert [name for name, dag in dags.items() if waits_for_assets(dag)] == ["kalshi_data_quality"]


def test_the_history_ends_where_the_days_that_are_due_begin() -> None:
    settlements, backfill = preparation(START)
    assert (settlements.dag_id, backfill.dag_id) == ("kalshi_settlements_sync", "kalshi_candles_backfill")
    assert backfill.conf == {"date_from": "2026-09-17", "date_to": "2026-09-19"}


@pytest.mark.parametrize(
    ("now", "start"),
    [
        (datetime(2026, 9, 22, 14, 0, tzinfo=UTC), START),
        (datetime(2026, 9, 22, 0, 30, tzinfo=UTC), START),
        (datetime(2026, 9, 22, 0, 29, tzinfo=UTC), datetime(2026, 9, 20, 23, 30, tzinfo=UTC)),
    ],
)
def test_midnight_lies_in_the_middle_and_nothing_ahead(now: datetime, start: datetime) -> None:
    assert start_around_midnight(now, 60) == start


def points(*values: float) -> Points:
    return list(enumerate(values))


def test_a_steady_rise_is_growth_over_the_second_half() -> None:
    assert growth(points(*range(61))) == pytest.approx(30)


def test_a_warm_up_and_peaks_are_no_growth() -> None:
    warm_up = [100.0 + 3 * min(minute, 20) for minute in range(61)]
    for minute in (35, 47, 59, 60):
        warm_up[minute] += 500
    assert growth(points(*warm_up)) == 0


def test_a_leak_below_noise_is_found() -> None:
    dice = random.Random(1)
    assert growth(points(*(200 + minute + dice.gauss(0, 5) for minute in range(61)))) == pytest.approx(30, abs=5)


def test_a_leak_that_comes_in_steps_is_found() -> None:
    assert growth(points(*(minute // 10 for minute in range(61)))) > 1


def test_one_sample_has_no_growth() -> None:
    assert growth([(0.0, 5.0)]) == 0


@pytest.mark.parametrize(("slope", "is_well"), [(0.2, True), (0.6, False)])
def test_the_larger_of_share_and_units_is_allowed(slope: float, is_well: bool) -> None:
    rising = points(*(200 + slope * minute for minute in range(61)))
    assert judge("memory", rising, Allowance(share=0.05, units=1.0)).is_well is is_well
    assert judge("memory", rising, Allowance(share=0.0, units=20.0)).is_well
    assert judge("memory", rising, None).is_well


def test_the_table_shows_medians_peak_and_verdict() -> None:
    verdict = judge("connections", points(1, 1, 1, 9, 2, 3, 4, 5), Allowance(0.0, 1.0))
    assert table([verdict]).splitlines()[-1].split() == ["connections", "1.0", "4.5", "9.0", "+3.0", "1.0", "GROWS"]


def test_the_picture_is_a_png(tmp_path: Path) -> None:
    draw(
        {"Memory": {"scheduler": points(1, 2), "triggerer": points(3, 4)}, "Files": {"sandbox": points(1, 1)}},
        tmp_path / "p.png",
    )
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_settings_have_the_chosen_series_and_few_reports() -> None:
    text = (INCLUDE / "kalshi.toml").read_text(encoding="utf-8")
    found = tomllib.loads(soak_settings(text, ["KXHIGHCHI", "KXHIGHNY"], date(2026, 9, 20)))
    assert [series["ticker"] for series in found["series"]] == ["KXHIGHCHI", "KXHIGHNY"]
    assert found["candles"]["start_date"] == date(2026, 9, 20)
    assert (found["tasks"]["retries"], found["reports"]["keep"]) == (0, 5)
    with pytest.raises(SystemExit, match="KXNOSUCH"):
        soak_settings(text, ["KXNOSUCH"], date(2026, 9, 20))


@pytest.mark.parametrize(
    ("line", "is_error"),
    [
        (json.dumps({"timestamp": "2026-09-22T00:00:00Z", "level": "error", "event": "Task failed"}), True),
        ("scheduler | 2026-09-22T00:00:00Z [error    ] database is locked [airflow]", True),
        ("2026-09-22  0:00:00 4 [ERROR] InnoDB: …", True),
        ("Traceback (most recent call last):", True),
        ('{"level": "info", "event": "0 errors, level=error"}', False),
        ("2026-09-22T00:00:00Z [warning  ] slow [error.page]", False),
    ],
)
def test_errors_in_logs_are_seen(line: str, is_error: bool) -> None:
    assert bool(ERROR_LINE.search(line)) is is_error


def test_of_a_role_only_the_lasting_process_counts() -> None:
    code = "import os, time; os.fork() or print('forked', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", code, "of this test alone"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        try:
            assert process.stdout
            process.stdout.readline()
            assert [found.pid for found in lasting(os.getpid(), re.compile("of this test alone"))] == [process.pid]
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def test_leftovers_are_reported(mariadb: PrivateServer, empty_database: str, tmp_path: Path) -> None:
    warehouse = open_engine(address_of(empty_database))
    migrate(warehouse)
    watch = Watch(os.getpid(), os.getpid(), mariadb, address_of(empty_database).database, tmp_path)
    with warehouse.begin() as connection:
        connection.exec_driver_sql("INSERT INTO kalshi_sync_run (job, scope, state) VALUES ('x', 'x', 'running')")
        connection.exec_driver_sql("CREATE TABLE staging_kalshi_trade (a INT)")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "rows.tsv").touch()
    left = ["1 connections", "1 temporary files", "1 tables beside ours", "1 sync runs running"]
    assert watch.leftovers() == left
    with warehouse.begin() as connection:
        connection.exec_driver_sql("UPDATE kalshi_sync_run SET state = 'success'")
        connection.exec_driver_sql("DROP TABLE staging_kalshi_trade")
    (tmp_path / "tmp" / "rows.tsv").unlink()
    warehouse.dispose()
    assert watch.leftovers() == []
