"""The public trades in a time window: of one series, market by market after its catalog, or of the whole exchange."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.sync.cutoff import with_current_cutoff
from kalshi.sync.evidence import expect, is_missing, provable_until, read_missing, warn_of_gaps
from kalshi.sync.market_trades import JOB, TradesReport, read_trades
from kalshi.sync.parents import ensure_catalog, warn_where_no_market
from kalshi.sync.run import JobRequest, SyncRun, latest_end, recorded_run
from kalshi.sync.tape import read_tape
from kalshi.warehouse import gaps
from kalshi.warehouse.checkpoints import EVERYTHING, Window
from kalshi.warehouse.server import in_transaction

OVERLAP = timedelta(hours=1)
"""An incremental run rereads this much: a trade may be published later than its timestamp."""
LONGEST_GAP = timedelta(days=7)
"""An incremental run's own window goes back no further than this; older days are filled as gaps, some by each run."""
LONGEST_REMEMBERED = timedelta(days=30)
"""The first scheduled run continues what was read by hand in the last days."""


@dataclass(frozen=True)
class TradesRequest(JobRequest):
    """What to sync: one series, or EVERYTHING, from ``window_start`` to ``window_end``.

    ``incremental``: start where the last scheduled run's trades end instead, if that is earlier. ``force``: reread the
    window even if it is complete. ``trades_cutoff``: older trades are in the historical tier; if
    None, both tiers are read.
    """

    cutoff: datetime
    trades_cutoff: datetime | None
    incremental: bool = False
    force: bool = False


def sync_trades(exchange: Exchange, engine: sa.Engine, request: TradesRequest) -> TradesReport:
    """Sync one series, or EVERYTHING, and return the report (see ``docs/reports.md``).

    Of a series, the markets alive in the window are read in ticker order; each market's last page commits together with
    its ticker in the checkpoint, where the run after a killed one resumes. EVERYTHING is read from the tape. Older gaps
    are filled afterwards.

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
        if request.by_hand and run.scope != EVERYTHING:
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
    if not is_missing(run, window, provable, anywhere=run.scope == EVERYTHING):
        return False
    in_transaction(run.engine, gaps.doubt_edge, JOB, run.scope, window.start, OVERLAP)
    cutoff = request.trades_cutoff
    if run.scope == EVERYTHING:
        tape = partial(read_tape, exchange, run, cutoff, report)
        return read_missing(run, window, tape, until=until, provable=provable, anywhere=True)
    before_older = ensure_catalog(exchange, run, request.cutoff, window.start, until)
    read = partial(read_trades, exchange, run, cutoff, report)
    return read_missing(run, window, read, until=until, provable=provable, before_older=before_older)
