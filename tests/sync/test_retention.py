"""Months that are dropped on purpose: what goes, what stays, and what other jobs then say of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pyarrow import parquet

from kalshi.exchange import Exchange
from kalshi.exchange.transport import Traffic
from kalshi.quality.run import NothingChecked, QualityRequest, check_series
from kalshi.settings import load_settings
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.retention import RetentionReport, RetentionRequest, check_order, drop_old_months
from kalshi.sync.run import recorded_run
from kalshi.warehouse import retention
from kalshi.warehouse.ledger import RunKey
from kalshi.warehouse.retention import TABLES
from kalshi.warehouse.server import in_transaction
from tests.support.databases import select
from tests.support.house import DAY, SERIES, House

AUG_30 = datetime(2026, 8, 30, tzinfo=UTC)
SEP_1 = datetime(2026, 9, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 5, tzinfo=UTC)
"""When the retention runs: a month to keep is September."""
TIMES = {
    "kalshi_candle_1m_dense": "bucket_start_utc",
    "kalshi_trade": "executed_at_utc",
    "kalshi_candle_1m": "bucket_start_utc",
}


@pytest.fixture
def house(exchange: Exchange, warehouse_on_both: sa.Engine) -> House:
    """Two days of August and two of September, read in one window, and reconciled."""
    house = House(exchange, warehouse_on_both, AUG_30)
    house.read()
    house.reconcile()
    return house


def drop(house: House, *tables: str, **others: Any) -> list[RetentionReport]:
    about: dict[str, Any] = {"keep_months": 1, "dry_run": False, "asked_at": OCTOBER, **others}
    return [drop_old_months(house.engine, RetentionRequest(table, **about)) for table in tables or TABLES]


def rows(house: House, table: str, *, august: bool) -> list[dict[str, Any]]:
    comparison = "<" if august else ">="
    where = f"{TIMES[table]} {comparison} '2026-09-01'"
    return select(house.engine, f"SELECT * FROM {table} WHERE {where} ORDER BY market_ticker, {TIMES[table]}")


def windows(house: House, table: str = "kalshi_checkpoint") -> set[tuple[str, datetime, datetime]]:
    where = "job LIKE 'candles%' OR job = 'trades'"
    found = select(house.engine, f"SELECT job, window_start_utc, window_end_utc FROM {table} WHERE {where}")
    return {(row["job"], row["window_start_utc"], row["window_end_utc"]) for row in found}


def read_candles(house: House, start: datetime, end: datetime) -> None:
    cutoff = house.exchange.historical_cutoff()
    about: dict[str, Any] = {"window_start": start, "window_end": end}
    sync_candles(house.exchange, house.engine, CandlesRequest(SERIES, cutoff.markets_settled, dense=True, **about))


def test_a_dry_run_counts_and_drops_nothing(house: House) -> None:
    before = house.content(), windows(house)
    reports = drop(house, dry_run=True)
    assert (house.content(), windows(house)) == before
    for report in reports:
        assert (report.months_dropped, report.rows_dropped) == (0, 0)
        for month in report.old_months:
            assert (month.month, month.fate) == ("2026-08", "would be dropped")
            assert month.rows == len(rows(house, month.table, august=True)) > 0
    assert {month.table for report in reports for month in report.old_months} == set(TIMES)
    assert select(house.engine, "SELECT * FROM kalshi_dropped_month") == []


def test_old_months_go_and_newer_rows_stay_as_they_were(house: House) -> None:
    kept = {table: rows(house, table, august=False) for table in TIMES}
    old = {table: len(rows(house, table, august=True)) for table in TIMES}
    assert all(kept.values())
    reports = drop(house)
    assert {table: rows(house, table, august=False) for table in TIMES} == kept
    assert not any(rows(house, table, august=True) for table in TIMES)
    assert {r.scope: r.rows_dropped for r in reports if r.rows_dropped} == old
    noted = select(house.engine, "SELECT table_name, month, row_count FROM kalshi_dropped_month")
    assert {(row["table_name"], row["month"]): row["row_count"] for row in noted} == {
        (table, date(2026, 8, 1)): number for table, number in old.items()
    }


def test_a_second_run_has_nothing_to_drop(house: House) -> None:
    drop(house)
    before = house.content(), windows(house), select(house.engine, "SELECT * FROM kalshi_dropped_month")
    assert [report.old_months for report in drop(house)] == [[]] * len(TABLES)
    assert (house.content(), windows(house), select(house.engine, "SELECT * FROM kalshi_dropped_month")) == before


def test_without_months_to_keep_nothing_is_old(house: House) -> None:
    before = house.content()
    assert [report.old_months for report in drop(house, keep_months=None)] == [[]] * len(TABLES)
    assert house.content() == before


def test_what_was_read_of_a_dropped_month_is_forgotten_and_of_the_next_is_not(house: House) -> None:
    drop(house)
    assert windows(house) == {
        (job, datetime(2026, 9, 1), datetime(2026, 9, 3))  # noqa: DTZ001  # as in the tables
        for job in ("trades", "candles", "candles_dense")
    }
    assert windows(house, "kalshi_gap") == set()
    before = house.content()
    read_candles(house, SEP_1, house.end)
    assert house.content() == before
    assert rows(house, "kalshi_candle_1m", august=True) == [], "an ordinary run brings nothing back"


def test_a_run_that_asks_for_a_dropped_month_reads_it_again(house: House) -> None:
    before = house.content()
    drop(house, "kalshi_candle_1m_dense", "kalshi_candle_1m")
    assert retention_of(house) == {"kalshi_candle_1m", "kalshi_candle_1m_dense"}
    read_candles(house, AUG_30, SEP_1)
    assert house.content() == before
    assert retention_of(house) == set(), "it is back"


def retention_of(house: House) -> set[str]:
    found = in_transaction(house.engine, retention.missing_on_purpose, list(TIMES), SERIES, AUG_30, house.end)
    return {month.table for month in found}


def test_gaps_of_a_dropped_month_are_no_longer_missing(house: House) -> None:
    house.change(
        "INSERT INTO kalshi_gap (job, scope, window_start_utc, window_end_utc, reason) VALUES "
        "('candles', :series, '2026-07-01', '2026-07-02', 'never read'), "
        "('candles', :series, '2026-08-31', '2026-09-02', 'read in part')",
        series=SERIES,
    )
    drop(house)
    left = select(house.engine, "SELECT window_start_utc, window_end_utc FROM kalshi_gap")
    assert [(str(r["window_start_utc"]), str(r["window_end_utc"])) for r in left] == [
        ("2026-09-01 00:00:00", "2026-09-02 00:00:00")
    ]
    noted = select(house.engine, "SELECT month FROM kalshi_dropped_month WHERE table_name = 'kalshi_candle_1m'")
    assert {row["month"] for row in noted} == {date(2026, 7, 1), date(2026, 8, 1)}, "the month without rows, too"


def test_a_month_that_a_living_run_reads_is_kept_until_the_next_time(house: House) -> None:
    before = house.content()
    key = RunKey("candles", SERIES, "backfill", AUG_30, AUG_30 + DAY)
    with recorded_run(house.engine, key, Traffic()):
        (report,) = drop(house, "kalshi_candle_1m_dense")
    assert house.content() == before
    assert report.state == "warning"
    assert "candles of KXHIGHNY" in report.warnings[0]
    assert [month.fate for month in report.old_months] == ["kept"]
    with recorded_run(house.engine, RunKey("candles", SERIES, "daily", SEP_1, SEP_1 + DAY), Traffic()):
        (report,) = drop(house, "kalshi_candle_1m_dense")
    assert report.months_dropped == 1, "a run of later days isn't in the way"


def test_a_run_that_was_killed_before_it_dropped_is_finished_by_the_next(house: House) -> None:
    (month,) = retention.old_months(house.engine, retention.PRUNABLE[0], date(2026, 9, 1))
    assert in_transaction(house.engine, retention.decide, month, None, 1) == []
    assert rows(house, "kalshi_candle_1m_dense", august=True)
    assert retention_of(house) == {"kalshi_candle_1m_dense"}
    drop(house)
    assert not rows(house, "kalshi_candle_1m_dense", august=True)


@pytest.mark.parametrize("table", ["kalshi_trade", "kalshi_candle_1m"])
def test_markets_that_were_proven_stay_proven(house: House, table: str) -> None:
    proven = select(house.engine, "SELECT market_ticker, trades_verdict, candles_verdict FROM kalshi_reconciliation")
    assert {(row["trades_verdict"], row["candles_verdict"]) for row in proven} == {("proven", "proven")}
    drop(house, "kalshi_candle_1m_dense", table)
    report = house.reconcile(window_start=AUG_30)
    assert report.state == "success"
    assert proven == select(
        house.engine, "SELECT market_ticker, trades_verdict, candles_verdict FROM kalshi_reconciliation"
    )


def test_quality_leaves_out_the_days_whose_candles_were_dropped(house: House) -> None:
    rules = load_settings().quality
    whole = QualityRequest(SERIES, window_start=AUG_30, window_end=house.end)
    assert not check_series(house.engine, whole, rules).broken_errors
    covered = select(house.engine, "SELECT * FROM kalshi_coverage_latest WHERE utc_day < '2026-09-01'")
    drop(house)
    report = check_series(house.engine, whole, rules)
    assert report.from_utc == SEP_1
    assert any("before 2026-09-01 were dropped on purpose" in warning for warning in report.warnings)
    assert not report.broken_errors
    assert covered == select(house.engine, "SELECT * FROM kalshi_coverage_latest WHERE utc_day < '2026-09-01'")
    with pytest.raises(NothingChecked, match="dropped on purpose"):
        check_series(house.engine, QualityRequest(SERIES, window_start=AUG_30, window_end=SEP_1), rules)


@pytest.mark.parametrize("table", ["kalshi_candle_1m_dense", "kalshi_trade"])
def test_quality_finds_no_fault_where_only_derived_rows_or_trades_were_dropped(house: House, table: str) -> None:
    drop(house, table)
    request = QualityRequest(SERIES, window_start=AUG_30, window_end=house.end)
    assert not check_series(house.engine, request, load_settings().quality).broken_errors


def test_dense_minutes_are_not_kept_for_longer_than_candles() -> None:
    keep: dict[str, int | None] = dict.fromkeys(TABLES)
    check_order(keep)
    check_order({**keep, "kalshi_candle_1m_dense": 3, "kalshi_candle_1m": 12})
    for dense in (None, 13):
        with pytest.raises(ValueError, match="Set dense_months to 12 or less"):
            check_order({**keep, "kalshi_candle_1m_dense": dense, "kalshi_candle_1m": 12})


@pytest.fixture
def exported(house: House, tmp_path: Path) -> Iterator[tuple[House, Path]]:
    yield house, tmp_path / "exported"


@pytest.mark.parametrize("table", TIMES)
def test_an_exported_month_has_every_row_and_value(exported: tuple[House, Path], table: str) -> None:
    house, folder = exported
    old = rows(house, table, august=True)
    (report,) = drop(house, table, export_to=folder)
    file = folder / table / "2026-08.parquet"
    assert report.old_months[0].exported_to == str(file)
    found = parquet.read_table(file).sort_by([("market_ticker", "ascending"), (TIMES[table], "ascending")])
    flags = {"is_synthetic", "has_trade", "is_block_trade"}
    assert found.to_pylist() == [{n: bool(v) if n in flags else v for n, v in row.items()} for row in old]
    noted = select(house.engine, "SELECT exported_to FROM kalshi_dropped_month WHERE row_count > 0")
    assert [row["exported_to"] for row in noted] == [str(file)]
    assert not rows(house, table, august=True)


def test_a_month_that_cannot_be_exported_is_kept(exported: tuple[House, Path]) -> None:
    house, folder = exported
    before = house.content(), windows(house)
    folder.write_text("a file where the folder should be")
    with pytest.raises(OSError, match="exported"):
        drop(house, "kalshi_candle_1m", export_to=folder)
    assert (house.content(), windows(house)) == before


def test_a_month_that_changes_after_it_was_exported_is_kept(exported: tuple[House, Path]) -> None:
    house, folder = exported
    (month,) = retention.old_months(house.engine, retention.PRUNABLE[-1], date(2026, 9, 1))
    house.change("DELETE FROM kalshi_candle_1m WHERE bucket_start_utc < '2026-09-01' LIMIT 1")
    with pytest.raises(retention.MonthChanged, match="it is kept"):
        in_transaction(house.engine, retention.decide, month, str(folder), 1)
    assert select(house.engine, "SELECT * FROM kalshi_dropped_month") == []
