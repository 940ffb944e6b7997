"""A day of the whole exchange in one stream: requests against the ideal, rows per second, and memory, job by job."""

from __future__ import annotations

import math
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.exchange import Exchange, ExchangeConfig
from kalshi.sync.candle_plan import MINUTES_PER_BATCH
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.catalog import CatalogRequest, sync_catalog
from kalshi.sync.settlements import SettlementsRequest, sync_settlements
from kalshi.sync.snapshots import SnapshotRequest, snapshot_prices
from kalshi.sync.trades import TradesRequest, sync_trades
from kalshi.warehouse.checkpoints import EVERYTHING
from kalshi.warehouse.server import ServerAddress, open_engine
from sandbox import process as sandbox_process
from scripts.bench.contest import address, fresh_warehouse, peak_megabytes
from scripts.private_server import PrivateServer

DAY = timedelta(days=1)
OPEN_MINUTES = (
    "SELECT SUM(TIMESTAMPDIFF(SECOND, GREATEST(open_time_utc, :start), LEAST(close_time_utc, :end))) / 60 "
    "FROM kalshi_market WHERE open_time_utc < :end AND close_time_utc > :start"
)
"""The minutes of a day in which markets were open: the exchange counts them, with or without candles."""
MARKETS_A_PAGE, EVENTS_A_PAGE = 1000, 200
MARKETS_A_SERIES, TRADES_A_MARKET = 100, 10


@dataclass(frozen=True)
class Outcome:
    """One job: its requests, those that full pages would need, its rows, seconds, and its process's largest memory."""

    job: str
    requests: int
    ideal: int
    records: int
    seconds: float
    megabytes: float


def measure(server: PrivateServer, markets: list[int], clock: datetime) -> str:
    """A table of the jobs at each number of open markets."""
    rows: list[list[Any]] = []
    for open_markets in markets:
        print(f"whole: {open_markets:,} open markets …", flush=True)
        for found in _day(server, open_markets, clock):
            share = found.requests / found.ideal if found.ideal else 1
            speed = found.records / found.seconds
            figures = [f"{found.records:,}", f"{found.requests:,}", share, found.seconds, f"{speed:,.0f}"]
            rows.append([f"{open_markets:,}", found.job, *figures, found.megabytes])
    headers = ["open markets", "job", "records", "requests", "of ideal", "seconds", "records/s", "MB"]
    align = ("right", "left", *["right"] * 6)
    return tabulate(rows, headers=headers, floatfmt=("", "", "", "", ".2f", ".1f", "", ".0f"), colalign=align)


def _day(server: PrivateServer, open_markets: int, clock: datetime) -> Iterator[Outcome]:
    options = (
        *(f"--clock={clock.isoformat()}", "--requests-per-second=0", f"--since={clock.date() - 300 * DAY}"),
        *(f"--series={max(9, open_markets // MARKETS_A_SERIES)}", f"--open-markets={open_markets}"),
        f"--trades-a-day={TRADES_A_MARKET * open_markets}",
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        fresh_warehouse(server),
        sandbox_process.running(Path(folder) / "sandbox.log", *options) as url,
        multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool,
    ):
        where = address(server, "bench")
        for job in JOBS:
            print(f"whole: {job} …", flush=True)
            yield pool.apply(_run, (job, url, where, clock))


def _run(job: str, url: str, where: ServerAddress, clock: datetime) -> Outcome:
    """Run one job in this process, which does nothing else."""
    engine = open_engine(where, loads=True)
    with Exchange(ExchangeConfig(url, requests_per_second=1e6)) as exchange:
        began = time.perf_counter()
        report, records, ideal = JOBS[job](exchange, engine, clock)
        seconds = time.perf_counter() - began
    engine.dispose()
    return Outcome(job, report.requests, ideal, records, seconds, peak_megabytes())


def _catalog(exchange: Exchange, engine: Any, clock: datetime) -> tuple[Any, int, int]:
    report = sync_catalog(exchange, engine, CatalogRequest(EVERYTHING, _cutoff(exchange), asked_at=clock))
    pages = math.ceil(report.markets / MARKETS_A_PAGE) + math.ceil(report.events / EVENTS_A_PAGE)
    return report, report.markets + report.events, pages + 1  # and one of all series


def _settlements(exchange: Exchange, engine: Any, clock: datetime) -> tuple[Any, int, int]:
    report = sync_settlements(exchange, engine, SettlementsRequest(EVERYTHING, _cutoff(exchange), asked_at=clock))
    return report, report.markets, math.ceil(report.markets / MARKETS_A_PAGE)


def _trades(exchange: Exchange, engine: Any, clock: datetime) -> tuple[Any, int, int]:
    midnight = clock.replace(hour=0, minute=0)
    window: dict[str, Any] = {"window_start": midnight - DAY, "window_end": midnight, "asked_at": clock}
    cutoff = exchange.historical_cutoff()
    request = TradesRequest(EVERYTHING, cutoff.markets_settled, cutoff.trades_created, **window)
    report = sync_trades(exchange, engine, request)
    records = report.trades + report.left_out
    return report, records, math.ceil(records / MARKETS_A_PAGE)


def _candles(exchange: Exchange, engine: Any, clock: datetime) -> tuple[Any, int, int]:
    midnight = clock.replace(hour=0, minute=0)
    window: dict[str, Any] = {"window_start": midnight - DAY, "window_end": midnight, "asked_at": clock}
    report = sync_candles(exchange, engine, CandlesRequest(EVERYTHING, _cutoff(exchange), **window))
    with engine.connect() as connection:
        minutes = connection.execute(sa.text(OPEN_MINUTES), {"start": midnight - DAY, "end": midnight}).scalar_one()
    return report, report.candles, math.ceil(minutes / MINUTES_PER_BATCH)


def _snapshots(exchange: Exchange, engine: Any, clock: datetime) -> tuple[Any, int, int]:
    report = snapshot_prices(exchange, engine, SnapshotRequest(EVERYTHING, clock, asked_at=clock))
    return report, report.markets, math.ceil(report.markets / MARKETS_A_PAGE)


def _cutoff(exchange: Exchange) -> datetime:
    return exchange.historical_cutoff().markets_settled


JOBS: dict[str, Callable[[Exchange, Any, datetime], tuple[Any, int, int]]] = {
    "catalog": _catalog,
    "settlements": _settlements,
    "trades": _trades,
    "candles": _candles,
    "snapshots": _snapshots,
}
