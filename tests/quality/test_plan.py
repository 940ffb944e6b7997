"""Which days a quality run checks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from airflow.sdk.api.datamodels._generated import AssetReferenceAssetEventDagRun
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.execution_time.comms import AssetEventDagRunReferenceResult
from airflow.sdk.execution_time.context import TriggeringAssetEventsAccessor

from kalshi.operators.quality import QualityCheckOperator, QualityPlanOperator
from kalshi.operators.runs import PARTS, table_asset
from kalshi.warehouse.catalog import expect_markets
from kalshi.warehouse.ledger import RunKey, start_run

SEP_18 = datetime(2026, 9, 18, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def warehouse(warehouse: sa.Engine, warehouse_uri: str, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """A warehouse that Airflow knows as kalshi_warehouse, with four candles runs."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri)
    runs = {
        "monday": (SEP_18 - 4 * DAY, SEP_18 - 3 * DAY),
        "friday": (SEP_18, SEP_18 + DAY),
        "saturday": (SEP_18 + DAY, SEP_18 + 2 * DAY),
        "half": (SEP_18 + 2 * DAY, SEP_18 + 2.5 * DAY),
    }
    with warehouse.begin() as connection:
        for name, window in runs.items():
            for series in ("KXHIGHNY", "KXHIGHDEN"):
                start_run(connection, RunKey("candles", series, name, *window))
        start_run(connection, RunKey("candles", "(plan)", "half"))
        start_run(connection, RunKey("trades", "KXHIGHNY", "other", SEP_18 - 9 * DAY, SEP_18 + 9 * DAY))
    return warehouse


def news(*runs: str) -> TriggeringAssetEventsAccessor:
    """What Airflow says of the candles runs whose asset events started a run."""
    asset = table_asset("kalshi_candle_1m")
    return TriggeringAssetEventsAccessor.build(
        AssetEventDagRunReferenceResult(
            asset=AssetReferenceAssetEventDagRun(name=asset.name, uri=asset.uri, extra={}),
            extra={},
            source_task_id="report",
            source_dag_id="kalshi_candles_daily",
            source_run_id=run,
            source_map_index=-1,
            source_aliases=[],
            timestamp=SEP_18,
        )
        for run in runs
    )


def planned(events: TriggeringAssetEventsAccessor, **dates: Any) -> list[tuple[str, str, str]]:
    """Series, first day and the day after the last of each check."""
    plan = QualityPlanOperator(task_id="plan", series=["KXHIGHNY", "KXHIGHDEN"], **dates)
    run = SimpleNamespace(run_after=datetime(2026, 9, 30, 12, tzinfo=UTC))
    found = plan.execute({"dag_run": run, "triggering_asset_events": events})
    return [(one["scope"], one["start"][:10], one["end"][:10]) for one in found]


def of_both(first: str, after: str) -> list[tuple[str, str, str]]:
    return [(series, first, after) for series in ("KXHIGHDEN", "KXHIGHNY")]


def read(engine: sa.Engine, run: str, series: str, start: datetime, end: datetime) -> None:
    with engine.begin() as connection:
        start_run(connection, RunKey("candles", series, run, start, end))


def test_after_candles_the_days_that_they_read(warehouse: sa.Engine) -> None:
    assert planned(news("friday")) == of_both("2026-09-18", "2026-09-19")
    assert planned(news("friday", "saturday")) == of_both("2026-09-18", "2026-09-20"), "days that adjoin are one window"


def test_after_candles_no_other_days_and_no_other_series(warehouse: sa.Engine) -> None:
    read(warehouse, "backfill", "KXHIGHMIA", SEP_18 - 60 * DAY, SEP_18 - 59 * DAY)
    read(warehouse, "backfill", "KXHIGHMIA", SEP_18 - 3 * DAY, SEP_18 - 2 * DAY)
    assert planned(news("backfill")) == [
        ("KXHIGHMIA", "2026-07-20", "2026-07-21"),
        ("KXHIGHMIA", "2026-09-15", "2026-09-16"),
    ]
    assert planned(news("monday", "friday", "backfill")) == [
        ("KXHIGHDEN", "2026-09-14", "2026-09-15"),
        ("KXHIGHDEN", "2026-09-18", "2026-09-19"),
        ("KXHIGHMIA", "2026-07-20", "2026-07-21"),
        ("KXHIGHMIA", "2026-09-15", "2026-09-16"),
        ("KXHIGHNY", "2026-09-14", "2026-09-15"),
        ("KXHIGHNY", "2026-09-18", "2026-09-19"),
    ]


def test_windows_that_overlap_or_adjoin_are_checked_once(warehouse: sa.Engine) -> None:
    for start, end in ((0, 3), (1, 2), (2.5, 3.5), (4, 5)):
        read(warehouse, "chunks", "KXHIGHNY", SEP_18 + start * DAY, SEP_18 + end * DAY)
    assert planned(news("chunks")) == [("KXHIGHNY", "2026-09-18", "2026-09-23")]


