"""Dividing filled tables into months, although the server is killed again and again; what a month's drop takes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import sqlalchemy as sa
from tabulate import tabulate

from kalshi.warehouse import months, retention
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.months import PARTITIONED
from kalshi.warehouse.retention import PRUNABLE, Month
from kalshi.warehouse.server import open_engine, wait_for_long
from scripts import private_server
from scripts.address import address_of
from scripts.bench.history import bytes_on_disk
from scripts.content import content
from scripts.private_server import Program

TABLES = ("kalshi_candle_1m_dense", "kalshi_candle_1m")
"""The larger one first."""
FIRST = datetime(2023, 1, 1, tzinfo=UTC)
MARKETS_A_DAY, MINUTES_A_DAY = 42, 1440
"""Those of seven series; a market's minutes of one day are enough here."""
SHARE_OF_CANDLES = 4
"""Of so many dense minutes one has a candle."""
KILLED_AT = (0.2, 0.5, 0.8)
"""When the server is killed, as shares of the time that the estimate gives."""
FILL = """
INSERT INTO {table} ({columns})
SELECT CONCAT('KXHIGH-', DATE(d.at), '-', m.n), d.at + INTERVAL t.n MINUTE, {values}
FROM (SELECT %s + INTERVAL %s DAY AS at) d JOIN number m JOIN number t
WHERE m.n < {markets} AND t.n < {minutes} AND t.n MOD {every} = 0
ORDER BY m.n, t.n
"""
QUOTES = "(0.40 + (t.n * 7 MOD 13) / 100), 0.43, 0.39, 0.41, 0.44, 0.46, 0.42, 0.45, (t.n * 31 MOD 997), 10 + t.n"
QUOTE_NAMES = (
    "yes_bid_open, yes_bid_high, yes_bid_low, yes_bid_close, yes_ask_open, yes_ask_high, yes_ask_low, yes_ask_close, "
    "volume, open_interest"
)


@dataclass
class Bench:
    """A server of its own, which may be killed."""

    folder: Path
    program: Program | None

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.server = private_server.ensure(self.folder, self.program)
        self.engine = open_engine(address_of(self.server.database("months")))

    def kill(self) -> None:
        process = psutil.Process(int((self.folder / "server.pid").read_text()))
        process.kill()
        process.wait(60)
        self.engine.dispose()

    def run(self, statement: str, *values: Any) -> None:
        with self.engine.connect() as connection:
            wait_for_long(connection)
            connection.exec_driver_sql(statement, values)
            connection.commit()

    def fill(self, rows: int) -> None:
        """The tables as they were before they were partitioned, with so many rows in all."""
        migrate(self.engine)
        for table in PARTITIONED:
            self.run(f"ALTER TABLE {table} REMOVE PARTITIONING")
        self.run("CREATE TABLE number (n INT NOT NULL PRIMARY KEY)")
        with self.engine.begin() as connection:
            connection.execute(sa.text("INSERT INTO number VALUES (:n)"), [{"n": n} for n in range(MINUTES_A_DAY)])
        a_day = MARKETS_A_DAY * MINUTES_A_DAY
        for day in range(round(rows / (a_day + a_day / SHARE_OF_CANDLES))):
            self._fill_day(TABLES[0], day, "is_synthetic, has_trade", "t.n MOD 4 > 0, t.n MOD 4 = 0", every=1)
            own = "source, period_minutes"
            self._fill_day(TABLES[1], day, own, "'api_event', 1", every=SHARE_OF_CANDLES)
        self.run(f"ANALYZE TABLE {', '.join(TABLES)}")

    def _fill_day(self, table: str, day: int, own: str, values: str, *, every: int) -> None:
        statement = FILL.format(
            table=table,
            columns=f"market_ticker, bucket_start_utc, {own}, {QUOTE_NAMES}, run_id",
            values=f"{values}, {QUOTES}, 1",
            markets=MARKETS_A_DAY,
            minutes=MINUTES_A_DAY,
            every=every,
        )
        self.run(statement, FIRST.replace(tzinfo=None), day)

    def partition(self) -> None:
        with self.engine.connect() as connection:
            wait_for_long(connection)
            months.partition(connection)

    def content(self) -> dict[str, tuple[int, int]]:
        return {table: content(self.engine, table) for table in TABLES}


