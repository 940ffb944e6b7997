"""The operators of ``kalshi_data_quality``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from kalshi.hooks.warehouse import WarehouseHook
from kalshi.operators.common import day_range, failing_for_good
from kalshi.operators.runs import as_utc
from kalshi.reports.candles import CANDLES
from kalshi.reports.quality import QUALITY
from kalshi.settings import load_settings
from kalshi.warehouse.ledger import windows_of
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import in_transaction


class QualityPlanOperator(BaseOperator):
    """Migrates the warehouse and decides which days to check.

    The days from ``date_from`` to ``date_to`` (UTC, inclusive) if given; else those of the candles runs whose asset
    events triggered this run; else those that were read last; else yesterday.

    XCom: a list of ``{"series_ticker", "start", "end"}``, times in ISO 8601.
    """

    template_fields: Sequence[str] = ("series", "date_from", "date_to")

    def __init__(self, *, series: Any, date_from: Any = None, date_to: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.series = series
        self.date_from = date_from
        self.date_to = date_to

    def execute(self, context: Any) -> list[dict[str, str]]:
        first, last = self._days(context)
        start = datetime.combine(first, time(), UTC).isoformat()
        end = datetime.combine(last + timedelta(days=1), time(), UTC).isoformat()
        self.log.info("Checking %s to %s (UTC, inclusive).", first, last)
        return [{"series_ticker": ticker, "start": start, "end": end} for ticker in self.series]

    def _days(self, context: Any) -> tuple[date, date]:
        with failing_for_good(), WarehouseHook().connected() as engine:
            self.log.info("The warehouse is at schema version %s.", migrate(engine))
            if self.date_from or self.date_to:
                return day_range(self.date_from, self.date_to)
            asset_events = [event for events in context["triggering_asset_events"].values() for event in events]
            runs = [event.source_run_id for event in asset_events if event.source_run_id]
            windows = in_transaction(engine, lambda c: windows_of(c, CANDLES.job, runs))
        if not windows:
            yesterday = as_utc(context["dag_run"].run_after).date() - timedelta(days=1)
            return yesterday, yesterday
        # The end of a window is exclusive: one that ends at midnight doesn't include that day.
        last = max(end for _, end in windows) - timedelta(microseconds=1)
        return min(start for start, _ in windows).date(), last.date()


class QualityCheckOperator(BaseOperator):
    """Checks one series. ``planned`` is an element of the plan's XCom.

    Faults in the data are stored; they fail the report task, not this one.
    """

    template_fields: Sequence[str] = ("planned",)

    def __init__(self, *, planned: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.planned = planned

    def execute(self, context: Any) -> None:
        from kalshi.quality.run import (  # takes 3 s: too long for every import of a DAG file
            NothingChecked,
            QualityRequest,
            check_series,
        )

        request = QualityRequest(
            self.planned["series_ticker"],
            dag_run_id=context["dag_run"].run_id,
            window_start=datetime.fromisoformat(self.planned["start"]),
            window_end=datetime.fromisoformat(self.planned["end"]),
            asked_at=as_utc(context["dag_run"].run_after),
        )
        with failing_for_good(), WarehouseHook().connected() as engine:
            try:
                report = check_series(engine, request, load_settings().quality)
            except NothingChecked as error:
                raise AirflowFailException(str(error)) from error
        self.log.info("\n%s", QUALITY.table([report]))
