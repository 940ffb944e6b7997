"""The public trades of one series in a time window: its catalog first, then market by market, from both tiers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange, RequestRefused
from kalshi.exchange.pages import Page, read_ahead
from kalshi.records import Trade
from kalshi.sync.pages import Progress, checkpointed, write_page
from kalshi.sync.parents import ensure_catalog, warn_where_no_market
from kalshi.sync.run import SeriesRequest, SyncRun, latest_end, recorded_run
from kalshi.warehouse import catalog, checkpoints, market_data
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.server import in_transaction

JOB = "trades"
OVERLAP = timedelta(hours=1)
"""An incremental run rereads this much: a trade may be published later than its timestamp."""
LONGEST_GAP = timedelta(days=7)
"""An incremental run goes back no further than this; filling an older gap takes a run with dates."""
LONGEST_REMEMBERED = timedelta(days=30)
"""Gaps older than this are no longer reported."""
TIER_OVERLAP = timedelta(days=1)
"""Within this distance of the cutoff both tiers are read: they may overlap, or the cutoff may move while we read."""


@dataclass(frozen=True)
class TradesRequest(SeriesRequest):
    """What to sync: one series from ``window_start`` to ``window_end``.

    ``incremental``: start at the first gap in the last days' trades instead, if that is earlier. ``force``:
    reread the window even if it is complete. ``trades_cutoff``: older trades are in the historical tier; if
    None, both tiers are read.
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

    The markets alive in the window are read in ticker order; each market's last page commits together with
    its ticker in the checkpoint, where the run after a killed one resumes.

    Raises:
        ExchangeError: the exchange refused, was unavailable or paginated in a loop; what was read is kept.
        TooManyRejected: after loading the rest.
    """
    with recorded_run(engine, request.key(JOB), exchange.traffic, request.tolerated_share) as run:
        tally = _Tally()
        window = _window(exchange, run, request)
        try:
            covered = in_transaction(engine, lambda c: checkpoints.is_covered(c, window))
            if not covered or request.force:
                _sync(exchange, run, request, window, tally)
            if request.by_hand:
                warn_where_no_market(run, window.start, window.end)
            run.check_rejected()
        finally:
            run.report = {
                **vars(tally),
                "from_utc": window.start,
                "to_utc": window.end,
            }
    return run.report


def _window(exchange: Exchange, run: SyncRun, request: TradesRequest) -> Window:
    """The window to read. It never ends after the time the run was requested."""
    now = latest_end(run, exchange, request.asked_at)
    end = min(request.window_end or now, now)
    start = request.window_start or end
    if start > end:
        raise ValueError(f"{start:%Y-%m-%d} is in the future: there are no trades from then on yet.")
    if request.incremental:
        start = min(start, _first_gap(run, end) or start) - OVERLAP
    return Window(JOB, run.scope, start, end)


def _first_gap(run: SyncRun, end: datetime) -> datetime | None:
    """Where the trades of the last days stop being complete; None if no window was ever complete.

    An older gap is left to a run with dates, and reported by every run until it is filled.
    """

    def work(connection: sa.Connection) -> tuple[datetime | None, datetime | None]:
        first = checkpoints.first_start(connection, JOB, run.scope, end - LONGEST_REMEMBERED, end)
        reached = first and checkpoints.covered_until(connection, JOB, run.scope, first)
        recent = checkpoints.first_start(connection, JOB, run.scope, end - LONGEST_GAP, end)
        resumed = recent and checkpoints.covered_until(connection, JOB, run.scope, max(recent, end - LONGEST_GAP))
        return reached, resumed

    reached, resumed = in_transaction(run.engine, work)
    if reached is None or reached >= end - LONGEST_GAP:
        return reached
    oldest = end - LONGEST_GAP
    run.warn(
        f"The trades of {run.scope} have a gap from {reached:%Y-%m-%d %H:%M} UTC on, further back than an hourly run "
        "reaches: trigger the DAG with date_from and date_to."
    )
    return resumed or oldest


def _sync(exchange: Exchange, run: SyncRun, request: TradesRequest, window: Window, tally: _Tally) -> None:
    with checkpointed(run, window) as reached:
        ensure_catalog(exchange, run, request.cutoff, window.start, window.end)
        lives = in_transaction(run.engine, lambda c: catalog.lives_of_markets(c, run.scope, window.start, window.end))
        alive = sorted(ticker for ticker, *_ in lives)
        tally.markets = len(alive)
        left = [ticker for ticker in alive if not reached or ticker > reached["market"]]
        pages = (page for ticker in left for page in _pages(exchange, ticker, window, request.trades_cutoff))
        for ticker, page, is_last in read_ahead(pages):
            write_page(
                run,
                page,
                lambda c, p: {"kalshi_trade": market_data.write_trades(c, p.records, run.run_id)},
                Progress(window, {"market": ticker}) if is_last else None,
            )
            tally.trades += len(page.records)
            tally.traded += is_last and bool(page.records or page.number > 1)


def _pages(
    exchange: Exchange, ticker: str, window: Window, cutoff: datetime | None
) -> Iterator[tuple[str, Page[Trade], bool]]:
    """The pages of one market's trades, each with its ticker and whether it is the market's last."""
    # The docs don't say whether the bounds are inclusive: request one more second on each side.
    bounds = {"min_ts": int(window.start.timestamp()) - 1, "max_ts": int(window.end.timestamp()) + 1}
    waiting: Page[Trade] | None = None
    for page in _tiers(exchange, ticker, window, cutoff, bounds):
        if waiting:
            yield ticker, waiting, False
        waiting = page
    if waiting:
        yield ticker, waiting, True


def _tiers(
    exchange: Exchange, ticker: str, window: Window, cutoff: datetime | None, bounds: dict[str, int]
) -> Iterator[Page[Trade]]:
    """The pages from the tiers that the window touches; if those all return 404, from the other tiers too.

    Raises:
        RequestRefused: no tier knows the market, or one refused for another reason.
    """
    archived = cutoff is None or window.start < cutoff + TIER_OVERLAP
    live = cutoff is None or window.end > cutoff - TIER_OVERLAP
    tiers = {exchange.historical_trades: archived, exchange.trades: live}
    known, refusal = False, None
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
            refusal = error
    if not known and refusal:
        raise refusal
