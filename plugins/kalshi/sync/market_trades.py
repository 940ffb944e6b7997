"""Reads the public trades market by market, from both tiers, and writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

import sqlalchemy as sa

from kalshi.exchange import Exchange, RequestRefused
from kalshi.exchange.pages import Page, read_ahead
from kalshi.records import Trade
from kalshi.sync.evidence import Doubt, Reading
from kalshi.sync.lives import lives_in
from kalshi.sync.pages import write_page
from kalshi.sync.report import Field, WindowReport
from kalshi.sync.run import SyncRun
from kalshi.warehouse import catalog, gaps
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.trades import changed_by, write_trades
from kalshi.warehouse.writer import WriteCounts

JOB = "trades"
MINUTE = timedelta(minutes=1)
TIER_OVERLAP = timedelta(days=1)
"""Within this distance of the cutoff both tiers are read: they may overlap, or the cutoff may move while we read."""


class TradesReport(WindowReport, kw_only=True):
    """How one trades sync went."""

    markets: Annotated[int, Field("markets open in the window", "markets")] = 0
    traded: Annotated[int, Field("those with a trade in it", "traded")] = 0
    trades: Annotated[int, Field("trades read", "trades")] = 0
    left_out: Annotated[int, Field("trades of combinations that were left out", "combinations left out")] = 0


def read_trades(
    exchange: Exchange,
    run: SyncRun,
    cutoff: datetime | None,
    report: TradesReport,
    reading: Reading,
    on_written: Callable[[Page[Trade]], None] | None = None,
) -> Iterator[Doubt]:
    """Read the trades of a gap, market by market; from both tiers if ``cutoff`` is None."""
    window = replace(reading.window, end=reading.until)
    alive = _alive(run, reading)
    report.markets += len(alive)
    last = reading.reached["market"] if reading.reached else ""
    left = [ticker for ticker in alive if ticker > last]

    def write(connection: sa.Connection, page: Page[Trade]) -> dict[str, WriteCounts]:
        return {"kalshi_trade": write_and_reopen(connection, page, run)}

    pages = (page for ticker in left for page in _pages(exchange, ticker, window, cutoff))
    with read_ahead(pages) as prefetched:
        for ticker, page, is_last in prefetched:
            if page is None:
                yield Doubt(ticker, "neither tier knows the market")
                continue
            write_page(run, page, write, reading, {"market": ticker} if is_last else None, concerns=ticker)
            if on_written:
                on_written(page)
            report.trades += len(page.records)
            report.traded += is_last and bool(page.records or page.number > 1)


def _alive(run: SyncRun, reading: Reading) -> list[str]:
    """The markets to read, by ticker. One that is named is asked for whatever its stored life: the tape may have shown
    that it traded."""
    if not reading.is_whole:
        return [reading.market]
    return sorted(life.ticker for life in lives_in(run, reading))


def write_and_reopen(connection: sa.Connection, page: Page[Trade], run: SyncRun) -> WriteCounts:
    """Write a page of trades. If any is new, the candles that were built without it are to be built again."""
    tickers = {found.record.ticker for found in page.records}
    series = catalog.series_of_each(connection, catalog.MARKET, tickers, run.scope)
    gaps.hold(connection, set(series.values()))
    written = write_trades(connection, page.records, run.run_id)
    if written.inserted or written.updated:
        changed = changed_by(connection, page.records, run.run_id)
        gaps.reopen(
            connection, JOB, series, [(t, _minute(first), _minute(last) + MINUTE) for t, first, last in changed]
        )
    return written


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _pages(
    exchange: Exchange, ticker: str, window: Window, cutoff: datetime | None
) -> Iterator[tuple[str, Page[Trade] | None, bool]]:
    """The pages of one market's trades, each with its ticker and whether it is the market's last; None instead of a
    page if neither tier knows the market."""
    # The docs don't say whether the bounds are inclusive: request one more second on each side.
    bounds = {"min_ts": int(window.start.timestamp()) - 1, "max_ts": int(window.end.timestamp()) + 1}
    waiting: Page[Trade] | None = None
    for page in _tiers(exchange, ticker, window, cutoff, bounds):
        if waiting:
            yield ticker, waiting, False
        waiting = page
    yield ticker, waiting, True


def _tiers(
    exchange: Exchange, ticker: str, window: Window, cutoff: datetime | None, bounds: dict[str, int]
) -> Iterator[Page[Trade]]:
    """The pages from the tiers that the window touches; if those all return 404, from the other tiers too. No page: no
    tier knows the market."""
    archived = cutoff is None or window.start < cutoff + TIER_OVERLAP
    live = cutoff is None or window.end > cutoff - TIER_OVERLAP
    tiers = {exchange.historical_trades: archived, exchange.trades: live}
    known = False
    for tier in sorted(tiers, key=lambda tier: not tiers[tier]):
        if known and not tiers[tier]:
            return
        try:
            for page in tier(ticker=ticker, **bounds):
                known = True
                yield page
        except RequestRefused as error:
            if error.status != 404:
                raise