def test_by_hand_it_checks_the_requested_days(warehouse: sa.Engine) -> None:
    chosen = {"date_from": "2026-09-01", "date_to": "2026-09-03"}
    assert planned(news(), **chosen) == of_both("2026-09-01", "2026-09-04")
    with pytest.raises(AirflowFailException, match="Give both date_from and date_to"):
        planned(news(), date_from="2026-09-01")


def test_by_hand_without_dates_the_days_of_each_series_that_were_read_last_whole(warehouse: sa.Engine) -> None:
    assert planned(news()) == of_both("2026-09-20", "2026-09-21")
    read(warehouse, "later", "KXHIGHDEN", SEP_18 - DAY, SEP_18)
    read(warehouse, "later", "KXHIGHMIA", SEP_18 - DAY, SEP_18)
    assert planned(news()) == [("KXHIGHDEN", "2026-09-17", "2026-09-18"), ("KXHIGHNY", "2026-09-20", "2026-09-21")]


def test_a_series_without_any_candles_is_checked_for_yesterday(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM kalshi_sync_run WHERE scope = 'KXHIGHDEN'")
    assert planned(news()) == [("KXHIGHDEN", "2026-09-29", "2026-09-30"), ("KXHIGHNY", "2026-09-20", "2026-09-21")]


def test_of_the_whole_exchange_every_series_with_an_open_market_is_checked_by_some_task(warehouse: sa.Engine) -> None:
    sizes = {f"KX{number:02}": 1 + 200 // (number + 1) for number in range(40)} | {"KXMVEX": 5}
    with warehouse.begin() as connection:
        for series, markets in sizes.items():
            expect_markets(connection, [f"{series}-1-{market}" for market in range(markets)], 1)
        connection.exec_driver_sql(
            "UPDATE kalshi_market SET open_time_utc = '2025-01-01', close_time_utc = '2025-01-02' "
            "WHERE series_ticker = 'KX07'"
        )
        start_run(connection, RunKey("candles", "*", "whole", SEP_18, SEP_18 + DAY))
    plan = QualityPlanOperator(task_id="plan", series=["KXHIGHNY"])
    run = SimpleNamespace(run_after=datetime(2026, 9, 30, 12, tzinfo=UTC))
    tasks = plan.execute({"dag_run": run, "triggering_asset_events": news("whole")})
    assert len(tasks) == PARTS
    assert {task["start"] for task in tasks} == {SEP_18.isoformat()}
    checked = [series for task in tasks for series in task["series"]]
    assert sorted(checked) == sorted(sizes.keys() - {"KX07", "KXMVEX"})
    loads = [sum(sizes[series] for series in task["series"]) for task in tasks if task["series"] != ["KX00"]]
    assert max(loads) - min(loads) < 0.8 * max(loads), "but for the largest series, they have about as many markets"


def test_a_series_without_a_market_fails_the_task_after_the_others_are_checked(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        expect_markets(connection, ["KXA-1-T1", "KXC-1-T1"], 1)
    window = {"start": SEP_18.isoformat(), "end": (SEP_18 + DAY).isoformat()}
    check = QualityCheckOperator(task_id="check", planned={"scope": "*", "series": ["KXA", "KXB", "KXC"], **window})
    dag_run = SimpleNamespace(run_id="later", run_after=datetime(2026, 9, 30, 12, tzinfo=UTC))
    with pytest.raises(AirflowFailException, match="No market of KXB was open"):
        check.execute({"dag_run": dag_run, "ti": SimpleNamespace(try_number=1, max_tries=check.retries)})
    with warehouse.connect() as connection:
        query = "SELECT scope FROM kalshi_sync_run WHERE job = 'quality' AND state <> 'failed' ORDER BY scope"
        assert list(connection.exec_driver_sql(query).scalars()) == ["KXA", "KXC"]


def test_a_retry_checks_only_the_series_that_were_not_checked_to_the_end(
    warehouse: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, end = SEP_18, SEP_18 + DAY
    with warehouse.begin() as connection:
        for series, state in (("KXA", "warning"), ("KXB", "failed")):
            run = start_run(connection, RunKey("quality", series, "later", start, end))
            connection.exec_driver_sql(f"UPDATE kalshi_sync_run SET state = '{state}' WHERE run_id = {run}")
        expect_markets(connection, [f"{series}-1-T1" for series in ("KXA", "KXB", "KXC")], 1)
    planned = {"scope": "* 1 of 1", "series": ["KXA", "KXB", "KXC"], "start": start.isoformat(), "end": end.isoformat()}
    check = QualityCheckOperator(task_id="check", planned=planned)
    dag_run = SimpleNamespace(run_id="later", run_after=datetime(2026, 9, 30, 12, tzinfo=UTC))
    check.execute({"dag_run": dag_run, "ti": SimpleNamespace(try_number=2, max_tries=check.retries)})
    with warehouse.connect() as connection:
        query = "SELECT scope, COUNT(*) FROM kalshi_sync_run WHERE job = 'quality' GROUP BY scope ORDER BY scope"
        assert [tuple(row) for row in connection.exec_driver_sql(query)] == [("KXA", 1), ("KXB", 2), ("KXC", 1)]
