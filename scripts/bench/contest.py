"""Contests: the same work done in several ways, each on its own warehouse, round by round."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import ServerAddress, open_engine
from scripts.address import address_of
from scripts.private_server import PrivateServer

Work = Callable[[sa.Engine], object]


@dataclass(frozen=True)
class Entry:
    """One way to do the work.

    ``work`` may return its seconds if only part of it counts; ``prepare`` isn't measured; ``rows``: how many
    it handles, None for all; ``is_slow``: one round is enough.
    """

    name: str
    work: Work
    prepare: Work = lambda engine: None
    rows: int | None = None
    is_slow: bool = False


@dataclass
class Contest:
    """``entries``: the first one is the reference."""

    title: str
    entries: list[Entry]
    rows: int
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def run_round(self, server: PrivateServer) -> None:
        for entry in self.entries:
            if entry.is_slow and self.seconds.get(entry.name):
                continue
            with fresh_warehouse(server) as engine:
                entry.prepare(engine)
                began = time.perf_counter()
                told = entry.work(engine)
                took = told if isinstance(told, float) else time.perf_counter() - began
                self.seconds.setdefault(entry.name, []).append(took)

    @property
    def per_second(self) -> dict[str, float]:
        """The median of each entry."""
        return {e.name: (e.rows or self.rows) / statistics.median(self.seconds[e.name]) for e in self.entries}

    def table(self) -> str:
        speeds = self.per_second
        reference = speeds[self.entries[0].name]
        cells = [[name, f"{speed:,.0f}", speed / reference] for name, speed in speeds.items()]
        return tabulate(cells, headers=[self.title, "per second", "ratio"], floatfmt=".3f", colalign=("left", "right"))


@contextmanager
def fresh_warehouse(server: PrivateServer, name: str = "bench") -> Iterator[sa.Engine]:
    """A migrated warehouse, dropped afterwards."""
    engine = open_engine(address(server, name), loads=True)
    migrate(engine)
    try:
        yield engine
    finally:
        engine.dispose()
        with server.as_root() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


def address(server: PrivateServer, name: str) -> ServerAddress:
    """A database of ``server``, created unless it exists."""
    return address_of(server.database(name))


def peak_megabytes() -> float:
    """The largest memory of this process so far. (``ru_maxrss`` would begin with that of its parent.)"""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
