"""Months that are dropped on purpose: what goes, what stays, and what other jobs then say of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
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
from kalshi.sync import retention as sync_retention
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.retention import RetentionReport, RetentionRequest, check_order, drop_old_months
from kalshi.sync.run import recorded_run
from kalshi.warehouse import dense_candles, retention
from kalshi.warehouse.export import ExportFailed, export_month
from kalshi.warehouse.ledger import RunKey, start_run
from kalshi.warehouse.retention import TABLES, Month
from kalshi.warehouse.server import in_transaction
from scripts.private_server import PrivateServer
from tests.support.databases import select
from tests.support.exchange_server import ExchangeServer
from tests.support.house import DAY, SERIES, House
from tests.support.house import template as house_template
from tests.support.warehouses import copy_rows

AUG_30 = datetime(2026, 8, 30, tzinfo=UTC)
SEP_1 = datetime(2026, 9, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 5, tzinfo=UTC)
"""When the retention runs: a month to keep is September."""
TIMES = {
    "kalshi_candle_1m_dense": "bucket_start_utc",
    "kalshi_trade": "executed_at_utc",
    "kalshi_candle_1m": "bucket_start_utc",
}


@pytest.fixture(scope="module")
def template(mariadb: PrivateServer, _small_exchange: ExchangeServer) -> Iterator[str]:
    """The name of a database with two days of August and two of September, read in one window, and reconciled."""
    with house_template(mariadb, _small_exchange, "test_retention", AUG_30) as name:
        yield name


@pytest.fixture
def house(template: str, mariadb: PrivateServer, warehouse: sa.Engine, exchange: Exchange) -> House:
    """A copy of the template."""
    copy_rows(mariadb, template, warehouse)
    return House(exchange, warehouse, AUG_30)


@pytest.fixture
def house_on_both(exchange: Exchange, warehouse_on_both: sa.Engine) -> House:
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


def read_candles(house: House, start: datetime, end: datetime, *, force: bool = False) -> None:
    cutoff = house.exchange.historical_cutoff()
    about: dict[str, Any] = {"window_start": start, "window_end": end, "force": force}
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


def test_old_months_go_and_newer_rows_stay_as_they_were(house_on_both: House) -> None:
    house = house_on_both
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


def test_a_run_that_asks_for_a_dropped_month_reads_it_again(house_on_both: House) -> None:
    house = house_on_both
    before = house.content()
    drop(house, "kalshi_candle_1m_dense", "kalshi_candle_1m")
    assert retention_of(house) == {"kalshi_candle_1m", "kalshi_candle_1m_dense"}
    read_candles(house, AUG_30, SEP_1)
    assert house.content() == before
    assert retention_of(house) == set(), "it is back"


def retention_of(house: House) -> set[str]:
    found = in_transaction(house.engine, retention.missing_on_purpose, list(TIMES), SERIES, AUG_30, house.end)
    return {month.table for month in found}


def test_minutes_built_again_keep_the_quotes_that_dropped_candles_left_them(house_on_both: House) -> None:
    house = house_on_both
    before = rows(house, "kalshi_candle_1m_dense", august=False)
    first = [row for row in before if row["bucket_start_utc"] == SEP_1.replace(tzinfo=None)]
    assert any(row["is_synthetic"] and row["yes_bid_close"] is not None for row in first)
    assert any(row["is_synthetic"] and row["trade_previous"] is not None for row in first)
    drop(house, "kalshi_candle_1m_dense", "kalshi_candle_1m")
    for start in (SEP_1, SEP_1 + DAY, SEP_1 - DAY):
        read_candles(house, start, house.end, force=True)
        assert rows(house, "kalshi_candle_1m_dense", august=False) == before


def test_what_dropped_candles_left_outlives_earlier_ones_that_come_back(house: House) -> None:
    before = rows(house, "kalshi_candle_1m_dense", august=False)
    house.change("UPDATE kalshi_candle_1m SET yes_bid_close = 0.01 WHERE bucket_start_utc < '2026-08-31'")
    drop(house, "kalshi_candle_1m_dense", "kalshi_candle_1m")
    read_candles(house, AUG_30, AUG_30 + DAY)
    assert rows(house, "kalshi_candle_1m", august=True)
    read_candles(house, SEP_1, house.end, force=True)
    assert rows(house, "kalshi_candle_1m_dense", august=False) == before


def test_candles_that_come_back_up_to_the_first_kept_minute_count_again(house: House) -> None:
    drop(house, "kalshi_candle_1m_dense", "kalshi_candle_1m")
    first_minute = "kalshi_candle_1m_dense WHERE bucket_start_utc = '2026-09-01' AND is_synthetic"
    before = select(house.engine, f"SELECT * FROM {first_minute}")
    house.change(f"UPDATE {first_minute}".replace(" WHERE", " SET yes_bid_open = 0.77, yes_bid_close = 0.77 WHERE"))
    read_candles(house, AUG_30, house.end, force=True)
    after = select(house.engine, f"SELECT * FROM {first_minute}")
    quotes = ("market_ticker", "yes_bid_open", "yes_bid_close", "trade_previous")
    again = [{name: row[name] for name in quotes} for row in after]
    assert again == [{name: row[name] for name in quotes} for row in before]


def test_of_what_is_built_newer_only_stored_candles_count(house: House) -> None:
    """Not what a minute shows of a candle that is gone since."""
    drop(house, "kalshi_candle_1m_dense", "kalshi_candle_1m")
    house.change("DELETE FROM kalshi_candle_1m WHERE bucket_start_utc >= '2026-09-02'")
    read = {"start": SEP_1 + DAY, "end": house.end}
    with house.engine.begin() as connection:
        tickers = [row.market_ticker for row in connection.exec_driver_sql("SELECT market_ticker FROM kalshi_market")]
        dense_candles.build_dense(connection, tickers, **read, run_id=1)
    unknown = rows(house, "kalshi_candle_1m_dense", august=False)
    opened = {
        row["market_ticker"]
        for row in select(house.engine, "SELECT * FROM kalshi_market")
        if row["open_time_utc"] >= read["start"].replace(tzinfo=None)
    }
    of_new = [row for row in unknown if row["market_ticker"] in opened]
    assert of_new
    assert {row["yes_bid_close"] for row in of_new} == {None}


def test_gaps_lose_the_dropped_month_and_keep_the_rest(house: House) -> None:
    house.change(
        "INSERT INTO kalshi_gap (job, scope, window_start_utc, window_end_utc, reason) VALUES "
        "('candles', :series, '2026-07-01', '2026-07-02', 'of a month without rows'), "
        "('candles', :series, '2026-08-03', '2026-08-04', 'gone'), "
        "('candles', :series, '2026-07-20', '2026-09-02', 'cut in two'), "
        "('trades', :series, '2026-08-31', '2026-09-02', 'of another table')",
        series=SERIES,
    )
    drop(house, "kalshi_candle_1m_dense", "kalshi_candle_1m")
    left = select(house.engine, "SELECT reason, window_start_utc, window_end_utc FROM kalshi_gap ORDER BY 1, 2")
    assert [(row["reason"], *(str(row[f"window_{edge}_utc"])[:10] for edge in ("start", "end"))) for row in left] == [
        ("cut in two", "2026-07-20", "2026-08-01"),
        ("cut in two", "2026-09-01", "2026-09-02"),
        ("of a month without rows", "2026-07-01", "2026-07-02"),
        ("of another table", "2026-08-31", "2026-09-02"),
    ]


def test_a_window_that_only_lacked_what_was_dropped_is_complete(house: House) -> None:
    house.change(
        "INSERT INTO kalshi_gap (job, scope, market_ticker, window_start_utc, window_end_utc, reason) "
        "VALUES ('candles', :series, 'X', '2026-08-30', '2026-08-31', 'unreadable')",
        series=SERIES,
    )
    house.change("UPDATE kalshi_checkpoint SET state = 'FAILED' WHERE job = 'candles'")
    drop(house, "kalshi_candle_1m_dense", "kalshi_candle_1m")
    (window,) = select(house.engine, "SELECT state, error FROM kalshi_checkpoint WHERE job = 'candles'")
    assert window == {"state": "COMPLETE", "error": None}


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


def august(table: str) -> Month:
    return Month(retention.PRUNABLE[table], date(2026, 8, 1))


@pytest.fixture
def dying(house: House) -> Iterator[int]:
    """The number of a retention that is still running, and will be killed."""
    yield in_transaction(house.engine, start_run, RunKey("retention", "kalshi_candle_1m_dense"))


def test_what_a_killed_run_had_decided_is_finished_by_the_next_whatever_is_to_be_kept_now(
    house: House, dying: int
) -> None:
    month = in_transaction(house.engine, retention.begin, august("kalshi_candle_1m_dense"), dying)
    in_transaction(house.engine, retention.decide, month, None)
    assert rows(house, "kalshi_candle_1m_dense", august=True)
    assert retention_of(house) == {"kalshi_candle_1m_dense"}
    (report,) = drop(house, "kalshi_candle_1m_dense", keep_months=None)
    assert not rows(house, "kalshi_candle_1m_dense", august=True)
    assert [old.fate for old in report.old_months] == ["dropped"]
    assert {row["state"] for row in select(house.engine, "SELECT state FROM kalshi_dropped_month")} == {"dropped"}


def test_what_a_killed_run_had_only_begun_is_begun_again(house: House, dying: int) -> None:
    in_transaction(house.engine, retention.begin, august("kalshi_candle_1m_dense"), dying)
    house.change("UPDATE kalshi_sync_run SET state = 'abandoned' WHERE run_id = :run", run=dying)
    assert retention_of(house) == set()
    read_candles(house, AUG_30, SEP_1)
    (report,) = drop(house, "kalshi_candle_1m_dense")
    assert report.months_dropped == 1
    assert len(select(house.engine, "SELECT * FROM kalshi_dropped_month")) == 1


def test_a_retry_reports_what_earlier_attempts_of_its_dag_run_dropped(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.change("UPDATE kalshi_candle_1m_dense SET bucket_start_utc = bucket_start_utc - INTERVAL 1 MONTH LIMIT 100")
    about: dict[str, Any] = {"dag_run_id": "monthly", "export_to": tmp_path}
    with monkeypatch.context() as patch:
        patch.setattr(sync_retention, "export_month", _failing_after(1))
        with pytest.raises(ExportFailed):
            drop(house, "kalshi_candle_1m_dense", **about)
    failed = latest_report(house)
    fates = [(month["month"], month["fate"]) for month in failed["old_months"]]
    assert fates == [("2026-07", "dropped"), ("2026-08", "kept")]
    assert (failed["months_dropped"], failed["rows_dropped"]) == (1, 100)
    (report,) = drop(house, "kalshi_candle_1m_dense", **about)
    assert [(month.month, month.fate) for month in report.old_months] == [
        ("2026-07", "dropped"),
        ("2026-08", "dropped"),
    ]
    assert all(Path(month.exported_to or "").is_file() for month in report.old_months)
    assert (report.months_dropped, report.rows_dropped) == (2, sum(month.rows for month in report.old_months))
    (other,) = drop(house, "kalshi_candle_1m_dense", **{**about, "dag_run_id": "the next one"})
    assert other.old_months == []


def test_what_another_run_had_decided_is_reported_by_a_retry_of_the_run_that_finished_it(
    house: House, dying: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    month = in_transaction(house.engine, retention.begin, august("kalshi_candle_1m_dense"), dying)
    in_transaction(house.engine, retention.decide, month, "its file")
    with monkeypatch.context() as patch:
        patch.setattr(retention, "old_months", _fail)
        with pytest.raises(ExportFailed):
            drop(house, "kalshi_candle_1m_dense", dag_run_id="monthly")
    assert latest_report(house)["months_dropped"] == 1
    (report,) = drop(house, "kalshi_candle_1m_dense", dag_run_id="monthly")
    assert [(old.month, old.fate, old.exported_to) for old in report.old_months] == [("2026-08", "dropped", "its file")]


def test_a_month_that_could_not_be_dropped_yet_is_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "LOCK_SECONDS", 1)
    with house.engine.connect() as reader:
        reader.exec_driver_sql("SELECT COUNT(*) FROM kalshi_candle_1m_dense").all()
        with pytest.raises(sa.exc.OperationalError):
            drop(house, "kalshi_candle_1m_dense")
    assert [month["fate"] for month in latest_report(house)["old_months"]] == ["kept"]
    real = retention.drop
    monkeypatch.setattr(retention, "drop", _fail)
    with pytest.raises(ExportFailed):
        drop(house, "kalshi_candle_1m_dense")
    assert [month["fate"] for month in latest_report(house)["old_months"]] == ["being dropped"]
    monkeypatch.setattr(retention, "drop", real)
    (report,) = drop(house, "kalshi_candle_1m_dense")
    assert [month.fate for month in report.old_months] == ["dropped"]


def latest_report(house: House) -> dict[str, Any]:
    query = "SELECT report FROM kalshi_sync_run WHERE job = 'retention' ORDER BY run_id DESC LIMIT 1"
    report: dict[str, Any] = json.loads(select(house.engine, query)[0]["report"])
    return report


def _fail(*_: Any) -> None:
    raise ExportFailed("the disk is full")


def _failing_after(number: int) -> Callable[..., None]:
    """An export whose disk is full after so many months."""
    done: list[Month] = []

    def export(connection: sa.Connection, month: Month, *others: Any) -> None:
        if len(done) == number:
            _fail()
        export_month(connection, month, *others)
        done.append(month)

    return export


@pytest.mark.parametrize("is_decided", [False, True])
def test_no_reading_of_a_month_begins_while_it_is_being_dropped(house: House, dying: int, is_decided: bool) -> None:
    month = in_transaction(house.engine, retention.begin, august("kalshi_candle_1m_dense"), dying)
    if is_decided:
        in_transaction(house.engine, retention.decide, month, None)
    with pytest.raises(retention.BeingDropped, match="2026-08 of kalshi_candle_1m_dense is being dropped"):
        read_candles(house, AUG_30, SEP_1, force=True)
    read_candles(house, SEP_1, house.end, force=True)
    drop(house, "kalshi_candle_1m_dense")
    read_candles(house, AUG_30, SEP_1, force=True)
    assert rows(house, "kalshi_candle_1m_dense", august=True)


def test_months_after_one_that_is_kept_are_kept(house: House) -> None:
    house.change(
        "INSERT INTO kalshi_candle_1m_dense (market_ticker, bucket_start_utc, is_synthetic, has_trade, volume, run_id) "
        "VALUES ('OLD', '2026-07-15', TRUE, FALSE, 0, 1)"
    )
    july = datetime(2026, 7, 15, tzinfo=UTC)
    with recorded_run(house.engine, RunKey("candles", SERIES, "backfill", july, july + DAY), Traffic()):
        (report,) = drop(house, "kalshi_candle_1m_dense")
    assert [(old.month, old.fate) for old in report.old_months] == [("2026-07", "kept"), ("2026-08", "kept")]
    assert windows(house) == {
        (job, datetime(2026, 8, 30), datetime(2026, 9, 3))  # noqa: DTZ001  # as in the tables
        for job in ("trades", "candles", "candles_dense")
    }


@pytest.mark.parametrize("table", ["kalshi_trade", "kalshi_candle_1m"])
def test_markets_that_were_proven_stay_proven(house: House, table: str) -> None:
    proven = select(house.engine, "SELECT market_ticker, trades_verdict, candles_verdict FROM kalshi_reconciliation")
    assert {(row["trades_verdict"], row["candles_verdict"]) for row in proven} == {("proven", "proven")}
    drop(house, "kalshi_candle_1m_dense", table)
    report = house.reconcile(window_start=AUG_30)
    assert report.state == "success"
    assert report.left_out >= len(proven), "both events opened in August"
    by_hand = house.reconcile(window_start=AUG_30, by_hand=True)
    assert "settled markets of KXHIGHNY were left out" in by_hand.warnings[0]
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
    (file,) = (folder / table).iterdir()
    assert report.old_months[0].exported_to == str(file)
    assert file.name == f"2026-08.{report.run_id}.parquet"
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
    with pytest.raises(ExportFailed, match="Nothing was dropped"):
        drop(house, "kalshi_candle_1m", export_to=folder)
    assert (house.content(), windows(house)) == before
    assert select(house.engine, "SELECT * FROM kalshi_dropped_month") == []


def test_an_export_never_replaces_an_older_one(exported: tuple[House, Path]) -> None:
    house, folder = exported
    drop(house, "kalshi_candle_1m_dense", "kalshi_candle_1m", export_to=folder)
    read_candles(house, AUG_30, AUG_30 + DAY)
    some = len(rows(house, "kalshi_candle_1m", august=True))
    drop(house, "kalshi_candle_1m_dense", "kalshi_candle_1m", export_to=folder)
    noted = select(
        house.engine,
        "SELECT exported_to, row_count FROM kalshi_dropped_month WHERE table_name = 'kalshi_candle_1m' ORDER BY run_id",
    )
    assert [parquet.ParquetFile(row["exported_to"]).metadata.num_rows for row in noted] == [
        r["row_count"] for r in noted
    ]
    assert noted[0]["row_count"] > noted[1]["row_count"] == some > 0


def test_a_file_that_differs_from_the_table_is_no_export(exported: tuple[House, Path]) -> None:
    house, folder = exported
    with house.engine.connect() as connection, pytest.raises(ExportFailed, match="had 5, now"):
        export_month(connection, replace(august("kalshi_candle_1m"), rows=5), folder / "2026-08.parquet")
    assert not (folder / "2026-08.parquet").exists()
