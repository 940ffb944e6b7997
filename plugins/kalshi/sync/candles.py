"""The one-minute candles of one series in a time window: from the exchange, from trades, and dense."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.sync.api_candles import ApiTally, sync_api_candles
from kalshi.sync.candle_plan import MINUTES_PER_BATCH
from kalshi.sync.derived_candles import build_dense, make_from_trades
from kalshi.sync.pages import checkpointed
from kalshi.sync.parents import ensure_catalog, warn_where_no_market
from kalshi.sync.run import SeriesRequest, SyncRun, latest_end, recorded_run
from kalshi.sync.trades import TradesRequest, sync_trades
from kalshi.warehouse import checkpoints
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

JOB = "candles"
SOURCES = {"api_event": JOB, "trades": "candles_from_trades"}
"""The candle sources, each with the job name of its checkpoints."""
DENSE_JOB = "candles_dense"


@dataclass(frozen=True)
class CandlesRequest(SeriesRequest):
    """What to sync: one series from ``window_start`` to ``window_end``. ``force`` rereads a complete window.

    ``cutoff``: markets settled earlier are in the historical tier, as are trades before ``trades_cutoff``.
    ``dense``: whether ``kalshi_candle_1m_dense`` is built.
    """

    cutoff: datetime
    trades_cutoff: datetime | None = None
    sources: tuple[str, ...] = ("api_event",)
    dense: bool = False
    force: bool = False


def sync_candles(exchange: Exchange, engine: sa.Engine, request: CandlesRequest) -> dict[str, Any]:
    """Sync one series and return its report (see ``docs/reports.md``).

    Each source has its own checkpoints; after a killed run, the next one resumes with the events that were
    not complete. The trades that candles are built from are synced first unless they are complete.

    Raises:
        ValueError: the window has no start or no end, or is not on the minute; a source is unknown.
        ExchangeError: the exchange refused, was unavailable or truncated a response; what was read is kept.
        TooManyRejected: after loading the rest.
    """
    if unknown := set(request.sources) - set(SOURCES):
        raise ValueError(f"Candles come from {' and '.join(SOURCES)}, not from {', '.join(sorted(unknown))}.")
    with recorded_run(engine, request.key(JOB), exchange.traffic, request.tolerated_share) as run:
        tally = ApiTally()
        window = _window(exchange, run, request)
        try:
            _sync(exchange, run, request, window, tally)
            if request.by_hand:
                warn_where_no_market(run, window.start, window.end)
            run.check_rejected()
        finally:
            dense = run.counts.get("kalshi_candle_1m_dense", WriteCounts())
            run.report = {
                "from_utc": window.start,
                "to_utc": window.end,
                "markets": tally.markets,
                "with_candles": len(tally.with_candles),
                "candles": tally.candles,
                "candle_requests": tally.requests,
                "ideal_requests": -(-tally.candles // MINUTES_PER_BATCH),
                "dense_minutes": dense.inserted + dense.updated + dense.unchanged,
            }
    return run.report


def _window(exchange: Exchange, run: SyncRun, request: CandlesRequest) -> Window:
    """The window to read. It never ends in the future, or it could not be complete."""
    start, end = request.window_start, request.window_end
    if not start or not end or any(moment.second or moment.microsecond for moment in (start, end)):
        raise ValueError(f"The window of candles must begin and end on a minute, not at {start} and {end}.")
    now = latest_end(run, exchange, request.asked_at).replace(second=0, microsecond=0)
    if end > now:
        run.warn(f"The window ends in the future, at {end:%Y-%m-%d %H:%M} UTC: read up to {now:%Y-%m-%d %H:%M}.")
    return Window(JOB, run.scope, start, max(start, min(end, now)))


def _sync(exchange: Exchange, run: SyncRun, request: CandlesRequest, window: Window, tally: ApiTally) -> None:
    """Sync whatever isn't complete. Dense minutes are rebuilt after any of their sources."""
    due = [source for source in request.sources if _is_due(run, replace(window, job=SOURCES[source]), request)]
    dense_window = replace(window, job=DENSE_JOB)
    if not due and not (request.dense and _is_due(run, dense_window, request)):
        return
    ensure_catalog(exchange, run, request.cutoff, window.start, window.end)
    with _dense_after(run, dense_window, request):
        if "api_event" in due:
            with checkpointed(run, window) as reached:
                sync_api_candles(exchange, run, window, request.cutoff, reached, tally)
        if "trades" in due:
            with checkpointed(run, replace(window, job=SOURCES["trades"])):
                _sync_trades(exchange, run, request, window)
                make_from_trades(run, window)


def _is_due(run: SyncRun, window: Window, request: CandlesRequest) -> bool:
    return request.force or not in_transaction(run.engine, lambda c: checkpoints.is_covered(c, window))


@contextmanager
def _dense_after(run: SyncRun, window: Window, request: CandlesRequest) -> Iterator[None]:
    """Build the dense minutes after the block. Their window stops being complete as soon as the block starts:
    a run that is killed in between must not leave it marked complete."""
    if not request.dense:
        yield
        return
    with checkpointed(run, window):
        yield
        build_dense(run, window)


def _sync_trades(exchange: Exchange, run: SyncRun, request: CandlesRequest, window: Window) -> None:
    """Sync the window's trades unless they are complete, as a separate run in the ledger."""
    trades = TradesRequest(
        request.series_ticker,
        request.cutoff,
        request.trades_cutoff,
        tolerated_share=request.tolerated_share,
        window_start=window.start,
        window_end=window.end,
        asked_at=request.asked_at,
    )
    sync_trades(exchange, run.engine, trades)
