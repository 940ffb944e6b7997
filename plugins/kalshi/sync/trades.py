"""The public trades of one series in a window of time: its catalog first, then market by market, both tiers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.pages import Page, read_ahead
from kalshi.records import Trade
from kalshi.sync.catalog import CatalogRequest, sync_series
from kalshi.sync.pages import Progress, checkpointed, write_page
from kalshi.sync.run import SeriesRequest, SyncRun, recorded_run
from kalshi.warehouse import catalog, checkpoints, market_data
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.server import in_transaction

JOB = "trades"
OVERLAP = timedelta(hours=1)
"""An incremental run reads this much again: a trade may be published later than its time says."""
LONGEST_GAP = timedelta(days=7)
"""An incremental run goes back no further than this; a longer pause is for a run with dates."""
TIER_OVERLAP = timedelta(days=1)
"""The tiers may overlap, or the cutoff may move while we read: this close to it both are asked."""


@dataclass(frozen=True)
class TradesRequest(SeriesRequest):
    """What to sync: one series, in ``window_start`` to ``window_end``.

    ``incremental``: from the end of the last complete window instead, where that is earlier.
    ``force``: also where the window is complete. ``trades_cutoff``: older trades are in the historical tier;
    unknown, both tiers are asked.
    """

    cutoff: datetime
    trades_cutoff: datetime | None
    incremental: bool = False
    force: bool = False


@dataclass
class _Tally:
    markets: int = 0
    traded: int = 0
    trades: int = 0


def sync_trades(exchange: Exchange, engine: sa.Engine, request: TradesRequest) -> dict[str, Any]:
    """Sync one series and return its report (see ``docs/reports.md``).

    The markets alive in the window come in the order of their tickers; each one's last page commits with
    a note of it, where a killed run goes on.

    Raises:
        ExchangeError: the exchange refused, stayed away or paginated in a circle; what came is kept.
        TooManyRejected: after loading the rest.
    """
    with recorded_run(engine, request.key(JOB), exchange.traffic) as run:
        tally = _Tally()
        window = _window(run, request)
        try:
            covered = in_transaction(engine, lambda c: checkpoints.is_covered(c, window))
            if not covered or request.force:
                _sync(exchange, run, request, window, tally)
            run.check_rejected(request.tolerated_share)
        finally:
            run.report = {
                **vars(tally),
                "from_utc": window.start,
                "to_utc": window.end,
            }
    return run.report


def _window(run: SyncRun, request: TradesRequest) -> Window:
    """The window to read. It never ends in the future, or it could not be complete."""
    now = datetime.now(UTC)
    end = min(request.window_end or now, now)
    start = request.window_start or end
    if request.incremental:
        before = in_transaction(run.engine, lambda c: checkpoints.latest_end(c, JOB, run.scope, end))
        start = min(start, before or start)
        if end - start > LONGEST_GAP:
            run.warn(
                f"The trades of {run.scope} from {start:%Y-%m-%d %H:%M} to {end - LONGEST_GAP:%Y-%m-%d %H:%M} UTC "
                "are missing: trigger the DAG with date_from and date_to."
            )
            start = end - LONGEST_GAP
        start -= OVERLAP
    return Window(JOB, run.scope, start, end)


def _sync(exchange: Exchange, run: SyncRun, request: TradesRequest, window: Window, tally: _Tally) -> None:
    archived = window.start < request.cutoff
    sync_series(
        exchange,
        run.engine,
        CatalogRequest(
            request.series_ticker, request.cutoff, include_historical=archived, dag_run_id=request.dag_run_id
        ),
    )
    alive = in_transaction(run.engine, lambda c: catalog.markets_alive(c, run.scope, window.start, window.end))
    tally.markets = len(alive)
    with checkpointed(run, window) as reached:
        left = [ticker for ticker in alive if not reached or ticker > reached["market"]]
        pages = (page for ticker in left for page in _pages(exchange, ticker, window, request.trades_cutoff))
        for ticker, page, is_last in read_ahead(pages):
            progress = Progress(window, {"market": ticker}) if is_last else None
            write_page(
                run,
                page,
                lambda c, p: {"kalshi_trade": market_data.write_trades(c, p.records, run.run_id)},
                progress,
            )
            tally.trades += len(page.records)
            tally.traded += is_last and bool(page.records or page.number > 1)


def _pages(
    exchange: Exchange, ticker: str, window: Window, cutoff: datetime | None
) -> Iterator[tuple[str, Page[Trade], bool]]:
    """The pages of one market's trades, each with its ticker and whether it is the market's last."""
    # Whether the exchange's bounds belong to the range is not documented: ask for a second more on each side.
    bounds = {"min_ts": int(window.start.timestamp()) - 1, "max_ts": int(window.end.timestamp()) + 1}
    tiers = []
    if cutoff is None or window.start < cutoff + TIER_OVERLAP:
        tiers.append(exchange.historical_trades)
    if cutoff is None or window.end > cutoff - TIER_OVERLAP:
        tiers.append(exchange.trades)
    for tier in tiers:
        for page in tier(ticker=ticker, **bounds):
            yield ticker, page, tier == tiers[-1] and not page.cursor
