"""Reads a market's whole life again from both tiers, so that its rows are those that the exchange has."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.pages import Page
from kalshi.records import Market, Trade
from kalshi.settings import ReconciliationSettings
from kalshi.sync.api_candles import ApiTally, read_api_candles
from kalshi.sync.derived_candles import build_dense, make_from_trades
from kalshi.sync.evidence import Doubt, Read, Reading, read_gap, refusal_logged
from kalshi.sync.lookup import markets_of
from kalshi.sync.market_trades import TradesReport, read_trades
from kalshi.sync.pages import write_pages
from kalshi.sync.run import SyncRun
from kalshi.sync.verdicts import Compared, difference, tolerance
from kalshi.warehouse import catalog, gaps, reconciliation, sql
from kalshi.warehouse.api_candles import CANDLE_1M, CandleLines
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.gaps import Gap
from kalshi.warehouse.reconciliation import CANDLES, TRADES, Side
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

log = logging.getLogger(__name__)
MARGIN = timedelta(days=1)
"""Trades are read from this long before a market's open to this long after its close."""
MINUTE = timedelta(minutes=1)
NULL = "\\N"
"""In a line of candles."""
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
DERIVED: dict[str, Callable[[SyncRun, Reading], list[Doubt]]] = {
    "candles_from_trades": make_from_trades,
    "candles_dense": build_dense,
}
"""What is built from trades and candles, in the order in which it is built again."""


@dataclass
class Rereading:
    """What the readings of all markets share. ``cutoff``: markets settled earlier are in the historical tier.

    ``markets`` and ``deleted`` count the markets read, and the rows deleted that the exchange doesn't have.
    """

    exchange: Exchange
    run: SyncRun
    cutoff: datetime
    rules: ReconciliationSettings
    markets: int = 0
    deleted: int = 0

    def read(self, doubtful: Sequence[Compared]) -> None:
        """Read these markets: first their own records, which hold the volume, then their trades and candles."""

        def write(connection: sa.Connection, page: Page[Market]) -> dict[str, WriteCounts]:
            return catalog.write_markets(connection, page.records, self.run.scope, self.run.run_id)

        tickers = [market.figures.ticker for market in doubtful]
        write_pages(self.run, markets_of(self.exchange, tickers), write)
        for market in doubtful:
            log.info("Reading %s again: %s.", market.figures.ticker, market.reason)
            self.markets += 1
            with refusal_logged(market.figures.ticker):
                _read_market(self, market)


def _read_market(shared: Rereading, market: Compared) -> None:
    run, figures = shared.run, market.figures
    if not figures.life:
        return
    start, end = (edge.replace(second=0, microsecond=0) for edge in figures.life)
    end += MINUTE
    wide = Window(TRADES.name, run.scope, start - MARGIN, min(end + MARGIN, shared.exchange.now()))
    life = Window(CANDLES.name, run.scope, start, end)
    is_definite = True
    for side, window, verdict in ((TRADES, wide, market.trades), (CANDLES, life, market.candles)):
        again = _MarketSide(shared, side, figures.ticker)
        reason = verdict.reason or "read again together with the rest of its market"
        gap = Gap(window, figures.ticker, reason)
        in_transaction(run.engine, gaps.note, gaps=[gap], run_id=run.run_id)
        read_gap(run, gap, again.read)
        is_definite &= again.is_definite
    for job, build in DERIVED.items():
        for gap in in_transaction(run.engine, _gaps_of, job=job, scope=run.scope, ticker=figures.ticker):
            read_gap(run, gap, partial(build, run))
    if is_definite:
        in_transaction(run.engine, _note_reading, ticker=figures.ticker)


def _gaps_of(connection: sa.Connection, job: str, scope: str, ticker: str) -> list[Gap]:
    return [gap for gap in gaps.open_gaps(connection, job, scope, being_read=True) if gap.market == ticker]


def _note_reading(connection: sa.Connection, ticker: str) -> None:
    (found,) = reconciliation.figures(connection, [ticker])
    reconciliation.note_reading(connection, found)


