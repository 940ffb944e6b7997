"""A warehouse with two days of the sandbox's New York, restored after each test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.transport import Traffic
from kalshi.quality.run import QualityRequest, check_series
from kalshi.settings import load_settings
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.catalog import CatalogRequest, sync_series
from kalshi.sync.derived_candles import build_dense
from kalshi.sync.evidence import Reading
from kalshi.sync.run import recorded_run
from kalshi.sync.settlements import SettlementsRequest, sync_settlements
from kalshi.sync.snapshots import SnapshotRequest, snapshot_prices
from kalshi.sync.trades import TradesRequest, sync_trades
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.gaps import Gap
from kalshi.warehouse.ledger import RunKey
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.private_server import PrivateServer
from tests.conftest import address_of, quick_config
from tests.exchange_server import ExchangeServer

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
    sync_series(exchange, engine, CatalogRequest(SERIES, cutoff.markets_settled))
    sync_candles(exchange, engine, CandlesRequest(SERIES, cutoff.markets_settled, dag_run_id=run, **window))  # type: ignore[arg-type]
    sync_trades(exchange, engine, TradesRequest(SERIES, cutoff.markets_settled, cutoff.trades_created, **window))  # type: ignore[arg-type]
    snapshot_prices(exchange, engine, SnapshotRequest(SERIES, datetime.now(UTC)))


@pytest.fixture(scope="module")
def _filled(mariadb: PrivateServer) -> Iterator[sa.Engine]:
    yield from _fill_anew(mariadb)


@pytest.fixture(scope="module")
def _filled_mysql(mysql: PrivateServer) -> Iterator[sa.Engine]:
    yield from _fill_anew(mysql)


def _fill_anew(server: PrivateServer) -> Iterator[sa.Engine]:
    engine = open_engine(address_of(server.database("test_quality")), loads=True)
    migrate(engine)
    with (
        ExchangeServer("--since=2026-08-15", "--requests-per-second=0", "--wide-markets=0") as exchange_server,
        Exchange(quick_config(exchange_server)) as exchange,
    ):
        fill(exchange, engine, SEP_20 - DAY, SEP_20 + DAY)
    plant(engine, *(f"CREATE TABLE clean_{table} AS SELECT * FROM {table}" for table in FILLED))
    yield engine
    engine.dispose()
    with server.as_root() as cursor:
        cursor.execute("DROP DATABASE test_quality")


@pytest.fixture
def filled(_filled: sa.Engine) -> Iterator[sa.Engine]:
    """New York, 19 and 20 September: settlements, catalog, candles, trades and a snapshot."""
    yield _filled
    _restore(_filled)


@pytest.fixture
def filled_mysql(_filled_mysql: sa.Engine) -> Iterator[sa.Engine]:
    """The same on a real MySQL."""
    yield _filled_mysql
    _restore(_filled_mysql)


@pytest.fixture(params=["filled", "filled_mysql"])
def filled_on_both(request: pytest.FixtureRequest) -> sa.Engine:
    """The same on MariaDB and on a real MySQL."""
    engine: sa.Engine = request.getfixturevalue(request.param)
    return engine


def _restore(engine: sa.Engine) -> None:
    plant(engine, *(f"TRUNCATE TABLE {table}" for table in MADE))
    for table in FILLED:
        plant(engine, f"TRUNCATE TABLE {table}", f"INSERT INTO {table} SELECT * FROM clean_{table}")


def build_dense_minutes(engine: sa.Engine) -> None:
    """What a candle run adds to ``kalshi_candle_1m`` for 20 September."""
    with recorded_run(engine, RunKey("candles", SERIES), Traffic()) as run:
        window = Window("candles_dense", SERIES, SEP_20, SEP_20 + DAY)
        build_dense(run, Reading(Gap(window), 0, window.end))


def check(engine: sa.Engine, start: datetime = SEP_20, end: datetime = SEP_20 + DAY, **others: Any) -> dict[str, Any]:
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


def ask(engine: sa.Engine, sql: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(sql)).mappings()]
