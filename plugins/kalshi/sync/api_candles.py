"""The exchange's own one-minute candles: of one series from both tiers, of the whole exchange from the live tier."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

import sqlalchemy as sa

from kalshi.exchange import Exchange, RequestRefused
from kalshi.exchange.pages import read_ahead
from kalshi.records import Rejected
from kalshi.records.candles import MarketCandles
from kalshi.sync.candle_plan import AliveMarket, Unit, batches, pieces, plan_units
from kalshi.sync.evidence import Doubt, Reading
from kalshi.sync.lives import lives_in
from kalshi.sync.lookup import ARCHIVED
from kalshi.sync.pages import Batch, write_batch
from kalshi.sync.run import SyncRun
from kalshi.warehouse import api_candles, catalog, checkpoints, gaps
from kalshi.warehouse.api_candles import CandleLines
from kalshi.warehouse.checkpoints import EVERYTHING, Window
from kalshi.warehouse.gaps import WHOLE
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

log = logging.getLogger(__name__)
ROWS_PER_TRANSACTION = 20_000
ANSWERS_AHEAD = 3
"""A response holds at most 10,000 candles: with this prefetch a task peaks at about 140 MB, however much it reads."""


@dataclass
class ApiTally:
    """``markets``: open in the window; ``requests``: for candles, not counting failed attempts."""

    markets: int = 0
    with_candles: int = 0
    candles: int = 0
    requests: int = 0


Market = TypeVar("Market", MarketCandles, CandleLines)


@dataclass(frozen=True)
class _Answer(Generic[Market]):
    """One response of the exchange, as it came or as lines; the events that it completes, and their markets that no
    tier knows."""

    markets: list[Market]
    finishes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def read_api_candles(
    exchange: Exchange,
    run: SyncRun,
    cutoff: datetime,
    tally: ApiTally,
    reading: Reading,
    on_read: Callable[[CandleLines], None] = lambda _: None,
) -> list[Doubt]:
    """Read the candles of a gap into ``kalshi_candle_1m``, and return the markets that neither tier knows.

    The events alive in the window are read in ticker order; candles commit together with the name of the last event
    they complete, after which a later attempt resumes, and with what was in doubt so far. An event that is listed
    meanwhile is a gap of its own (``gaps.reopen_lives``).
    """
    window = replace(reading.window, end=reading.until)
    if window.scope == EVERYTHING and window.start < cutoff and reading.is_whole:
        # What has closed since then is known only if the catalog was read all the while.
        listed = Window("catalog", EVERYTHING, window.start, window.end)
        if not in_transaction(run.engine, checkpoints.is_covered, listed):
            return [Doubt(WHOLE, ARCHIVED)]
    reached = reading.reached or {}
    progress = _Progress(reached.get("event", ""), set(reached.get("unknown", ())))
    alive = _alive(run, reading, progress.event, cutoff, tally)
    before = exchange.traffic.requests - exchange.traffic.retries
    buffer = _Buffer(run, reading, tally, progress)
    # Three threads: one fetches and decodes, one formats lines, and this one writes.
    answers = _fetch(exchange, plan_units(alive, window.start, window.end), asked_at=exchange.now())
    with (
        read_ahead(answers, ANSWERS_AHEAD) as fetched,
        read_ahead(map(_formatted, fetched), ANSWERS_AHEAD) as formatted,
    ):
        for answer in formatted:
            buffer.add(answer)
            for market in answer.markets:
                on_read(market)
    buffer.flush()
    tally.requests += exchange.traffic.requests - exchange.traffic.retries - before
    return [Doubt(ticker, "neither tier knows the market's candles") for ticker in sorted(progress.unknown)]


def _alive(run: SyncRun, reading: Reading, after: str, cutoff: datetime, tally: ApiTally) -> Iterator[AliveMarket]:
    for market in lives_in(run, reading, after):
        tally.markets += 1
        is_archived = market.settled is not None and market.settled < cutoff
        yield AliveMarket(*market[:5], is_archived)


def _fetch(exchange: Exchange, units: Iterable[Unit], asked_at: datetime) -> Iterator[_Answer[MarketCandles]]:
    for unit in units:
        last: list[MarketCandles] = []
        known: set[str] = set()
        for found in _fetch_unit(exchange, unit, asked_at):
            if last:
                yield _Answer(last)
            known |= {market.market_ticker for market in found}
            last = [_within(market, unit) for market in found]
        yield _Answer(last, unit.finishes, tuple(ticker for ticker in unit.tickers if ticker not in known))


def _within(found: MarketCandles, unit: Unit) -> MarketCandles:
    """Drop the candles outside the requested range, such as the exchange's synthetic first one."""
    inside = [c for c in found.candles if unit.start <= c.end_ts <= unit.end]
    return MarketCandles(found.endpoint, found.market_ticker, inside, found.rejected)