class _MarketSide:
    """One reading of a market's trades or candles from both tiers: its rows are then those that the exchange has.

    Rows that the exchange doesn't list are deleted, but only if its answers were certain and add up to its own volume.
    """

    def __init__(self, shared: Rereading, side: Side, ticker: str) -> None:
        self._shared, self._side, self._ticker = shared, side, ticker
        self._exchange, self._run = shared.exchange, shared.run
        self._listed: dict[Any, Decimal] = {}
        self._blocks: dict[Any, Decimal] = {}
        self._untraded: set[datetime] = set()
        self.is_definite = False

    def read(self, reading: Reading) -> list[Doubt]:
        # What another job writes while we read is not ours to delete.
        there = in_transaction(self._run.engine, self._keys)
        read: Read = self._read_trades if self._side is TRADES else self._read_candles
        doubts = list(read(reading))
        if not doubts and not reading.rejected:
            self.is_definite = True
            self._shared.deleted += in_transaction(self._run.engine, self._settle, there=there)
        return doubts

    def _keys(self, connection: sa.Connection) -> dict[Any, datetime]:
        return reconciliation.keys(connection, self._side, self._ticker)

    def _read_trades(self, reading: Reading) -> Iterator[Doubt]:
        def see(page: Page[Trade]) -> None:
            for trade in (found.record for found in page.records):
                self._listed[trade.trade_id] = Decimal(trade.count)
                self._blocks[trade.trade_id] = Decimal(trade.count if trade.is_block_trade else 0)

        return read_trades(self._exchange, self._run, None, TradesReport(), reading, see)

    def _read_candles(self, reading: Reading) -> list[Doubt]:
        def see(lines: CandleLines) -> None:
            for line in lines.lines:
                values = dict(zip(CANDLE_1M.names, line.decode().split("\t"), strict=True))
                minute = datetime.fromisoformat(values["bucket_start_utc"])
                self._listed[minute] = Decimal(values["volume"])
                is_traded = any(values[f"trade_{price}"] != NULL for price in ("open", "close", "min", "max"))
                (traded if is_traded else self._untraded).add(minute)

        traded: set[datetime] = set()
        # The second reading begins with the market's own tier, whose values win.
        settled = in_transaction(self._run.engine, self._settled_at)
        tiers = (LATEST, EARLIEST) if settled is None or settled >= self._shared.cutoff else (EARLIEST, LATEST)
        for cutoff in tiers:
            if doubts := read_api_candles(self._exchange, self._run, cutoff, ApiTally(), reading, see):
                return doubts
        self._untraded -= traded
        return []

    def _settled_at(self, connection: sa.Connection) -> datetime | None:
        query = "SELECT settlement_ts_utc FROM kalshi_market WHERE market_ticker = :ticker"
        settled: datetime | None = sql.run(connection, query, ticker=self._ticker).scalar()
        return settled and settled.replace(tzinfo=UTC)

    def _settle(self, connection: sa.Connection, there: dict[Any, datetime]) -> int:
        """Delete what the exchange doesn't list, and remember the rows if they are what it lists."""
        deleted, scope = 0, self._run.scope
        gaps.hold(connection, [scope])
        doomed = {key: time for key, time in there.items() if key not in self._listed}
        if doomed and self._adds_up(connection):
            deleted = reconciliation.delete(connection, self._side, scope, self._ticker, doomed)
        if self._side is TRADES:
            reconciliation.delete_built_without_trades(connection, scope, self._ticker)
        else:
            reconciliation.clear_extremes(connection, self._ticker, self._untraded)
        if self._keys(connection).keys() <= self._listed.keys():
            reconciliation.confirm(connection, self._side, self._ticker)
        return deleted

    def _adds_up(self, connection: sa.Connection) -> bool:
        """Whether the answers agree with the exchange's own volume. No candles at all prove nothing: a market that
        never traded has some, too."""
        (figures,) = reconciliation.figures(connection, [self._ticker])
        if figures.exchange_volume is None or (self._side is CANDLES and not self._listed):
            return False
        volume = sum(self._listed.values(), Decimal(0))
        blocks = sum(self._blocks.values(), Decimal(0)) if self._side is TRADES else figures.block_volume
        excess = difference(self._side, volume, blocks, figures.exchange_volume)
        return abs(excess) <= tolerance(self._side, self._shared.rules)
