"""The exchange's own one-minute candles of one series, from both tiers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kalshi.candles import MarketCandles
from kalshi.exchange import Exchange, RequestRefused
from kalshi.exchange.pages import Page, read_ahead
from kalshi.records import Rejected
from kalshi.sync.candle_plan import AliveMarket, Unit, batches, pieces, plan_units
from kalshi.sync.pages import Progress, write_page
from kalshi.sync.run import SyncRun
from kalshi.warehouse import candles, catalog
from kalshi.warehouse.candles import CandleLines
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.server import in_transaction

log = logging.getLogger(__name__)
ROWS_PER_TRANSACTION = 20_000
ANSWERS_AHEAD = 3
"""A response holds at most 10,000 candles: with this prefetch a task peaks at about 140 MB, however much it reads."""


@dataclass
class ApiTally:
    """``markets``: open in the window; ``requests``: for candles, not counting failed attempts."""

    markets: int = 0
    with_candles: set[str] = field(default_factory=set)
    candles: int = 0
    requests: int = 0


@dataclass(frozen=True)
class _Answer:
    """One response of the exchange, and the events that it completes."""

    found: list[MarketCandles]
    finishes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Batch:
    """A response on its way into the warehouse."""

    lines: list[CandleLines]
    rejected: list[Rejected]
    finishes: tuple[str, ...]


def sync_api_candles(
    exchange: Exchange, run: SyncRun, window: Window, cutoff: datetime, reached: dict[str, Any] | None, tally: ApiTally
) -> None:
    """Read the candles of ``window`` into ``kalshi_candle_1m``.

    The events alive in it are read in ticker order; candles commit together with the names of the events
    they complete, which a later run receives as ``reached`` and skips.
    """
    alive = in_transaction(run.engine, lambda c: _alive(c, window, cutoff))
    tally.markets = len(alive)
    done = set(reached["events"] if reached else ())
    units = plan_units([m for m in alive if m.event_ticker not in done], window.start, window.end)
    before = exchange.traffic.requests - exchange.traffic.retries
    buffer = _Buffer(run, window, tally, done)
    # Three threads: one fetches and decodes, one formats lines, and this one writes.
    for batch in read_ahead(_batches(read_ahead(_fetch(exchange, units), ANSWERS_AHEAD)), ANSWERS_AHEAD):
        buffer.add(batch)
    buffer.flush()
    tally.requests = exchange.traffic.requests - exchange.traffic.retries - before


def _alive(connection: sa.Connection, window: Window, cutoff: datetime) -> list[AliveMarket]:
    rows = catalog.lives_of_markets(connection, window.scope, window.start, window.end)
    return [
        AliveMarket(ticker, event, opens, closes, settled is not None and settled < cutoff)
        for ticker, event, opens, closes, settled in rows
    ]


def _fetch(exchange: Exchange, units: list[Unit]) -> Iterator[_Answer]:
    for unit in units:
        last: list[MarketCandles] = []
        for found in _fetch_unit(exchange, unit):
            if last:
                yield _Answer(last)
            last = [_within(market, unit) for market in found]
        yield _Answer(last, unit.finishes)


def _within(found: MarketCandles, unit: Unit) -> MarketCandles:
    """Drop the candles outside the requested range, such as the exchange's synthetic first one."""
    inside = [c for c in found.candles if unit.start <= c.end_ts <= unit.end]
    return MarketCandles(found.endpoint, found.market_ticker, inside, found.rejected)


def _fetch_unit(exchange: Exchange, unit: Unit) -> Iterator[list[MarketCandles]]:
    """Yield a unit's candles, response by response. Markets that one tier lacks are requested from the other:
    the tiers overlap, and the cutoff may move while we read."""
    known: set[str] = set()
    for found in (_archived if unit.is_archived else _live)(exchange, unit.tickers, unit):
        known |= {m.market_ticker for m in found if m.candles or m.rejected or not unit.is_archived}
        yield found
    missing = [ticker for ticker in unit.tickers if ticker not in known]
    if missing:
        yield from (_live if unit.is_archived else _archived)(exchange, missing, unit)


def _archived(exchange: Exchange, tickers: list[str], unit: Unit) -> Iterator[list[MarketCandles]]:
    for ticker in tickers:
        for piece in pieces(unit.start, unit.end):
            if found := exchange.historical_candles(ticker, *piece):
                yield [found]


def _live(exchange: Exchange, tickers: list[str], unit: Unit) -> Iterator[list[MarketCandles]]:
    """Request in batches, or event by event if the exchange refuses a batch."""
    try:
        for batch in batches(tickers, unit.start, unit.end):
            yield exchange.candles(*batch)
    except RequestRefused as error:
        if error.status not in (400, 404):
            raise
        log.warning("%s Falling back to one request per event.", error)
        for event in sorted({market.event_ticker for market in unit.markets}):
            for found in exchange.event_candles(catalog.series_of(event), event, unit.start, unit.end):
                if found.market_ticker in tickers:
                    yield [found]


def _batches(answers: Iterable[_Answer]) -> Iterator[_Batch]:
    for answer in answers:
        lines = [candles.candle_lines(market) for market in answer.found]
        rejected = [bad for market in answer.found for bad in market.rejected]
        rejected += [bad for market in lines for bad in market.rejected]
        yield _Batch([market for market in lines if market.lines], rejected, answer.finishes)


class _Buffer:
    """Collects candles until there are enough for a transaction."""

    def __init__(self, run: SyncRun, window: Window, tally: ApiTally, done: set[str]) -> None:
        self._run, self._window, self._tally = run, window, tally
        self._done = done
        self._markets: list[CandleLines] = []
        self._rejected: list[Rejected] = []
        self._rows = 0
        self._number = 0

    def add(self, batch: _Batch) -> None:
        self._markets += batch.lines
        self._rejected += batch.rejected
        self._rows += sum(len(market.lines) for market in batch.lines)
        self._done.update(batch.finishes)
        if self._rows >= ROWS_PER_TRANSACTION:
            self.flush()

    def flush(self) -> None:
        """Write the buffered candles, in one transaction with the names of the completed events."""
        self._number += 1
        lines = [line for market in self._markets for line in market.lines]
        page: Page[Any] = Page("candles", self._number, lines, self._rejected, None)  # type: ignore[arg-type]
        markets, run_id = self._markets, self._run.run_id
        write_page(
            self._run,
            page,
            lambda c, _: {"kalshi_candle_1m": candles.write_candles(c, markets, run_id)},
            Progress(self._window, {"events": sorted(self._done)}),
        )
        self._tally.candles += self._rows
        self._tally.with_candles |= {market.market_ticker for market in markets}
        self._markets, self._rejected, self._rows = [], [], 0
