"""The public trades of one series in a time window: its catalog first, then market by market, from both tiers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

import sqlalchemy as sa

from kalshi.exchange import Exchange, RequestRefused
from kalshi.exchange.pages import Page, read_ahead
from kalshi.records import Trade, known_time
from kalshi.sync.cutoff import with_current_cutoff
from kalshi.sync.evidence import Doubt, Reading, expect, is_missing, provable_until, read_missing, warn_of_gaps
from kalshi.sync.pages import write_page
from kalshi.sync.parents import ensure_catalog, warn_where_no_market
from kalshi.sync.report import Field, WindowReport
from kalshi.sync.run import JobRequest, SyncRun, latest_end, recorded_run
from kalshi.warehouse import catalog, gaps
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.trades import write_trades
from kalshi.warehouse.writer import WriteCounts

JOB = "trades"
OVERLAP = timedelta(hours=1)
"""An incremental run rereads this much: a trade may be published later than its timestamp."""
LONGEST_GAP = timedelta(days=7)
"""An incremental run's own window goes back no further than this; older days are filled as gaps, some by each run."""
LONGEST_REMEMBERED = timedelta(days=30)
"""The first scheduled run continues what was read by hand in the last days."""
MINUTE = timedelta(minutes=1)
TIER_OVERLAP = timedelta(days=1)
"""Within this distance of the cutoff both tiers are read: they may overlap, or the cutoff may move while we read."""


@dataclass(frozen=True)
class TradesRequest(JobRequest):
    """What to sync: one series from ``window_start`` to ``window_end``.

    ``incremental``: start where the last scheduled run's trades end instead, if that is earlier. ``force``: reread the
    window even if it is complete. ``trades_cutoff``: older trades are in the historical tier; if
    None, both tiers are read.
    """

    cutoff: datetime
    trades_cutoff: datetime | None
    incremental: bool = False
    force: bool = False


class TradesReport(WindowReport, kw_only=True):
    """How one trades sync went."""

    markets: Annotated[int, Field("markets open in the window", "markets")] = 0
    traded: Annotated[int, Field("those with a trade in it", "traded")] = 0
    trades: Annotated[int, Field("trades read", "trades")] = 0


def sync_trades(exchange: Exchange, engine: sa.Engine, request: TradesRequest) -> TradesReport:
    """Sync one series and return its report (see ``docs/reports.md``).

    The markets alive in the window are read in ticker order; each market's last page commits together with
    its ticker in the checkpoint, where the run after a killed one resumes. Older gaps are filled afterwards.

    Raises:
        ExchangeError: the exchange refused, was unavailable or paginated in a loop; what was read is kept.
        TooManyRejected: after loading the rest.
    """
    report = TradesReport()
    with recorded_run(engine, request.key(JOB), exchange.traffic, request.tolerated_share, report=report) as run:
        if request.incremental and request.window_start:  # before the exchange is asked anything
            first = Window(JOB, run.scope, request.window_start, request.window_start)
            in_transaction(engine, gaps.begin_schedule, first, LONGEST_REMEMBERED, run.run_id)
        request = with_current_cutoff(exchange, run, request)
        window, until = _window(exchange, run, request)
        report.from_utc, report.to_utc = window.start, until
        too_many = _sync(exchange, run, request, window, until, report)
        if request.by_hand:
            warn_where_no_market(run, window.start, until)
        warn_of_gaps(run, JOB)
        run.check_rejected(too_many)
    return report


def _window(exchange: Exchange, run: SyncRun, request: TradesRequest) -> tuple[Window, datetime]:
    """The window that the run proves, and up to when it reads: never after the time the run was requested."""
    now = latest_end(run, exchange, request.asked_at)
    until = min(request.window_end or now, now)
    start = request.window_start or until
    if start > until:
        raise ValueError(f"{start:%Y-%m-%d} is in the future: there are no trades from then on yet.")
    if request.incremental:
        start = in_transaction(run.engine, _resumption, scope=run.scope, start=start - OVERLAP, until=until)
    end = max(start, min(until, provable_until(exchange)))
    return Window(JOB, run.scope, start, end), until


def _resumption(connection: sa.Connection, scope: str, start: datetime, until: datetime) -> datetime:
    """Where an incremental run starts: at the first gap of the last days, if that is earlier."""
    gaps.note_unread(connection, Window(JOB, scope, start, start), OVERLAP)
    first_gap = gaps.oldest_whole(connection, JOB, scope, until - LONGEST_GAP)
    return min(start, first_gap or start)


def _sync(
    exchange: Exchange, run: SyncRun, request: TradesRequest, window: Window, until: datetime, report: TradesReport
) -> bool:
    edge = max(until, min(request.window_end or until, request.asked_at))  # the clocks may differ
    expect(run, window, until=None if request.incremental else edge, force=request.force)
    if request.incremental:
        in_transaction(run.engine, gaps.schedule, window=window, run_id=run.run_id)
    provable = provable_until(exchange)
    if not request.incremental:  # the next incremental run reads the overlap anyway
        in_transaction(run.engine, gaps.doubt_edge, JOB, run.scope, window.end, OVERLAP)
    if not is_missing(run, window, provable):
        return False
    in_transaction(run.engine, gaps.doubt_edge, JOB, run.scope, window.start, OVERLAP)
    before_older = ensure_catalog(exchange, run, request.cutoff, window.start, until)
    read = partial(read_trades, exchange, run, request.trades_cutoff, report)
    return read_missing(run, window, read, until=until, provable=provable, before_older=before_older)


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
    lives = in_transaction(run.engine, catalog.lives_of_markets, run.scope, window.start, window.end)
    alive = sorted(ticker for ticker, *_ in lives if reading.wants(ticker))
    report.markets += len(alive)
    last = reading.reached["market"] if reading.reached else ""
    left = [ticker for ticker in alive if ticker > last]

    def write(connection: sa.Connection, page: Page[Trade]) -> dict[str, WriteCounts]:
        return {"kalshi_trade": _write(connection, page, run)}

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


def _write(connection: sa.Connection, page: Page[Trade], run: SyncRun) -> WriteCounts:
    """Write a page of trades. If any is new, the candles that were built without it are to be built again."""
    gaps.hold(connection, [run.scope])
    written = write_trades(connection, page.records, run.run_id)
    if written.inserted or written.updated:
        times: dict[str, list[datetime]] = defaultdict(list)
        for found in page.records:
            if executed := known_time(found.record.executed):
                times[found.record.ticker].append(executed.replace(second=0, microsecond=0, tzinfo=None))
        spans = [(ticker, min(minutes), max(minutes) + MINUTE) for ticker, minutes in times.items()]
        gaps.reopen(connection, JOB, run.scope, spans)
    return written


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
