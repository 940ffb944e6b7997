"""The one-minute candles of one series in a window of time, from both tiers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kalshi.candles import MarketCandles
from kalshi.exchange import Exchange, RequestRefused
from kalshi.exchange.pages import Page, read_ahead
from kalshi.records import Rejected
from kalshi.sync.candle_plan import MINUTES_PER_BATCH, AliveMarket, Unit, batches, pieces, plan_units
from kalshi.sync.pages import Progress, checkpointed, write_page
from kalshi.sync.parents import ensure_catalog
from kalshi.sync.run import SeriesRequest, SyncRun, recorded_run
from kalshi.warehouse import candles, catalog, checkpoints
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.server import in_transaction

log = logging.getLogger(__name__)
JOB = "candles"
ROWS_PER_TRANSACTION = 20_000


@dataclass(frozen=True)
class CandlesRequest(SeriesRequest):
    """What to sync: one series, in ``window_start`` to ``window_end``; where it is complete only if ``force``.

    ``cutoff``: markets settled earlier are in the historical tier.
    """

    cutoff: datetime
    force: bool = False


@dataclass
class _Tally:
    markets: int = 0
    with_candles: set[str] = field(default_factory=set)
    candles: int = 0
    candle_requests: int = 0


def sync_candles(exchange: Exchange, engine: sa.Engine, request: CandlesRequest) -> dict[str, Any]:
    """Sync one series and return its report (see ``docs/reports.md``).

    The events alive in the window come in the order of their tickers; what is fetched commits together
    with the events that it finished, which a run after a killed one leaves out.

    Raises:
        ValueError: the window has no start or no end, or is not on the minute.
        ExchangeError: the exchange refused, stayed away or cut an answer short; what came is kept.
        TooManyRejected: after loading the rest.
    """
    with recorded_run(engine, request.key(JOB), exchange.traffic, request.tolerated_share) as run:
        tally = _Tally()
        window = _window(run, request)
        try:
            if request.force or not in_transaction(engine, lambda c: checkpoints.is_covered(c, window)):
                _sync(exchange, run, request, window, tally)
            run.check_rejected()
        finally:
            run.report = {
                "from_utc": window.start,
                "to_utc": window.end,
                "markets": tally.markets,
                "with_candles": len(tally.with_candles),
                "candles": tally.candles,
                "candle_requests": tally.candle_requests,
                "ideal_requests": -(-tally.candles // MINUTES_PER_BATCH),
            }
    return run.report


def _window(run: SyncRun, request: CandlesRequest) -> Window:
    """The window to read. It never ends ahead of now, or it could not be complete."""
    start, end = request.window_start, request.window_end
    if not start or not end or any(moment.second or moment.microsecond for moment in (start, end)):
        raise ValueError(f"The window of candles must begin and end on a minute, not at {start} and {end}.")
    now = request.asked_at.replace(second=0, microsecond=0)
    if end > now:
        run.warn(f"The window ends at {end:%Y-%m-%d %H:%M} UTC, which is ahead: read up to {now:%Y-%m-%d %H:%M}.")
    return Window(JOB, run.scope, start, max(start, min(end, now)))


def _sync(exchange: Exchange, run: SyncRun, request: CandlesRequest, window: Window, tally: _Tally) -> None:
    with checkpointed(run, window) as reached:
        ensure_catalog(exchange, run, request.cutoff, window.start, window.end)
        alive = in_transaction(run.engine, lambda c: _alive(c, window, request.cutoff))
        tally.markets = len(alive)
        done = set(reached["events"] if reached else ())
        left = [market for market in alive if market.event_ticker not in done]
        units = plan_units(left, window.start, window.end)
        buffer = _Buffer(run, window, tally, done)
        for unit, found in read_ahead(_fetch_all(exchange, units, tally)):
            buffer.add(unit, found)
        buffer.flush()


def _alive(connection: sa.Connection, window: Window, cutoff: datetime) -> list[AliveMarket]:
    rows = catalog.lives_of_markets(connection, window.scope, window.start, window.end)
    return [
        AliveMarket(ticker, event, opens, closes, settled is not None and settled < cutoff)
        for ticker, event, opens, closes, settled in rows
    ]


def _fetch_all(exchange: Exchange, units: list[Unit], tally: _Tally) -> Iterator[tuple[Unit, list[MarketCandles]]]:
    for unit in units:
        before = exchange.traffic.requests - exchange.traffic.retries
        found = [_within(market, unit) for market in _fetch(exchange, unit)]
        tally.candle_requests += exchange.traffic.requests - exchange.traffic.retries - before
        yield unit, found


def _within(found: MarketCandles, unit: Unit) -> MarketCandles:
    """Without the candles outside of what was asked for, such as the exchange's synthetic first one."""
    inside = [c for c in found.candles if unit.start <= c.end_ts <= unit.end]
    return MarketCandles(found.endpoint, found.market_ticker, inside, found.rejected)


