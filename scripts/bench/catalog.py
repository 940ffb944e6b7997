"""Markets: catalog sync and snapshots, compared with writing the same rows from memory."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.pages import Page
from kalshi.records import Market, Series
from kalshi.sync.catalog import CatalogRequest, sync_catalog
from kalshi.sync.snapshots import SnapshotRequest, snapshot_prices
from kalshi.warehouse import catalog, snapshots
from kalshi.warehouse.server import in_transaction
from scripts.bench.contest import Contest, Entry

SERIES = "KXSANDBOXWIDE"
NOON = datetime(2026, 9, 22, 12, tzinfo=UTC)


def write_markets(engine: sa.Engine, series: Page[Series], pages: list[Page[Market]]) -> None:
    """Write what the catalog sync writes, from memory: the parents, then each page in its own transaction."""
    in_transaction(engine, catalog.write_series, found=series.records, run_id=1)
    for page in pages:
        in_transaction(engine, catalog.write_markets, found=page.records, series_ticker=SERIES, run_id=1)


def write_snapshots(engine: sa.Engine, pages: list[Page[Market]]) -> None:
    """Write what the snapshots write, from memory, including placeholder markets."""

    def write(connection: sa.Connection, page: Page[Market]) -> None:
        catalog.write_unknown_markets(connection, page.records, 1)
        snapshots.write_snapshots(connection, page.records, NOON, NOON, 1)

    for page in pages:
        in_transaction(engine, write, page=page)


def contests(exchange: Exchange, markets: int) -> list[Contest]:
    """The two contests of markets."""
    series = exchange.series(SERIES)
    pages = list(exchange.markets(series_ticker=SERIES))

    def fetch(_: sa.Engine) -> None:
        for _page in exchange.markets(series_ticker=SERIES):
            pass

    def sync(engine: sa.Engine) -> None:
        sync_catalog(exchange, engine, CatalogRequest(SERIES, datetime.now(UTC), include_historical=False))

    def snapshot(engine: sa.Engine) -> None:
        snapshot_prices(exchange, engine, SnapshotRequest(SERIES, datetime.now(UTC)))

    return [
        Contest(
            "catalog: markets",
            [
                Entry("written alone, from memory (the reference)", partial(write_markets, series=series, pages=pages)),
                Entry("fetched alone", fetch),
                Entry("fetched and written", sync),
            ],
            markets,
        ),
        Contest(
            "snapshots of markets never seen: rows",
            [
                Entry("written alone, from memory (the reference)", partial(write_snapshots, pages=pages)),
                Entry("fetched and written", snapshot),
            ],
            markets,
        ),
    ]
