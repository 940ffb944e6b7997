"""Two days of the sandbox's New York, as the sync DAGs read them and the quality run checks them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.transport import Traffic
from kalshi.quality.report import QualityReport
from kalshi.quality.run import QualityRequest, check_series
from kalshi.settings import load_settings
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.catalog import CatalogRequest, sync_catalog
from kalshi.sync.derived_candles import build_dense
from kalshi.sync.evidence import Reading
from kalshi.sync.run import recorded_run
from kalshi.sync.settlements import SettlementsRequest, sync_settlements
from kalshi.sync.snapshots import SnapshotRequest, snapshot_prices
from kalshi.sync.trades import TradesRequest, sync_trades
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.gaps import Gap
from kalshi.warehouse.ledger import RunKey

SERIES = "KXHIGHNY"
DAY = timedelta(days=1)
SEP_20 = datetime(2026, 9, 20, tzinfo=UTC)
FILLED = (
    "kalshi_series",
    "kalshi_event",
    "kalshi_market",
    "kalshi_settlement",
    "kalshi_candle_1m",
    "kalshi_trade",
    "kalshi_price_snapshot",
    "kalshi_sync_run",
    "kalshi_checkpoint",
    "kalshi_gap",
)
MADE = (
    "kalshi_candle_1m_dense",
    "kalshi_coverage",
    "kalshi_decision_coverage",
    "kalshi_quality_result",
    "kalshi_readiness",
    "kalshi_reconciliation",
)

COMPARED = (
    "INSERT INTO kalshi_reconciliation (market_ticker, series_ticker, exchange_volume, trade_volume, "
    "block_trade_volume, candle_volume, trades, candles, trades_verdict, candles_verdict, run_id) SELECT "
    "market_ticker, series_ticker, 5, 5, 0, 5, 1, 1, '{}', '{}', 1 FROM kalshi_settlement WHERE market_ticker LIKE "
    "'KXHIGHNY-26SEP{}-%' LIMIT 1"
)
"""A settled market of a day of September, with the verdicts on its trades and candles."""


def fill(exchange: Exchange, engine: sa.Engine, start: datetime, end: datetime, run: str | None = None) -> None:
    """What the sync DAGs would have read of New York."""
    cutoff = exchange.historical_cutoff()
    window = {"window_start": start, "window_end": end}
    sync_settlements(exchange, engine, SettlementsRequest(SERIES, cutoff.markets_settled))
    sync_catalog(exchange, engine, CatalogRequest(SERIES, cutoff.markets_settled))
    sync_candles(exchange, engine, CandlesRequest(SERIES, cutoff.markets_settled, dag_run_id=run, **window))  # type: ignore[arg-type]
    sync_trades(exchange, engine, TradesRequest(SERIES, cutoff.markets_settled, cutoff.trades_created, **window))  # type: ignore[arg-type]
    snapshot_prices(exchange, engine, SnapshotRequest(SERIES, datetime.now(UTC)))


def build_dense_minutes(engine: sa.Engine) -> None:
    """What a candle run adds to ``kalshi_candle_1m`` for 20 September."""
    with recorded_run(engine, RunKey("candles", SERIES), Traffic()) as run:
        window = Window("candles_dense", SERIES, SEP_20, SEP_20 + DAY)
        build_dense(run, Reading(Gap(window), 0, window.end))


def check(engine: sa.Engine, start: datetime = SEP_20, end: datetime = SEP_20 + DAY, **others: Any) -> QualityReport:
    """A quality run, by default for 20 September."""
    request = QualityRequest(SERIES, window_start=start, window_end=end, **others)
    return check_series(engine, request, load_settings().quality)


def plant(engine: sa.Engine, *statements: str) -> None:
    """Change the data directly, with foreign keys not checked."""
    with engine.begin() as connection:
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 0")
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%"))
        connection.exec_driver_sql("SET SESSION foreign_key_checks = 1")
