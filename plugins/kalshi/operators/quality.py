"""The operators of ``kalshi_data_quality``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from airflow.sdk.exceptions import AirflowFailException

from kalshi.hooks.warehouse import WarehouseHook
from kalshi.operators.common import KalshiOperator, day_range, failing_for_good
from kalshi.operators.runs import as_utc, named_series, parts_of_everything, planned_series
from kalshi.quality.report import QualityReport
from kalshi.reports.candles import CANDLES
from kalshi.reports.quality import QUALITY
from kalshi.settings import load_settings
from kalshi.warehouse import catalog
from kalshi.warehouse.checkpoints import EVERYTHING, Window
from kalshi.warehouse.ledger import finished_scopes, latest_windows, windows_of
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import in_transaction

DAY = timedelta(days=1)


class QualityPlanOperator(KalshiOperator):
    """Migrates the warehouse and decides which days of which series to check, in PARTS tasks for a window of the whole
    exchange, and one for each of a series.

    After candles: exactly what the candles runs read whose asset events triggered this run, in whole UTC days;
    adjoining days of a series are one window. Otherwise, for each of ``series``: the days from ``date_from`` to
    ``date_to`` (UTC, inclusive) if given; else those that its latest candles run read; else yesterday.

    XCom: a list of ``{"scope", "series", "start", "end"}``: the name of the task, the series that it checks, and the
    window, in ISO 8601.
    """

    template_fields: Sequence[str] = ("series", "date_from", "date_to")

    def __init__(self, *, series: Any, date_from: Any = None, date_to: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.series = series
        self.date_from = date_from
        self.date_to = date_to

    def execute(self, context: Any) -> list[dict[str, Any]]:
        with failing_for_good(), WarehouseHook().connected() as engine:
            self.log.info("The warehouse is at schema version %s.", migrate(engine))
            windows = whole_days(in_transaction(engine, self._windows, context))
            now = as_utc(context["dag_run"].run_after)
            planned = [(window, part) for window in windows for part in in_transaction(engine, _parts, window, now)]
        for window in windows:
            self.log.info("Checking %s from %s to %s (UTC).", window.scope, window.start.date(), window.end.date())
        return [
            {"scope": name, "series": series, "start": window.start.isoformat(), "end": window.end.isoformat()}
            for window, (name, series) in planned
        ]

    def _windows(self, connection: sa.Connection, context: Any) -> list[Window]:
        series = named_series(self.series, lambda: catalog.all_series(connection))
        if self.date_from or self.date_to:
            return _days(series, *day_range(self.date_from, self.date_to))
        events = [event for events in context["triggering_asset_events"].values() for event in events]
        if runs := [event.source_run_id for event in events if event.source_run_id]:
            return windows_of(connection, CANDLES.job, runs)
        latest = latest_windows(connection, CANDLES.job, series)
        yesterday = as_utc(context["dag_run"].run_after).date() - DAY
        read = {window.scope for window in latest}
        return [*latest, *(day for day in _days(series, yesterday, yesterday) if day.scope not in read)]


def _parts(connection: sa.Connection, window: Window, now: datetime) -> list[tuple[str, list[str]]]:
    """The tasks that check a window, each with its name and its series. Those of the whole exchange have about the same
    number of markets each."""
    if window.scope != EVERYTHING:
        return [(window.scope, [window.scope])]
    return parts_of_everything(catalog.open_markets_by_series(connection, window.start, min(window.end, now)))


def _days(series: Iterable[str], first: date, last: date) -> list[Window]:
    start, end = datetime.combine(first, time(), UTC), datetime.combine(last + DAY, time(), UTC)
    return [Window(CANDLES.job, ticker, start, end) for ticker in series]


def whole_days(windows: Iterable[Window]) -> list[Window]:
    """The UTC days that the windows touch, by scope; adjoining ones are one window."""
    merged: list[Window] = []
    for window in sorted(windows, key=lambda w: (w.scope, w.start)):
        start = window.start.replace(hour=0, minute=0, second=0, microsecond=0)
        # The end is exclusive: a window that ends at midnight doesn't touch the day after.
        last = (window.end - timedelta(microseconds=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        if merged and merged[-1].scope == window.scope and merged[-1].end >= start:
            start, last = merged[-1].start, max(merged.pop().end - DAY, last)
        merged.append(replace(window, start=start, end=last + DAY))
    return merged


class QualityCheckOperator(KalshiOperator):
    """Checks some series in one window, one after the other. ``planned`` is an element of the plan's XCom.

    Faults in the data are stored; they fail the report task, not this one. A retry checks again only what wasn't
    checked to the end; a task that a person clears checks all.
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

        asked = QualityRequest(
            "",
            dag_run_id=context["dag_run"].run_id,
            window_start=datetime.fromisoformat(self.planned["start"]),
            window_end=datetime.fromisoformat(self.planned["end"]),
            asked_at=as_utc(context["dag_run"].run_after),
        )
        reports: list[QualityReport] = []
        failures: list[NothingChecked] = []
        with failing_for_good(), WarehouseHook().connected() as engine:
            is_retry = context["ti"].try_number > 1 and context["ti"].max_tries == self.retries
            checked = in_transaction(engine, finished_scopes, asked.key(QUALITY.job)) if is_retry else set()
            for series in planned_series(self.planned):
                if series not in checked:
                    try:
                        reports.append(check_series(engine, replace(asked, scope=series), load_settings().quality))
                    except NothingChecked as failure:  # the ledger has it, and the other series aren't concerned
                        failures.append(failure)
        self.log.info("\n%s", QUALITY.table(reports))
        if failures:
            raise AirflowFailException(str(failures[0]))
