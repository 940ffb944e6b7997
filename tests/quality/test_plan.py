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

from kalshi.operators.quality import QualityPlanOperator
from kalshi.operators.runs import table_asset
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
