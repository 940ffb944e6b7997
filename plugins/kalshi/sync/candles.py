"""The one-minute candles in a time window: of one series, from the exchange, from trades, and dense; or of the whole
exchange, without dense minutes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.sync.api_candles import ApiTally, read_api_candles
from kalshi.sync.candle_plan import MINUTES_PER_BATCH
from kalshi.sync.cutoff import with_current_cutoff
from kalshi.sync.derived_candles import build_dense, make_from_trades
from kalshi.sync.evidence import (
    Doubt,
    Read,
    Reading,
    expect,
    is_missing,
    provable_until,
    read_missing,
    warn_of_gaps,
)
from kalshi.sync.parents import ensure_catalog, warn_where_no_market
from kalshi.sync.report import Field, WindowReport
from kalshi.sync.run import JobRequest, SyncRun, latest_end, recorded_run
from kalshi.sync.trades import TradesRequest, sync_trades
from kalshi.warehouse.checkpoints import EVERYTHING, Window
from kalshi.warehouse.writer import WriteCounts

JOB = "candles"
SOURCES = {"api_event": JOB, "trades": "candles_from_trades"}
"""The candle sources, each with the job name of its checkpoints."""
DENSE_JOB = "candles_dense"


@dataclass(frozen=True)
class CandlesRequest(JobRequest):
    """What to sync: one series, or EVERYTHING, from ``window_start`` to ``window_end``. ``force`` rereads a complete
    window.

    ``cutoff``: markets settled earlier are in the historical tier, as are trades before ``trades_cutoff``.
    ``dense``: whether ``kalshi_candle_1m_dense`` is built; of EVERYTHING it isn't (1,440 rows a market and day).
    """

    cutoff: datetime
    trades_cutoff: datetime | None = None
    sources: tuple[str, ...] = ("api_event",)
    dense: bool = False
    force: bool = False


class CandlesReport(WindowReport, kw_only=True):
    """How one candles sync went."""

    markets: Annotated[int, Field("markets open in the window", "markets")] = 0
    with_candles: Annotated[int, Field("those with candles", "with candles")] = 0
    candles: Annotated[int, Field("candles read", "candles")] = 0
    candle_requests: Annotated[int, Field("requests for candles", "candle requests")] = 0
    ideal_requests: Annotated[int, Field("the fewest possible: full responses of 10,000 candles", "ideal")] = 0
    dense_minutes: Annotated[
        int, Field("minutes of `kalshi_candle_1m_dense` that were built or rechecked", "dense minutes")
    ] = 0


def sync_candles(exchange: Exchange, engine: sa.Engine, request: CandlesRequest) -> CandlesReport:
    """Sync one series, or EVERYTHING, and return the report (see ``docs/reports.md``).

    Each source has its own checkpoints; after a killed run, the next one resumes with the events that were
    not complete. The trades that candles are built from are synced first unless they are complete.

    Raises:
        ValueError: the window has no start or no end, or is not on the minute; a source is unknown.
        ExchangeError: the exchange refused, was unavailable or truncated a response; what was read is kept.
        TooManyRejected: after loading the rest.
    """
    if unknown := set(request.sources) - set(SOURCES):
        raise ValueError(f"Candles come from {' and '.join(SOURCES)}, not from {', '.join(sorted(unknown))}.")
    report = CandlesReport()
    with recorded_run(engine, request.key(JOB), exchange.traffic, request.tolerated_share, report=report) as run:
        request = with_current_cutoff(exchange, run, request)
        tally = ApiTally()
        window, until = _window(exchange, run, request)
        report.from_utc, report.to_utc = window.start, until
        try:
            too_many = _sync(exchange, run, request, window, until, tally)
            if request.by_hand and run.scope != EVERYTHING:
                warn_where_no_market(run, window.start, until)
            warn_of_gaps(run, *SOURCES.values(), *(() if run.scope == EVERYTHING else (DENSE_JOB,)))
            run.check_rejected(too_many)
        finally:
            dense = run.counts.get("kalshi_candle_1m_dense", WriteCounts())
            report.markets = tally.markets
            report.with_candles = tally.with_candles
            report.candles = tally.candles
            report.candle_requests = tally.requests
            report.ideal_requests = -(-tally.candles // MINUTES_PER_BATCH)
            report.dense_minutes = dense.inserted + dense.updated + dense.unchanged
    return report


def _window(exchange: Exchange, run: SyncRun, request: CandlesRequest) -> tuple[Window, datetime]:
    """The window that the run proves, and up to when it reads: never into the future."""
    start, end = request.window_start, request.window_end
    if not start or not end or any(moment.second or moment.microsecond for moment in (start, end)):
        raise ValueError(f"The window of candles must begin and end on a minute, not at {start} and {end}.")
    now = latest_end(run, exchange, request.asked_at).replace(second=0, microsecond=0)
    if end > now:
        run.warn(f"The window ends in the future, at {end:%Y-%m-%d %H:%M} UTC: read up to {now:%Y-%m-%d %H:%M}.")
    until = max(start, min(end, now))
    return Window(JOB, run.scope, start, max(start, min(until, provable_until(exchange)))), until


def _sync(
    exchange: Exchange, run: SyncRun, request: CandlesRequest, window: Window, until: datetime, tally: ApiTally
) -> bool:
    """Read or build whatever is missing, the dense minutes last: they show the others' candles."""
    is_everything = run.scope == EVERYTHING
    jobs = [SOURCES[source] for source in request.sources]
    jobs += [DENSE_JOB] if request.dense and not is_everything else []
    asked_at = request.asked_at.replace(second=0, microsecond=0)
    edge = max(until, min(request.window_end or until, asked_at))  # the clocks may differ
    expect(run, *(replace(window, job=job) for job in jobs), until=edge, force=request.force)
    readers: dict[str, Read] = {
        JOB: partial(read_api_candles, exchange, run, request.cutoff, tally),
        SOURCES["trades"]: partial(_read_from_trades, exchange, run, request),
        DENSE_JOB: partial(build_dense, run),
    }
    provable = provable_until(exchange)
    anywhere = {job: is_everything and job != DENSE_JOB for job in readers}
    if not any(is_missing(run, replace(window, job=job), provable, anywhere=anywhere[job]) for job in readers):
        return False
    before_older = ensure_catalog(exchange, run, request.cutoff, window.start, until)
    too_many = False
    for job, read in readers.items():
        too_many |= read_missing(
            run,
            replace(window, job=job),
            read,
            until=until,
            provable=provable,
            anywhere=anywhere[job],
            split_at=_midnight_after(request.cutoff) if is_everything else None,
            before_older=before_older,
        )
    return too_many


def _midnight_after(moment: datetime) -> datetime:
    """The first midnight (UTC) that isn't before this time."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if midnight == moment else midnight + timedelta(days=1)


def _read_from_trades(exchange: Exchange, run: SyncRun, request: CandlesRequest, reading: Reading) -> list[Doubt]:
    _sync_trades(exchange, run, request, replace(reading.window, end=reading.until))
    return make_from_trades(run, reading)


def _sync_trades(exchange: Exchange, run: SyncRun, request: CandlesRequest, window: Window) -> None:
    """Sync the window's trades unless they are complete, as a separate run in the ledger."""
    trades = TradesRequest(
        window.scope,
        request.cutoff,
        request.trades_cutoff,
        tolerated_share=request.tolerated_share,
        window_start=window.start,
        window_end=window.end,
        asked_at=max(request.asked_at, window.end),  # a later run may have left the gap
    )
    sync_trades(exchange, run.engine, trades)
