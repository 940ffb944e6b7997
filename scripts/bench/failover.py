"""A cluster whose primary is killed again and again under a backfill: what is lost, and how long writing pauses."""

from __future__ import annotations

import itertools
import random
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.exchange import Exchange, ExchangeConfig, ExchangeError
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.warehouse import sql
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import in_transaction, open_engine, patiently
from scripts import mysql_cluster
from scripts.address import address_of
from scripts.content import contents
from scripts.mysql_cluster import MysqlCluster

SERIES = "KXHIGHNY"
FIRST = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 14
CALM_SECONDS = (0.5, 5)
"""From the return of a killed node to the next kill: at random."""
ATTEMPTS = 3
"""As many as a task of the DAG has."""


@dataclass
class Backfill:
    """The candles of ``DAYS`` days, each as one task; all of them again into a new warehouse, until told to stop.

    ``warehouses``: that of each round; ``failures``: the errors of tasks that had to be tried again.
    """

    exchange_url: str
    cluster: MysqlCluster
    warehouses: list[sa.Engine] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def run(self, stop: Event) -> None:
        with Exchange(ExchangeConfig(self.exchange_url, requests_per_second=1e6)) as exchange:
            while True:
                self.warehouses.append(_warehouse(self.cluster, f"round{len(self.warehouses)}"))
                for day in range(DAYS):
                    self._task(exchange, self.warehouses[-1], FIRST + timedelta(days=day))
                if stop.is_set():
                    return

    def _task(self, exchange: Exchange, engine: sa.Engine, start: datetime) -> None:
        cutoff = exchange.historical_cutoff()
        request = CandlesRequest(
            SERIES,
            cutoff.markets_settled,
            cutoff.trades_created,
            sources=("api_event", "trades"),
            dense=True,
            window_start=start,
            window_end=start + timedelta(days=1),
        )
        for attempt in range(ATTEMPTS):
            try:
                sync_candles(exchange, engine, request)
                return
            except (ExchangeError, sa.exc.SQLAlchemyError) as error:
                self.failures.append(str(error).splitlines()[0])
                if attempt == ATTEMPTS - 1:
                    raise


@dataclass
class Pulse:
    """Commits a row as often as it can, as every job does, and keeps the times (of ``time.monotonic``) at which it
    could."""

    engine: sa.Engine
    beats: list[float] = field(default_factory=list)

    def run(self, stop: Event) -> None:
        in_transaction(self.engine, sql.run, "CREATE TABLE IF NOT EXISTS pulse (beat INT PRIMARY KEY)")
        while not stop.is_set():
            number = len(self.beats)
            in_transaction(self.engine, sql.run, "INSERT IGNORE INTO pulse VALUES (:number)", number=number)
            self.beats.append(time.monotonic())
            time.sleep(0.02)

    def longest_pause(self, since: float, until: float) -> float:
        """The longest time without a commit, in seconds, of those that overlap the span."""
        pairs = itertools.pairwise(self.beats)
        return max(later - earlier for earlier, later in pairs if later >= since and earlier <= until)

    def lost(self) -> int:
        """How many committed rows aren't there."""
        with self.engine.connect() as connection:
            return len(self.beats) - int(sql.run(connection, "SELECT COUNT(*) FROM pulse").scalar_one())


def measure(exchange_url: str, kills: int) -> str:
    """A table of the pauses, and what is different from a backfill without faults."""
    with tempfile.TemporaryDirectory() as folder, mysql_cluster.passing_cluster(Path(folder)) as cluster:
        return _measure(exchange_url, cluster, kills)


def _measure(exchange_url: str, cluster: MysqlCluster, kills: int) -> str:
    calm = Backfill(exchange_url, cluster)
    calm.run(_already())
    (expected,) = map(contents, calm.warehouses)
    backfill, stop = Backfill(exchange_url, cluster, calm.warehouses), Event()
    pulse = Pulse(_warehouse(cluster, "beating"))
    spans: list[tuple[float, float]] = []
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(part.run, stop) for part in (backfill, pulse)]
        try:
            for number in range(kills):
                print(f"failover: kill {number + 1} of {kills} …", flush=True)
                time.sleep(random.uniform(*CALM_SECONDS))
                began = time.monotonic()
                cluster.kill_primary()
                cluster.heal()
                spans.append((began, time.monotonic()))
        finally:
            stop.set()
        for part in running:
            part.result()
    pauses = list(itertools.starmap(pulse.longest_pause, spans))
    struck = backfill.warehouses[1:]
    different = {table for found in map(contents, struck) for table in expected if expected[table] != found.get(table)}
    cells: list[tuple[str, object]] = [
        ("kills of the primary", kills),
        ("writing paused, median, s", f"{statistics.median(pauses):.1f}"),
        ("writing paused, longest, s", f"{max(pauses):.1f}"),
        ("backfills meanwhile, each into a new warehouse", len(struck)),
        ("tasks that failed and were tried again", len(backfill.failures)),
        ("committed rows lost", pulse.lost()),
        ("tables that differ from those without kills", ", ".join(sorted(different)) or "none"),
        ("windows that aren't complete", sum(map(_incomplete, struck))),
    ]
    for engine in (*backfill.warehouses, pulse.engine):
        engine.dispose()
    return tabulate(cells, tablefmt="plain", disable_numparse=True, colalign=("left", "right"))


def _warehouse(cluster: MysqlCluster, name: str) -> sa.Engine:
    engine = open_engine(address_of(cluster.database(name)), loads=True)
    patiently(engine, partial(migrate, engine))
    return engine


def _incomplete(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(sql.run(connection, "SELECT COUNT(*) FROM kalshi_checkpoint WHERE state <> 'COMPLETE'").scalar_one())


def _already() -> Event:
    stop = Event()
    stop.set()
    return stop