def measure(program: Program | None, rows: int) -> str:
    """The table: the migration of so many rows, interrupted, beside its estimate and a plain copy; the drop of a
    month."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), program)
        try:
            return _measure(bench, rows)
        finally:
            bench.engine.dispose()
            private_server.stop(Path(folder))


def _measure(bench: Bench, rows: int) -> str:
    print(f"months: {rows:,} rows …", flush=True)
    bench.fill(rows)
    before = bench.content()
    print("months: a plain copy …", flush=True)
    copying = sum(_seconds(_copy, bench, table) for table in TABLES)
    with bench.engine.connect() as connection:
        estimate = sum(months.seconds_about(connection, table) for table in TABLES)
    for share in KILLED_AT:
        print(f"months: the server is killed after {share * estimate:.0f} s …", flush=True)
        migration = Thread(target=_interrupted, args=(bench,))
        migration.start()
        time.sleep(share * estimate)
        bench.kill()
        migration.join()
        bench.start()
    left = [table for table in TABLES if not _is_partitioned(bench, table)]
    print(f"months: finishing {', '.join(left)} …", flush=True)
    finishing = _seconds(bench.partition)
    is_same = bench.content() == before
    drops = {table: _drop(bench, table) for table in TABLES}
    cells: list[tuple[str, object]] = [
        ("rows", f"{sum(count for count, _ in before.values()):,}"),
        ("a plain copy, s", f"{copying:.0f}"),
        ("the migration as estimated, s", f"{estimate:.0f}"),
        (f"the last of {len(KILLED_AT) + 1} attempts, s", f"{finishing:.0f}"),
        ("tables left for it", f"{len(left)} of {len(TABLES)}"),
        ("rows and checksums as before", "yes" if is_same else "NO"),
        ("file system", _file_system(bench.folder)),
    ]
    for table, (rows_dropped, seconds, a_row) in drops.items():
        cells.append((f"{table}: bytes of a row on disk", f"{a_row:.0f}"))
        cells.append((f"{table}: dropping a month of {rows_dropped:,} rows, s", f"{seconds:.2f}"))
    return tabulate(cells, tablefmt="plain", disable_numparse=True, colalign=("left", "right"))


def _file_system(folder: Path) -> str:
    """What the folder lies on. Mounted with ``discard`` it tells the disk of each page that a drop frees, one by one,
    which takes many times as long as the drop itself."""
    mounts = [mount for mount in psutil.disk_partitions(all=True) if folder.resolve().is_relative_to(mount.mountpoint)]
    if not mounts:
        return "unknown"
    mount = max(reversed(mounts), key=lambda mount: len(mount.mountpoint))  # the last of those on one place is seen
    discards = any(option.partition("=")[0] == "discard" for option in mount.opts.split(","))
    return f"{mount.fstype}{', mounted with discard' if discards else ''}"


def _interrupted(bench: Bench) -> None:
    with suppress(sa.exc.DBAPIError):  # the server is killed
        bench.partition()


def _copy(bench: Bench, table: str) -> None:
    bench.run(f"CREATE TABLE plain_copy LIKE {table}")
    bench.run(f"INSERT INTO plain_copy SELECT * FROM {table}")
    bench.run("DROP TABLE plain_copy")


def _is_partitioned(bench: Bench, table: str) -> bool:
    with bench.engine.connect() as connection:
        return bool(months.months_of(connection, table))


def _drop(bench: Bench, table: str) -> tuple[int, float, float]:
    """The rows of a month, the seconds in which they are dropped, and how many bytes a row took before."""
    month = next(retention.old_months(bench.engine, PRUNABLE[table], date(2023, 2, 1)))
    count, _ = content(bench.engine, table)
    a_row = bytes_on_disk(bench.server, "months", table) / count
    return month.rows, _seconds(_drop_month, bench, month), a_row


def _drop_month(bench: Bench, month: Month) -> None:
    retention.drop(bench.engine, month, run_id=1)


def _seconds(work: Callable[..., object], *arguments: Any) -> float:
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began
