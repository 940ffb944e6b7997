"""The operator of ``kalshi_catalog_sync``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.operators.runs import SeriesSyncOperator
from kalshi.reports.catalog import CATALOG
from kalshi.sync.catalog import CatalogRequest, sync_catalog
from kalshi.sync.report import JobReport


class CatalogSyncOperator(SeriesSyncOperator):
    """Syncs one series, its events and its markets of both tiers, or the whole exchange of the live tier."""

    template_fields: Sequence[str] = ("planned", "max_pages", "include_historical", "full")
    report = CATALOG

    def __init__(
        self, *, max_pages: Any = None, include_historical: Any = True, full: Any = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_pages = max_pages
        self.include_historical = include_historical
        self.full = full

    def sync(self, exchange: Exchange, engine: sa.Engine, context: Any) -> list[JobReport]:
        request = CatalogRequest(
            cutoff=self.cutoff,
            max_pages=self.max_pages,
            include_historical=self.include_historical,
            full=self.full,
            **self.about(context),
        )
        return [sync_catalog(exchange, engine, request)]
