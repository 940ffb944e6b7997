"""The catalog as a test reads it."""

from __future__ import annotations

from typing import Any, Protocol

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.sync.catalog import CatalogReport, CatalogRequest, sync_catalog


class Sync(Protocol):
    def __call__(self, series: str = ..., **others: Any) -> CatalogReport: ...


def syncing(exchange: Exchange, engine: sa.Engine) -> Sync:
    """``sync("KXHIGHNY", full=True)``: one sync of a series of this exchange into this warehouse."""

    def sync(series: str = "KXHIGHNY", **others: Any) -> CatalogReport:
        request = CatalogRequest(series, exchange.historical_cutoff().markets_settled, **others)
        return sync_catalog(exchange, engine, request)

    return sync