def _fetch_unit(exchange: Exchange, unit: Unit, asked_at: datetime) -> Iterator[list[MarketCandles]]:
    """Yield a unit's candles, response by response; the markets that no response names are known to neither tier.

    The tiers overlap and markets move while we read, so a tier's silence about a market that the other may hold is not
    an answer: nothing of an archived market, or of a live one that has closed, sends us to the other tier.
    """
    answered: set[str] = set()
    for found in (_archived if unit.is_archived else _live)(exchange, unit.tickers, unit):
        answered |= {market.market_ticker for market in found if market.candles or market.rejected}
        yield found
    silent = [
        market.ticker
        for market in unit.markets
        if market.ticker not in answered and (unit.is_archived or market.closes <= asked_at)
    ]
    if silent:
        yield from (_live if unit.is_archived else _archived)(exchange, silent, unit)


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
        for series, event in sorted({(market.series_ticker, market.event_ticker) for market in unit.markets}):
            for found in exchange.event_candles(series, event, unit.start, unit.end):
                if found.market_ticker in tickers:
                    yield [found]


def _formatted(answer: _Answer[MarketCandles]) -> _Answer[CandleLines]:
    return _Answer([api_candles.candle_lines(market) for market in answer.markets], answer.finishes, answer.unknown)


@dataclass
class _Progress:
    """``event``: the last one that is complete; ``unknown``: the markets that no tier knows."""

    event: str
    unknown: set[str]


class _Buffer:
    """Collects candles until there are enough for a transaction."""

    def __init__(self, run: SyncRun, reading: Reading, tally: ApiTally, progress: _Progress) -> None:
        self._run, self._reading, self._tally, self._progress = run, reading, tally, progress
        self._markets: list[CandleLines] = []
        self._rejected: list[Rejected] = []
        self._with_candles: set[str] = set()
        self._rows = 0
        self._number = 0

    def add(self, answer: _Answer[CandleLines]) -> None:
        with_lines = [market for market in answer.markets if market.lines]
        self._markets += with_lines
        self._with_candles |= {market.market_ticker for market in with_lines}
        self._rejected += [bad for market in answer.markets for bad in market.rejected]
        self._rows += sum(len(market.lines) for market in answer.markets)
        self._progress.unknown.update(answer.unknown)
        if answer.finishes:
            self._progress.event = answer.finishes[-1]
            self._tally.with_candles += len(self._with_candles)
            self._with_candles = set()
        if self._rows >= ROWS_PER_TRANSACTION:
            self.flush()

    def flush(self) -> None:
        """Write the buffered candles, in one transaction with the progress."""
        self._number += 1
        write_batch(
            self._run,
            Batch("candles", self._number, self._rows, self._rejected),
            lambda c: {"kalshi_candle_1m": self._write(c)},
            self._reading,
            {"event": self._progress.event, "unknown": sorted(self._progress.unknown)},
        )
        self._tally.candles += self._rows
        self._markets, self._rejected, self._rows = [], [], 0

    def _write(self, connection: sa.Connection) -> WriteCounts:
        """Write the candles. If any has changed, the dense minutes that show it are to be built again."""
        window = self._reading.window
        tickers = {market.market_ticker for market in self._markets}
        series = catalog.series_of_each(connection, catalog.MARKET, tickers, window.scope)
        gaps.hold(connection, set(series.values()))
        written = api_candles.write_candles(connection, self._markets, self._run.run_id)
        if written.inserted or written.updated:
            spans = [(market.market_ticker, *api_candles.span(market)) for market in self._markets]
            gaps.reopen(connection, window.job, series, spans)
        return written
