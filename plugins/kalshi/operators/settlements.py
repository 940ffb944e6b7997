"""The operator of ``kalshi_settlements_sync``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.operators.runs import SeriesSyncOperator
from kalshi.reports.settlements import SETTLEMENTS
from kalshi.sync.report import JobReport
from kalshi.sync.settlements import SettlementsRequest, sync_settlements


class SettlementsSyncOperator(SeriesSyncOperator):
    """Syncs the settlements of one series, or of the whole exchange."""

    template_fields: Sequence[str] = ("planned", "max_pages", "full")
    report = SETTLEMENTS

    def __init__(self, *, max_pages: Any = None, full: Any = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_pages = max_pages
        self.full = full

    def sync(self, exchange: Exchange, engine: sa.Engine, context: Any) -> list[JobReport]:
        request = SettlementsRequest(
            cutoff=self.cutoff, max_pages=self.max_pages, full=self.full, **self.about(context)
        )
        return [sync_settlements(exchange, engine, request)]
