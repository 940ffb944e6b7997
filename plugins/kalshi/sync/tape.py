"""The tape: the public trades of the whole exchange in one stream, the newest first, from both tiers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.pages import Page, read_ahead
from kalshi.records import Trade, known_time, ticker_in
from kalshi.sync.evidence import Doubt, Reading
from kalshi.sync.lookup import know_markets
from kalshi.sync.market_trades import TIER_OVERLAP, TradesReport, read_trades, write_and_reopen
from kalshi.sync.pages import write_page
from kalshi.sync.run import SyncRun
from kalshi.warehouse.checkpoints import COMBO, EVERYTHING
from kalshi.warehouse.writer import WriteCounts

LIVE, ARCHIVE = "live", "archive"
SECOND = timedelta(seconds=1)


def read_tape(
    exchange: Exchange,
    run: SyncRun,
    cutoff: datetime | None,
    report: TradesReport,
    reading: Reading,
) -> Iterator[Doubt]:
    """Read all trades of a gap, but for those of multivariate combinations; from both tiers if ``cutoff`` is None.

    The tape lists every trade whatever the catalog knows, so no market can be missing from it. The markets of a page
    are made known before it is written. A killed reading resumes at the time that it had come down to. What is missing
    of a single market is read by its ticker. A gap of a series is read like one of everything, but from its start: the
    progress that is stored with it is that of another reading.
    """
    if not reading.is_whole:
        yield from read_trades(exchange, run, cutoff, report, reading)
        return

    def write(connection: sa.Connection, page: Page[Trade]) -> dict[str, WriteCounts]:
        return {"kalshi_trade": write_and_reopen(connection, page, run)}

    traded: set[str] = set()
    is_whole = reading.window.scope == EVERYTHING
    pages = _pages(exchange, reading, cutoff, (reading.reached if is_whole else None) or {})
    with read_ahead(pages) as prefetched:
        for page, reached in prefetched:
            wanted = _without_combos(page)
            tickers = {found.record.ticker for found in wanted.records}
            know_markets(exchange, run, tickers - traded)
            write_page(run, wanted, write, reading, reached if is_whole else None)
            report.markets += len(tickers - traded)
            report.traded += len(tickers - traded)
            traded |= tickers
            report.trades += len(wanted.records)
            report.left_out += len(page.records) - len(wanted.records)


def _without_combos(page: Page[Trade]) -> Page[Trade]:
    return replace(
        page,
        records=[found for found in page.records if not found.record.ticker.startswith(COMBO)],
        rejected=[bad for bad in page.rejected if not (ticker_in(bad.raw) or "").startswith(COMBO)],
    )


def _pages(
    exchange: Exchange, reading: Reading, cutoff: datetime | None, reached: dict[str, Any]
) -> Iterator[tuple[Page[Trade], dict[str, Any]]]:
    """The pages of the tiers that the gap touches, each with the progress to store once it is written."""
    start = reading.window.start
    until = datetime.fromtimestamp(reached["until"], UTC) if reached else reading.until
    if reached.get("tier") != ARCHIVE:
        if cutoff is None or until > cutoff - TIER_OVERLAP:
            yield from _tier(exchange.trades, LIVE, start, until)
        # Not from where the live tier was left: what only this tier has may be later.
        until = reading.until if cutoff is None else min(reading.until, cutoff + TIER_OVERLAP)
    if start < until:
        yield from _tier(exchange.historical_trades, ARCHIVE, start, until)


def _tier(trades: Any, tier: str, start: datetime, until: datetime) -> Iterator[tuple[Page[Trade], dict[str, Any]]]:
    """The pages of one tier. Their upper bound is fixed, so that trades that come in meanwhile shift none of them.

    Where they turn out not to come newest first, a time proves nothing: a reading that fails begins the tier anew.
    """
    oldest: datetime | None = until + 2 * SECOND
    # The docs don't say whether the bounds are inclusive: request one more second on each side.
    for page in trades(min_ts=int(start.timestamp()) - 1, max_ts=int(until.timestamp()) + 1):
        times = [at for found in page.records if (at := known_time(found.record.executed))]
        if oldest and times:
            oldest = min(times) if sorted(times, reverse=True) == times and times[0] <= oldest else None
        yield page, {"tier": tier, "until": int((oldest or until).timestamp()) + 1}
