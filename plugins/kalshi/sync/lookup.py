"""Looks up single markets and events by their tickers, in either tier."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.pages import Page
from kalshi.records import Event, Market, ticker_in
from kalshi.sync.evidence import Doubt, Reading
from kalshi.sync.pages import Write, write_pages
from kalshi.sync.run import SyncRun
from kalshi.warehouse import catalog
from kalshi.warehouse.checkpoints import COMBO, EVERYTHING
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

TICKERS_PER_LOOKUP = 100
ARCHIVED = "the exchange has archived some of it since, which is read series by series: name those that you need"


def markets_of(exchange: Exchange, tickers: Sequence[str]) -> Iterator[Page[Market]]:
    """The markets with these tickers, from the live tier or else the historical one."""
    for start in range(0, len(tickers), TICKERS_PER_LOOKUP):
        batch = tickers[start : start + TICKERS_PER_LOOKUP]
        found: set[str] = set()
        for page in exchange.markets(tickers=",".join(batch)):
            found |= {f.record.ticker for f in page.records}
            yield page
        if missing := [ticker for ticker in batch if ticker not in found]:
            yield from exchange.historical_markets(tickers=",".join(missing))


def look_up(
    exchange: Exchange,
    run: SyncRun,
    tickers: Sequence[str],
    write: Write[Market],
    reading: Reading,
) -> Iterator[Doubt]:
    """Read these markets and write them; what neither tier lists is in doubt."""
    listed: set[str | None] = set()

    def see(page: Page[Market]) -> None:
        listed.update(found.record.ticker for found in page.records)
        listed.update(ticker_in(bad.raw) for bad in page.rejected)

    know = partial(know_events, exchange, run)
    yield from write_pages(run, markets_of(exchange, tickers), write, reading, on_read=know, on_written=see)
    for ticker in tickers:
        if ticker not in listed:
            yield Doubt(ticker, "neither tier lists the market")


def know_events(exchange: Exchange, run: SyncRun, page: Page[Market]) -> None:
    """For a run of EVERYTHING: read the events of these markets that aren't stored, so that the markets come under the
    right series. Combinations are left out: ``GET /events`` doesn't list their events."""
    if run.scope == EVERYTHING:
        events = {found.record.event_ticker for found in page.records}
        missing = sorted(in_transaction(run.engine, catalog.unknown, table=catalog.EVENT, tickers=events))
        read_events(exchange, run, [ticker for ticker in missing if not ticker.startswith(COMBO)])


def read_events(exchange: Exchange, run: SyncRun, tickers: Sequence[str]) -> None:
    """Read these events, as far as the exchange lists them."""

    def write(connection: sa.Connection, page: Page[Event]) -> dict[str, WriteCounts]:
        return {"kalshi_event": catalog.write_events(connection, page.records, run.run_id)}

    for start in range(0, len(tickers), TICKERS_PER_LOOKUP):
        write_pages(run, exchange.events(tickers=",".join(tickers[start : start + TICKERS_PER_LOOKUP])), write)


def know_markets(exchange: Exchange, run: SyncRun, tickers: Collection[str]) -> None:
    """Read those of these markets that aren't stored, and their events. What neither tier lists stays unknown."""
    missing = sorted(in_transaction(run.engine, catalog.unknown, table=catalog.MARKET, tickers=tickers))

    def write(connection: sa.Connection, page: Page[Market]) -> dict[str, WriteCounts]:
        return catalog.write_markets(connection, page.records, EVERYTHING, run.run_id)

    write_pages(run, markets_of(exchange, missing), write, on_read=partial(know_events, exchange, run))
