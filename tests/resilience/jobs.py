"""The jobs that face the faults, each as its DAG runs it: the cutoff first, then one series or subaccount."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.records import HistoricalCutoff
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.catalog import CatalogRequest, sync_catalog
from kalshi.sync.portfolio import PortfolioRequest, sync_portfolio
from kalshi.sync.report import JobReport
from kalshi.sync.settlements import SettlementsRequest, sync_settlements
from kalshi.sync.snapshots import SnapshotRequest, snapshot_prices
from kalshi.sync.trades import TradesRequest, sync_trades

SERIES = "KXHIGHNY"
CUTOFF = datetime(2026, 6, 24, tzinfo=UTC)
WINDOW = {"window_start": CUTOFF - timedelta(hours=24), "window_end": CUTOFF + timedelta(hours=12)}
"""Some of its markets are archived, some are not."""
NOON = datetime(2026, 9, 22, 12, tzinfo=UTC)


def _catalog(cutoff: HistoricalCutoff, **about: Any) -> CatalogRequest:
    return CatalogRequest(SERIES, cutoff.markets_settled, **about)


def _settlements(cutoff: HistoricalCutoff, **about: Any) -> SettlementsRequest:
    return SettlementsRequest(SERIES, cutoff.markets_settled, **about)


def _trades(cutoff: HistoricalCutoff, **about: Any) -> TradesRequest:
    return TradesRequest(SERIES, cutoff.markets_settled, cutoff.trades_created, **{**WINDOW, **about})


def _candles(cutoff: HistoricalCutoff, **about: Any) -> CandlesRequest:
    both: dict[str, Any] = {"sources": ("api_event", "trades"), "dense": True}
    return CandlesRequest(SERIES, cutoff.markets_settled, cutoff.trades_created, **{**both, **WINDOW, **about})


def _snapshots(_: HistoricalCutoff, **about: Any) -> SnapshotRequest:
    return SnapshotRequest(SERIES, **{"snapshot_at": NOON, **about})


def _portfolio(cutoff: HistoricalCutoff, **about: Any) -> PortfolioRequest:
    return PortfolioRequest("1", trades_cutoff=cutoff.trades_created, **about)


@dataclass(frozen=True)
class Job:
    """``path``: of the requests that faults strike; ``pages``: how many of them go well before; ``table``: what it
    writes first; ``markets_per_page``: few enough for several pages; ``again``: what reads a complete window again."""

    sync: Callable[[Exchange, sa.Engine, Any], JobReport]
    request: Callable[..., Any]
    path: str
    table: str
    pages: int = 1
    markets_per_page: int = 100
    again: dict[str, Any] = field(default_factory=dict)

    def run(self, exchange: Exchange, engine: sa.Engine, **about: Any) -> JobReport:
        return self.sync(exchange, engine, self.request(exchange.historical_cutoff(), **about))


JOBS = {
    "catalog": Job(sync_catalog, _catalog, "/markets$", "kalshi_market", pages=2),
    "settlements": Job(sync_settlements, _settlements, "/markets$", "kalshi_market", pages=2),
    "trades": Job(sync_trades, _trades, "/trades$", "kalshi_trade", pages=2, again={"force": True}),
    "candles": Job(sync_candles, _candles, "/candlesticks$", "kalshi_candle_1m", again={"force": True}),
    "snapshots": Job(snapshot_prices, _snapshots, "/markets$", "kalshi_price_snapshot", markets_per_page=5),
    "portfolio": Job(sync_portfolio, _portfolio, "/(portfolio|historical)/(fills|positions)$", "kalshi_fill"),
}
