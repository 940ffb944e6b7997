"""Candles that the warehouse derives from its own data: from trades, and for every minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from kalshi.sync.run import SyncRun
from kalshi.warehouse import catalog, dense_candles, trade_candles
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

MARKETS_PER_TRANSACTION = 12
PIECE = timedelta(days=3)


def make_from_trades(run: SyncRun, window: Window) -> None:
    """Build candles with the source ``trades`` for every market open in ``window``."""
    for tickers in _groups(run, window):
        written = in_transaction(
            run.engine,
            partial(
                trade_candles.make_from_trades,
                tickers=tickers,
                start=window.start,
                end=window.end,
                run_id=run.run_id,
            ),
        )
        run.count("kalshi_candle_1m", written)


def build_dense(run: SyncRun, window: Window) -> None:
    """Build every minute of ``window``, then the later minutes that carry its last quotes forward."""
    for tickers in _groups(run, window):
        for start, end in _pieces(window.start, window.end):
            _build(run, tickers, start, end)
        _build_carried(run, tickers, window.end)


def _build_carried(run: SyncRun, tickers: list[str], end: datetime) -> None:
    """Rebuild the minutes after the window that an earlier run built: days may be filled in any order."""
    at = end
    while carried := in_transaction(
        run.engine, partial(dense_candles.carried_past, tickers=tickers, end=end, at=at, until=at + PIECE)
    ):
        tickers, until = carried
        _build(run, tickers, at, until)
        at += PIECE


def _build(run: SyncRun, tickers: list[str], start: datetime, end: datetime) -> None:
    def work(connection: sa.Connection) -> WriteCounts:
        catalog.lock_series(connection, run.scope)
        return dense_candles.build_dense(connection, tickers, start, end, run.run_id)

    run.count("kalshi_candle_1m_dense", in_transaction(run.engine, work))


def _groups(run: SyncRun, window: Window) -> Iterator[list[str]]:
    lives = in_transaction(run.engine, lambda c: catalog.lives_of_markets(c, window.scope, window.start, window.end))
    tickers = sorted(ticker for ticker, *_ in lives)
    for first in range(0, len(tickers), MARKETS_PER_TRANSACTION):
        yield tickers[first : first + MARKETS_PER_TRANSACTION]


def _pieces(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while start < end:
        yield start, min(end, start + PIECE)
        start += PIECE
