"""Which days a quality run checks."""

from __future__ import annotations

from collections.abc import Iterator
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
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from tests.conftest import address_of

SEP_18 = datetime(2026, 9, 18, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def warehouse(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    """A warehouse that Airflow knows as kalshi_warehouse, with four candles runs."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", empty_database)
    engine = open_engine(address_of(empty_database))
    migrate(engine)
    runs = {
        "monday": (SEP_18 - 4 * DAY, SEP_18 - 3 * DAY),
        "friday": (SEP_18, SEP_18 + DAY),
        "saturday": (SEP_18 + DAY, SEP_18 + 2 * DAY),
        "half": (SEP_18 + 2 * DAY, SEP_18 + 2.5 * DAY),
    }
    with engine.begin() as connection:
        for name, window in runs.items():
            for series in ("KXHIGHNY", "KXHIGHDEN"):
                start_run(connection, RunKey("candles", series, name, *window))
        start_run(connection, RunKey("candles", "(plan)", "half"))
        start_run(connection, RunKey("trades", "KXHIGHNY", "other", SEP_18 - 9 * DAY, SEP_18 + 9 * DAY))
    yield engine
    engine.dispose()


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


def days(events: TriggeringAssetEventsAccessor, **dates: Any) -> list[tuple[str, str]]:
    plan = QualityPlanOperator(task_id="plan", series=["KXHIGHNY", "KXHIGHDEN"], **dates)
    run = SimpleNamespace(run_after=datetime(2026, 9, 30, 12, tzinfo=UTC))
    planned = plan.execute({"dag_run": run, "triggering_asset_events": events})
    assert [one["series_ticker"] for one in planned] == ["KXHIGHNY", "KXHIGHDEN"]
    return sorted({(one["start"][:10], one["end"][:10]) for one in planned})


def test_after_candles_the_days_that_they_read(warehouse: sa.Engine) -> None:
    assert days(news("friday")) == [("2026-09-18", "2026-09-19")]
    assert days(news("friday", "saturday")) == [("2026-09-18", "2026-09-20")], "news that came together"


def test_by_hand_it_checks_the_requested_days(warehouse: sa.Engine) -> None:
    chosen = {"date_from": "2026-09-01", "date_to": "2026-09-03"}
    assert days(news(), **chosen) == [("2026-09-01", "2026-09-04")]
    with pytest.raises(AirflowFailException, match="Give both date_from and date_to"):
        days(news(), date_from="2026-09-01")


def test_by_hand_without_dates_the_days_read_last_whole(warehouse: sa.Engine) -> None:
    assert days(news()) == [("2026-09-20", "2026-09-21")]


def test_without_any_candles_it_checks_yesterday(warehouse: sa.Engine) -> None:
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM kalshi_sync_run")
    assert days(news()) == [("2026-09-29", "2026-09-30")]
