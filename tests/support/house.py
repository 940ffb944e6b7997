"""Four days of one series, read and reconciled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.reconciliation import ReconciliationReport, ReconciliationRequest, reconcile
from kalshi.sync.settlements import SettlementsRequest, sync_settlements
from kalshi.sync.trades import TradesRequest, sync_trades
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.content import content
from scripts.private_server import PrivateServer
from tests.support.databases import select
from tests.support.exchange_server import ExchangeServer, quick_config

SERIES = "KXHIGHNY"
DAY = timedelta(days=1)
SEP_17 = datetime(2026, 9, 17, tzinfo=UTC)
"""The event of the 18th opens on that day, and closes on the 19th at 05:00."""
TABLES = ("kalshi_trade", "kalshi_candle_1m", "kalshi_candle_1m_dense")


@contextmanager
def template(server: PrivateServer, exchange_server: ExchangeServer, database: str, start: datetime) -> Iterator[str]:
    """The name of a database with what a house has read and reconciled, for :func:`copy_rows`."""
    exchange_server.reset()
    engine = open_engine(address_of(server.database(database)), loads=True)
    migrate(engine)
    with Exchange(quick_config(exchange_server)) as exchange:
        house = House(exchange, engine, start)
        house.read()
        house.reconcile()
    yield database
    engine.dispose()


@dataclass(frozen=True)
class House:
    """A warehouse, and four days that it reads of an exchange; two events lie wholly within them."""

    exchange: Exchange
    engine: sa.Engine
    start: datetime = SEP_17

    @property
    def end(self) -> datetime:
        return self.start + 4 * DAY

    def read(self, *, candles: bool = True) -> None:
        cutoff = self.exchange.historical_cutoff()
        cutoffs = cutoff.markets_settled, cutoff.trades_created
        about: dict[str, Any] = {"window_start": self.start, "window_end": self.end}
        sync_settlements(self.exchange, self.engine, SettlementsRequest(SERIES, cutoff.markets_settled))
        sync_trades(self.exchange, self.engine, TradesRequest(SERIES, *cutoffs, **about))
        if candles:
            sync_candles(self.exchange, self.engine, CandlesRequest(SERIES, *cutoffs, dense=True, **about))

    def reconcile(self, **others: Any) -> ReconciliationReport:
        """Compare the markets of the two events."""
        cutoff = self.exchange.historical_cutoff().markets_settled
        about: dict[str, Any] = {"window_start": self.start + 2 * DAY, "window_end": self.end, **others}
        return reconcile(self.exchange, self.engine, ReconciliationRequest(SERIES, cutoff, **about))

    def content(self) -> list[tuple[int, int]]:
        return [content(self.engine, table) for table in TABLES]

    def change(self, statement: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            assert connection.execute(sa.text(statement), values).rowcount, statement

    def verdicts(self, ticker: str) -> tuple[str, str]:
        query = "SELECT trades_verdict, candles_verdict FROM kalshi_reconciliation WHERE market_ticker = "
        (row,) = select(self.engine, f"{query} '{ticker}'")
        return row["trades_verdict"], row["candles_verdict"]

    def trade(self, *, is_block_trade: bool = False) -> dict[str, Any]:
        """The largest trade of the two events in a market with, or without, block trades."""
        return select(
            self.engine,
            "SELECT t.* FROM kalshi_trade t JOIN kalshi_reconciliation USING (market_ticker) "
            f"WHERE is_block_trade = {is_block_trade} AND (block_trade_volume > 0) = {is_block_trade} "
            "ORDER BY `count` DESC LIMIT 1",
        )[0]

    def candle(self, ticker: str) -> dict[str, Any]:
        """The candle of a market with the most volume."""
        order = "ORDER BY volume DESC LIMIT 1"
        return select(self.engine, f"SELECT * FROM kalshi_candle_1m WHERE market_ticker = '{ticker}' {order}")[0]

    def insert(self, table: str, row: dict[str, Any]) -> None:
        columns = [name for name in row if not name.endswith("d_at_utc") or name == "executed_at_utc"]
        marks = ", ".join(f":{name}" for name in columns)
        names = ", ".join(f"`{name}`" for name in columns)
        self.change(f"INSERT INTO {table} ({names}) VALUES ({marks})", **row)

    def double_trade(self, trade: dict[str, Any]) -> None:
        """Store a trade a second time, under another id."""
        self.insert("kalshi_trade", {**trade, "trade_id": f"again-{trade['trade_id']}"[:64]})
