"""Candles that the warehouse derives from its own data: from trades, and for every minute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa

from kalshi.sync.evidence import Doubt, Reading
from kalshi.sync.lives import lives_in
from kalshi.sync.run import SyncRun
from kalshi.warehouse import catalog, dense_candles, gaps, ledger, trade_candles
from kalshi.warehouse.catalog import MarketLife
from kalshi.warehouse.checkpoints import EVERYTHING, Window
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

MARKETS_PER_TRANSACTION = 12
PIECE = timedelta(days=3)
Each = TypeVar("Each")


def make_from_trades(run: SyncRun, reading: Reading) -> list[Doubt]:
    """Build candles with the source ``trades`` for every market of a gap."""
    window = reading.window

    def make(connection: sa.Connection, tickers: list[str]) -> WriteCounts:
        series = catalog.series_of_each(connection, catalog.MARKET, tickers, window.scope)
        gaps.hold(connection, set(series.values()))
        written = trade_candles.make_from_trades(connection, tickers, window.start, window.end, run.run_id)
        if written.inserted or written.updated:
            times = (window.start.replace(tzinfo=None), window.end.replace(tzinfo=None))
            spans = [(ticker, *times) for ticker in tickers]
            gaps.reopen(connection, window.job, series, spans)
        ledger.beat(connection, run.run_id)
        return written

    for tickers in _groups(sorted(_traded(run, reading))):
        run.count("kalshi_candle_1m", in_transaction(run.engine, make, tickers=tickers))
    return []


def _traded(run: SyncRun, reading: Reading) -> Iterable[str]:
    """The markets that may have traded in a gap: of EVERYTHING, those of the stored trades are fewer."""
    window = reading.window
    if window.scope != EVERYTHING or not reading.is_whole:
        return (life.ticker for life in lives_in(run, reading))
    return in_transaction(run.engine, trade_candles.traded_markets, window.start, window.end)


def build_dense(run: SyncRun, reading: Reading) -> list[Doubt]:
    """Build every minute of a gap, then the later minutes that carry its last quotes forward."""
    window = replace(reading.window, end=reading.until)
    for lives in _groups(sorted(lives_in(run, reading), key=lambda life: (life.opens, life.ticker))):
        tickers = sorted(life.ticker for life in lives)
        in_transaction(run.engine, _trim, window, tickers)
        for start, end in _pieces(*_open_time(lives, window)):
            _build(run, window.scope, tickers, start, end)
        _build_carried(run, window.scope, tickers, window.end)
    return []


def _trim(connection: sa.Connection, window: Window, tickers: list[str]) -> None:
    catalog.lock_series(connection, window.scope)
    dense_candles.delete_outside(connection, tickers, window.start, window.end)


def _open_time(lives: Sequence[MarketLife], window: Window) -> tuple[datetime, datetime]:
    """The part of the window in which any of these markets is open, on whole minutes."""
    opens, closes = min(life.opens for life in lives), max(life.closes for life in lives)
    first, last = max(window.start, opens), min(window.end, closes + dense_candles.MINUTE)
    return first.replace(second=0, microsecond=0), last.replace(second=0, microsecond=0)


def _build_carried(run: SyncRun, series_ticker: str, tickers: list[str], end: datetime) -> None:
    """Rebuild the minutes after the window that an earlier run built: days may be filled in any order."""
    at = end
    while carried := in_transaction(
        run.engine, dense_candles.carried_past, tickers=tickers, end=end, at=at, until=at + PIECE
    ):
        tickers, until = carried
        _build(run, series_ticker, tickers, at, until)
        at += PIECE


def _build(run: SyncRun, series_ticker: str, tickers: list[str], start: datetime, end: datetime) -> None:
    def work(connection: sa.Connection) -> WriteCounts:
        catalog.lock_series(connection, series_ticker)
        ledger.beat(connection, run.run_id)
        return dense_candles.build_dense(connection, tickers, start, end, run.run_id)

    run.count("kalshi_candle_1m_dense", in_transaction(run.engine, work))


def _groups(markets: list[Each]) -> Iterator[list[Each]]:
    for first in range(0, len(markets), MARKETS_PER_TRANSACTION):
        yield markets[first : first + MARKETS_PER_TRANSACTION]


def _pieces(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        yield start, min(end, start + PIECE)
        start += PIECE
