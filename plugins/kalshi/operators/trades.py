"""The operator of ``kalshi_trades_sync``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.operators.common import day_range
from kalshi.operators.runs import SeriesSyncOperator
from kalshi.reports.trades import TRADES
from kalshi.sync.report import JobReport
from kalshi.sync.trades import TradesRequest, sync_trades


class TradesSyncOperator(SeriesSyncOperator):
    """Syncs the public trades of one series, or of the whole exchange: those of the days from ``date_from`` to
    ``date_to`` (UTC, inclusive) if given, else those since the last run."""

    template_fields: Sequence[str] = ("planned", "date_from", "date_to", "force")
    report = TRADES

    def __init__(self, *, date_from: Any = None, date_to: Any = None, force: Any = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.date_from = date_from
        self.date_to = date_to
        self.force = force

    def sync(self, exchange: Exchange, engine: sa.Engine, context: Any) -> list[JobReport]:
        about = self.about(context)
        if self.date_from or self.date_to:
            first, last = day_range(self.date_from, self.date_to)
            about["window_start"] = datetime.combine(first, time(), UTC)
            about["window_end"] = datetime.combine(last + timedelta(days=1), time(), UTC)
        request = TradesRequest(
            cutoff=self.cutoff,
            trades_cutoff=self.trades_cutoff,
            incremental=not self.date_from,
            force=self.force,
            **about,
        )
        return [sync_trades(exchange, engine, request)]
