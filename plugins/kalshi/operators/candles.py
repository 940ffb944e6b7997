"""The operators of ``kalshi_candles_daily`` and ``kalshi_candles_backfill``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.operators.runs import SeriesSyncOperator
from kalshi.reports.candles import CANDLES
from kalshi.sync.candles import CandlesRequest, sync_candles


class CandlesSyncOperator(SeriesSyncOperator):
    """Syncs the one-minute candles of one series in the data interval."""

    template_fields: Sequence[str] = ("planned", "force")
    report = CANDLES

    def __init__(self, *, force: Any = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.force = force

    def sync(self, exchange: Exchange, engine: sa.Engine, context: Any) -> dict[str, Any]:
        about = self.about(context)
        if about["window_start"] == about["window_end"]:  # a run without a data interval: the last whole day
            day = about["asked_at"].replace(hour=0, minute=0, second=0, microsecond=0)
            about |= {"window_start": day - timedelta(days=1), "window_end": day}
        return sync_candles(exchange, engine, CandlesRequest(cutoff=self.cutoff, force=self.force, **about))