def _fetch(exchange: Exchange, unit: Unit) -> Iterator[MarketCandles]:
    """The candles of a unit. What one tier doesn't have is asked of the other: the tiers overlap, and the
    cutoff may move while we read."""
    found: set[str] = set()
    for candles_found in (_archived if unit.is_archived else _live)(exchange, unit.tickers, unit):
        if candles_found.candles or candles_found.rejected or not unit.is_archived:
            found.add(candles_found.market_ticker)
        yield candles_found
    missing = [ticker for ticker in unit.tickers if ticker not in found]
    if missing:
        yield from (_live if unit.is_archived else _archived)(exchange, missing, unit)


def _archived(exchange: Exchange, tickers: list[str], unit: Unit) -> Iterator[MarketCandles]:
    for ticker in tickers:
        for piece in pieces(unit.start, unit.end):
            if found := exchange.historical_candles(ticker, *piece):
                yield found


def _live(exchange: Exchange, tickers: list[str], unit: Unit) -> Iterator[MarketCandles]:
    """In batches; event by event where the exchange refuses those."""
    try:
        for batch in batches(tickers, unit.start, unit.end):
            yield from exchange.candles(*batch)
    except RequestRefused as error:
        if error.status not in (400, 404):
            raise
        log.warning("%s Asking event by event.", error)
        for event in sorted({market.event_ticker for market in unit.markets}):
            for found in exchange.event_candles(catalog.series_of(event), event, unit.start, unit.end):
                if found.market_ticker in tickers:
                    yield found


class _Buffer:
    """Collects what is fetched until a transaction is worth its while."""

    def __init__(self, run: SyncRun, window: Window, tally: _Tally, done: set[str]) -> None:
        self._run, self._window, self._tally = run, window, tally
        self._done = done
        self._tickers: set[str] = set()
        self._lines: list[bytes] = []
        self._rejected: list[Rejected] = []
        self._number = 0

    def add(self, unit: Unit, found: list[MarketCandles]) -> None:
        for market in found:
            lines, rejected = candles.candle_lines(market)
            self._lines += lines
            self._rejected += [*market.rejected, *rejected]
            if lines:
                self._tickers.add(market.market_ticker)
        self._done.update(unit.finishes)
        if len(self._lines) >= ROWS_PER_TRANSACTION:
            self.flush()

    def flush(self) -> None:
        """Write what is there, in one transaction with the names of the finished events."""
        self._number += 1
        page: Page[Any] = Page("candles", self._number, self._lines, self._rejected, None)  # type: ignore[arg-type]
        tickers, lines, run_id = self._tickers, self._lines, self._run.run_id
        write_page(
            self._run,
            page,
            lambda c, _: {"kalshi_candle_1m": candles.write_candles(c, tickers, lines, run_id)},
            Progress(self._window, {"events": sorted(self._done)}),
        )
        self._tally.candles += len(self._lines)
        self._tally.with_candles |= self._tickers
        self._tickers, self._lines, self._rejected = set(), [], []
