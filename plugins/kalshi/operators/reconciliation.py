"""The operators of ``kalshi_reconciliation``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from airflow.sdk.exceptions import AirflowFailException

from kalshi.exchange import Exchange
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.operators.common import day_range, failing_for_good
from kalshi.operators.runs import PlanOperator, SeriesSyncOperator, as_utc, parts_of_everything, planned_series
from kalshi.reports.reconciliation import RECONCILIATION
from kalshi.settings import load_settings
from kalshi.sync.reconciliation import ReconciliationRequest, reconcile
from kalshi.sync.report import JobReport
from kalshi.sync.run import TooManyRejected
from kalshi.warehouse.checkpoints import EVERYTHING
from kalshi.warehouse.reconciliation import settled_markets_by_series
from kalshi.warehouse.server import in_transaction

LATELY = timedelta(days=7)
"""Of the whole exchange, an ordinary run compares the markets that settled in this time, and those that weren't proven
before: all of them are millions."""


class ReconciliationPlanOperator(PlanOperator):
    """Plans which settled markets to compare: those that closed from ``date_from`` to ``date_to`` (UTC, inclusive) if
    given, else all; of the whole exchange those that settled LATELY, or weren't proven before. One task per series, or
    PARTS tasks for the whole exchange.

    XCom: the plan's entries, with ``start`` and ``end`` of the closes and ``since`` of the settlements, ISO 8601 or
    None.
    """

    template_fields: Sequence[str] = ("series", "date_from", "date_to")

    def __init__(self, *, date_from: Any = None, date_to: Any = None, **kwargs: Any) -> None:
        super().__init__(job=RECONCILIATION.job, **kwargs)
        self.date_from = date_from
        self.date_to = date_to

    def execute(self, context: Any) -> list[dict[str, Any]]:
        is_everything = EVERYTHING in self.series
        start = end = since = None
        if self.date_from or self.date_to:
            first, last = day_range(self.date_from, self.date_to)
            start, end = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
        elif is_everything:
            since = as_utc(context["dag_run"].run_after) - LATELY
        times = {"start": start, "end": end, "since": since}
        which = {name: time and time.isoformat() for name, time in times.items()}
        plans = [{**plan, **which} for plan in super().execute(context)]
        if not is_everything:
            return plans
        with failing_for_good(), WarehouseHook().connected() as engine:
            sizes = in_transaction(engine, settled_markets_by_series, start, end, since)
        if not sizes:
            raise AirflowFailException("No market of these days is settled in the warehouse: nothing to compare.")
        return [{**plans[0], "scope": name, "series": series} for name, series in parts_of_everything(sizes)]


class ReconciliationOperator(SeriesSyncOperator):
    """Compares the settled markets of one series, or of some of the whole exchange, with the exchange's volume."""

    template_fields: Sequence[str] = ("planned", "repair")
    report = RECONCILIATION

    def __init__(self, *, repair: Any = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.repair = repair

    def sync(self, exchange: Exchange, engine: sa.Engine, context: Any) -> list[JobReport]:
        asked = self._request(context)
        reports: list[JobReport] = []
        failures: list[TooManyRejected] = []
        for series in planned_series(self.planned):
            try:
                report = reconcile(exchange, engine, replace(asked, scope=series))
            except TooManyRejected as failure:  # the ledger has it, and the other series aren't concerned
                failures.append(failure)
                continue
            reports.append(report)
            left = max(0, asked.rules.most_read_again - report.read_again)
            asked = replace(asked, rules=msgspec.structs.replace(asked.rules, most_read_again=left))
        if failures:
            raise failures[0]
        return reports

    def _request(self, context: Any) -> ReconciliationRequest:
        settings = load_settings()
        start, end, since = map(self._planned_time, ("start", "end", "since"))
        about = {**self.about(context), "window_start": start, "window_end": end}
        expected = settings.candles.start if end is None else None
        if self.planned["scope"].startswith(EVERYTHING):
            expected = about["asked_at"]  # of the whole exchange, what no job has read isn't missing
        return ReconciliationRequest(
            cutoff=self.cutoff,
            repair=self.repair,
            rules=settings.reconciliation,
            expected_from=expected,
            settled_since=since,
            **about,
        )
