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
from pathlib import Path
from threading import Event

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.exchange import Exchange, ExchangeConfig, ExchangeError
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.warehouse import sql
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import in_transaction, open_engine
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
    """The candles of ``DAYS`` days, each as one task, read again and again until it is told to stop.

    ``rounds``: how often all days were read; ``failures``: the errors of tasks that had to be tried again.
    """

    exchange_url: str
    engine: sa.Engine
    rounds: int = 0
    failures: list[str] = field(default_factory=list)

    def run(self, stop: Event) -> None:
        with Exchange(ExchangeConfig(self.exchange_url, requests_per_second=1e6)) as exchange:
            for number in itertools.count(1):
                for day in range(DAYS):
                    self._task(exchange, FIRST + timedelta(days=day), is_again=number > 1)
                self.rounds = number
                if stop.is_set():
                    return

    def _task(self, exchange: Exchange, start: datetime, *, is_again: bool) -> None:
        cutoff = exchange.historical_cutoff()
        request = CandlesRequest(
            SERIES,
            cutoff.markets_settled,
            cutoff.trades_created,
            sources=("api_event", "trades"),
            dense=True,
            force=is_again,
            window_start=start,
            window_end=start + timedelta(days=1),
        )
        for attempt in range(ATTEMPTS):
            try:
                sync_candles(exchange, self.engine, request)
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
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cluster = mysql_cluster.ensure(folder)
        try:
            return _measure(exchange_url, cluster, kills)
        finally:
            mysql_cluster.stop(folder)


def _measure(exchange_url: str, cluster: MysqlCluster, kills: int) -> str:
    calm, struck, beating = (_warehouse(cluster, name) for name in ("calm", "struck", "beating"))
    Backfill(exchange_url, calm).run(_already())
    backfill, pulse, stop = Backfill(exchange_url, struck), Pulse(beating), Event()
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
    expected, found = contents(calm), contents(struck)
    different = sorted(table for table in expected if expected[table] != found.get(table))
    cells: list[tuple[str, object]] = [
        ("kills of the primary", kills),
        ("writing paused, median, s", f"{statistics.median(pauses):.1f}"),
        ("writing paused, longest, s", f"{max(pauses):.1f}"),
        ("backfills meanwhile", backfill.rounds),
        ("tasks that failed and were tried again", len(backfill.failures)),
        ("committed rows lost", pulse.lost()),
        ("tables that differ from those without kills", ", ".join(different) or "none"),
        ("windows that aren't complete", _count(struck, "kalshi_checkpoint WHERE state <> 'COMPLETE'")),
    ]
    return tabulate(cells, tablefmt="plain", disable_numparse=True, colalign=("left", "right"))


def _warehouse(cluster: MysqlCluster, name: str) -> sa.Engine:
    engine = open_engine(address_of(cluster.database(name)), loads=True)
    migrate(engine)
    return engine


def _count(engine: sa.Engine, rows: str) -> int:
    with engine.connect() as connection:
        return int(sql.run(connection, f"SELECT COUNT(*) FROM {rows}").scalar_one())


def _already() -> Event:
    stop = Event()
    stop.set()
    return stop
