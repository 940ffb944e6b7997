"""The operator of ``kalshi_reconciliation``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.operators.common import day_range
from kalshi.operators.runs import SeriesSyncOperator
from kalshi.reports.reconciliation import RECONCILIATION
from kalshi.settings import load_settings
from kalshi.sync.reconciliation import ReconciliationRequest, reconcile
from kalshi.sync.report import JobReport


class ReconciliationOperator(SeriesSyncOperator):
    """Compares the settled markets of one series with the exchange's volume: those that closed from ``date_from`` to
    ``date_to`` (UTC, inclusive) if given, else all."""

    template_fields: Sequence[str] = ("planned", "date_from", "date_to", "repair")
    report = RECONCILIATION

    def __init__(self, *, date_from: Any = None, date_to: Any = None, repair: Any = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.date_from = date_from
        self.date_to = date_to
        self.repair = repair

    def sync(self, exchange: Exchange, engine: sa.Engine, context: Any) -> JobReport:
        settings = load_settings()
        about = {**self.about(context), "window_start": None, "window_end": None}
        if self.date_from or self.date_to:
            first, last = day_range(self.date_from, self.date_to)
            about["window_start"] = datetime.combine(first, time(), UTC)
            about["window_end"] = datetime.combine(last + timedelta(days=1), time(), UTC)
        request = ReconciliationRequest(
            cutoff=self.cutoff,
            repair=self.repair,
            rules=settings.reconciliation,
            expected_from=None if self.date_from else settings.candles.start,
            **about,
        )
        return reconcile(exchange, engine, request)
