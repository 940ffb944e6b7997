"""The operators of ``kalshi_price_snapshots``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.operators.common import KalshiOperator, failing_for_good
from kalshi.operators.runs import SeriesSyncOperator, as_utc
from kalshi.reports.snapshots import SNAPSHOTS
from kalshi.sync.report import JobReport
from kalshi.sync.snapshots import SnapshotRequest, prune_snapshots, snapshot_prices


class PriceSnapshotOperator(SeriesSyncOperator):
    """Snapshots the open markets of one series, or of the whole exchange, at the end of the data interval."""

    template_fields: Sequence[str] = ("planned", "include_combos")
    report = SNAPSHOTS

    def __init__(self, *, include_combos: Any = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.include_combos = include_combos

    def sync(self, exchange: Exchange, engine: sa.Engine, context: Any) -> list[JobReport]:
        about = self.about(context)
        at = about["window_end"].replace(microsecond=0)
        request = SnapshotRequest(snapshot_at=at, include_combos=self.include_combos, **about)
        return [snapshot_prices(exchange, engine, request)]


class PruneSnapshotsOperator(KalshiOperator):
    """Deletes snapshots older than ``retention_days``, or logs how many it would delete; None keeps them all."""

    template_fields: Sequence[str] = ("retention_days", "prune_dry_run")

    def __init__(self, *, retention_days: Any, prune_dry_run: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.retention_days = retention_days
        self.prune_dry_run = prune_dry_run

    def execute(self, context: Any) -> None:
        if self.retention_days is None:
            self.log.info("All snapshots are kept: retention_days is not set.")
            return
        oldest = as_utc(context["dag_run"].run_after) - timedelta(days=self.retention_days)
        with failing_for_good(), WarehouseHook().connected() as engine:
            found = prune_snapshots(engine, oldest, dry_run=self.prune_dry_run)
        done = "would be deleted (prune_dry_run is set)" if self.prune_dry_run else "were deleted"
        self.log.info("%d snapshots before %s %s.", found, oldest.isoformat(), done)
