"""Tables partitioned by month: of an older warehouse, of a large one, after a kill, and for the months ahead."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date

import pytest
import sqlalchemy as sa

from kalshi.settings import PROJECT
from kalshi.warehouse import migrate as migrations
from kalshi.warehouse import months
from kalshi.warehouse.migrate import LongMigration, migrate
from kalshi.warehouse.months import LATER, PARTITIONED, after, each_month, months_of
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.content import contents
from tests.support.migrations import NEWEST, SQL_FILES, drop_months, stop_before

BEFORE_MONTHS = next(n for n, file in enumerate(SQL_FILES) if file.stem == "0018_months")
ROWS = 60_000
FILL = """
INSERT INTO kalshi_candle_1m_dense (market_ticker, bucket_start_utc, is_synthetic, has_trade, volume, run_id)
WITH RECURSIVE n AS (SELECT 0 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 999)
SELECT CONCAT('M-', a.i MOD 60), '2023-01-01' + INTERVAL (a.i * 1000 + b.i) * 30 MINUTE, TRUE, FALSE, 0, 1
FROM n a JOIN n b WHERE a.i < %s
"""
MIGRATE = """
import sys
sys.path.insert(0, "plugins")
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
migrate(open_engine(address_of(sys.argv[1])), is_attended=True)
"""


@pytest.fixture
def old(empty_database_on_both: str) -> Iterator[sa.Engine]:
    """A warehouse of the release before, with rows in each of 41 months."""
    engine = open_engine(address_of(empty_database_on_both))
    stop_before(engine, BEFORE_MONTHS)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        connection.exec_driver_sql(FILL, (ROWS // 1000,))
    yield engine
    engine.dispose()


def partitions(engine: sa.Engine, table: str) -> dict[str, int]:
    """The rows of each partition that has some."""
    with engine.connect() as connection:
        found = {}
        for month in [*map(months.name_of, months_of(connection, table)), LATER]:
            query = f"SELECT COUNT(*) FROM {table} PARTITION ({month})"
            found[month] = connection.exec_driver_sql(query).scalar_one()
        return {month: rows for month, rows in found.items() if rows}


def test_months_are_counted_across_years() -> None:
    assert after(date(2026, 12, 1)) == date(2027, 1, 1)
    assert after(date(2026, 1, 1), -1) == date(2025, 12, 1)
    assert after(date(2026, 3, 1), -27) == date(2023, 12, 1)
    assert list(each_month(date(2025, 11, 1), date(2026, 2, 1))) == [
        date(2025, 11, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
    ]


def test_a_filled_table_is_divided_into_its_months_without_a_change(old: sa.Engine) -> None:
    before = contents(old)
    assert migrate(old) == NEWEST
    after_it = contents(old)
    assert {table: after_it[table] for table in before} == before
    with old.connect() as connection:
        counted = connection.exec_driver_sql(
            "SELECT DATE_FORMAT(bucket_start_utc, 'p%%Y_%%m'), COUNT(*) FROM kalshi_candle_1m_dense GROUP BY 1"
        )
        by_month = dict(map(tuple, counted))
    assert partitions(old, "kalshi_candle_1m_dense") == by_month
    assert len(by_month) > 40


def test_an_upgrade_that_waits_for_a_long_read_lets_others_read(
    old: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "LOCK_SECONDS", 1)
    upgrade = threading.Thread(target=migrate, args=(old,))
    with old.connect() as long, old.connect() as other:
        long.exec_driver_sql("SELECT COUNT(*) FROM kalshi_candle_1m").all()
        upgrade.start()
        waiting = "SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata%%'"
        deadline = time.monotonic() + 30
        while not other.exec_driver_sql(waiting).scalar_one():
            assert time.monotonic() < deadline, "the upgrade never waited"
            time.sleep(0.02)
        other.exec_driver_sql("SET SESSION lock_wait_timeout = 10")
        other.exec_driver_sql("SELECT COUNT(*) FROM kalshi_candle_1m").all()
    upgrade.join()
    with old.connect() as connection:
        assert months_of(connection, "kalshi_candle_1m"), "the upgrade tried again"


def test_rows_before_and_after_all_months_are_kept(warehouse_on_both: sa.Engine) -> None:
    ahead = months.ahead()
    with warehouse_on_both.begin() as connection:
        for day in ("2019-05-01", "2021-07-01", ahead, after(ahead, 100)):
            connection.exec_driver_sql(
                "INSERT INTO kalshi_candle_1m_dense (market_ticker, bucket_start_utc, is_synthetic, has_trade, volume, "
                "run_id) VALUES ('A', %s, TRUE, FALSE, 0, 1)",
                (day,),
            )
    assert partitions(warehouse_on_both, "kalshi_candle_1m_dense") == {"p2021_07": 2, LATER: 2}


@pytest.fixture
def extended(empty_database_on_both: str) -> Iterator[sa.Engine]:
    """A migrated warehouse with a database of its own, as a test changes its partitions."""
    engine = open_engine(address_of(empty_database_on_both))
    migrate(engine)
    yield engine
    engine.dispose()


def last_months(engine: sa.Engine) -> set[date]:
    with engine.connect() as connection:
        return {months_of(connection, table)[-1] for table in PARTITIONED}


def test_a_job_makes_the_months_ahead_a_year_before_they_run_out(extended: sa.Engine) -> None:
    drop_months(extended, months.AHEAD - months.FEWEST - 1)
    assert last_months(extended) == {months.ahead(months.FEWEST)}
    migrate(extended)
    assert last_months(extended) == {months.ahead(months.FEWEST)}, "it isn't time yet"
    drop_months(extended, 1)
    migrate(extended)
    assert last_months(extended) == {months.ahead(months.AHEAD - 1)}


def test_a_person_makes_the_months_ahead_at_any_time(extended: sa.Engine) -> None:
    drop_months(extended, 1)
    migrate(extended, is_attended=True)
    assert last_months(extended) == {months.ahead(months.AHEAD - 1)}


def test_a_job_does_not_wait_long_to_make_the_months_ahead_of_a_table_in_use(
    extended: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    drop_months(extended, months.AHEAD)
    with extended.connect() as reader:
        reader.exec_driver_sql("SELECT COUNT(*) FROM kalshi_candle_1m").all()
        began = time.monotonic()
        assert migrate(extended) == NEWEST
        assert time.monotonic() - began < 30
    assert f"kalshi_candle_1m has no months after {months.ahead(-1)} yet" in caplog.text
    assert last_months(extended) == {months.ahead(-1), months.ahead(months.AHEAD - 1)}, "the others were made"
    migrate(extended)
    assert last_months(extended) == {months.ahead(months.AHEAD - 1)}


def test_a_job_leaves_the_months_ahead_to_a_worker_that_is_making_them(extended: sa.Engine) -> None:
    drop_months(extended, months.AHEAD)
    with extended.connect() as other:
        assert other.exec_driver_sql(f"SELECT GET_LOCK({migrations.LOCK_NAME}, 0)").scalar_one() == 1
        assert migrate(extended) == NEWEST
        assert last_months(extended) == {months.ahead(-1)}
        other.invalidate()


def test_rows_of_a_month_that_had_no_partition_move_to_it_when_a_person_migrates(
    extended: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    drop_months(extended, months.AHEAD)
    month = months.ahead(3)
    with extended.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO kalshi_candle_1m_dense (market_ticker, bucket_start_utc, is_synthetic, has_trade, volume, "
            "run_id) VALUES ('A', %s, TRUE, FALSE, 0, 1)",
            (month,),
        )
    migrate(extended)
    assert partitions(extended, "kalshi_candle_1m_dense") == {LATER: 1}, "there may be many"
    assert "kalshi_candle_1m_dense has rows after its last month" in caplog.text
    migrate(extended, is_attended=True)
    assert partitions(extended, "kalshi_candle_1m_dense") == {months.name_of(month): 1}


def test_partitions_that_someone_else_made_are_left_alone(extended: sa.Engine) -> None:
    with extended.connect() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE kalshi_candle_1m REORGANIZE PARTITION p2021_07 INTO (PARTITION p2020 VALUES LESS THAN "
            "('2021-01-01'), PARTITION p2021_07 VALUES LESS THAN ('2021-08-01'))"
        )
    assert migrate(extended) == migrate(extended, is_attended=True) == NEWEST


def test_a_job_leaves_a_migration_that_takes_long_to_a_person(
    old: sa.Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(months, "SAMPLE_ROWS", 5_000)
    monkeypatch.setattr(migrations, "UNATTENDED_ROWS", 5_000)
    before = contents(old)
    with pytest.raises(LongMigration, match="python -m kalshi migrate"):
        migrate(old)
    assert contents(old) == before
    with caplog.at_level("INFO", months.__name__):
        assert migrate(old, is_attended=True) == NEWEST
    assert "Partitioning kalshi_candle_1m_dense: about" in caplog.text
    assert "partitioned in" in caplog.text


def test_a_migration_whose_process_dies_is_finished_by_the_next(old: sa.Engine, empty_database_on_both: str) -> None:
    before = contents(old)
    for pause in (0.2, 0.6, 1.0):
        command = [sys.executable, "-c", MIGRATE, empty_database_on_both]
        with subprocess.Popen(command, cwd=PROJECT) as process:
            _wait_for(old, "kalshi_dropped_month")
            time.sleep(pause)
            process.kill()
    assert migrate(old) == NEWEST
    after_it = contents(old)
    assert {table: after_it[table] for table in before} == before
    assert set(partitions(old, "kalshi_candle_1m_dense")) > {"p2023_01", "p2024_01"}


def _wait_for(engine: sa.Engine, table: str) -> None:
    deadline = time.monotonic() + 30
    while not sa.inspect(engine).has_table(table):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_rows_written_while_a_table_is_divided_wait_and_are_kept(old: sa.Engine) -> None:
    written: list[int] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with old.begin() as connection:
                connection.exec_driver_sql(
                    "INSERT INTO kalshi_candle_1m_dense (market_ticker, bucket_start_utc, is_synthetic, has_trade, "
                    "volume, run_id) VALUES ('W', '2024-01-01' + INTERVAL %s MINUTE, TRUE, FALSE, 0, 1)",
                    (len(written),),
                )
            written.append(1)

    with old.begin() as connection:  # as the jobs that run meanwhile do, once the foreign key is gone
        connection.exec_driver_sql("ALTER TABLE kalshi_candle_1m_dense DROP FOREIGN KEY kalshi_candle_1m_dense_market")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        migrate(old)
    finally:
        stop.set()
        writer.join()
    with old.connect() as connection:
        query = "SELECT COUNT(*) FROM kalshi_candle_1m_dense WHERE market_ticker = 'W'"
        assert connection.exec_driver_sql(query).scalar_one() == len(written) > 0
