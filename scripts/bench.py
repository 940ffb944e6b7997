"""``make bench``: how fast markets come in, as a ratio to writing the same rows alone, measured side by side."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.exchange import Exchange, ExchangeConfig
from kalshi.exchange.pages import Page
from kalshi.records import Found, Market
from kalshi.sync.catalog import CatalogRequest, sync_series
from kalshi.warehouse import catalog
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import ServerAddress, in_transaction, open_engine
from sandbox import process as sandbox_process
from scripts import private_server
from scripts.private_server import PrivateServer

SERIES = "KXSANDBOXWIDE"


def seconds(work: Callable[..., object], *arguments: object) -> float:
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began


@contextmanager
def fresh_warehouse(server: PrivateServer) -> Iterator[sa.Engine]:
    url = sa.make_url(server.database("bench"))
    address = ServerAddress("127.0.0.1", "bench", url.username or "", url.password or "", server.port)
    engine = open_engine(address)
    migrate(engine)
    yield engine
    engine.dispose()
    with server.as_root() as cursor:
        cursor.execute("DROP DATABASE bench")


def write_alone(engine: sa.Engine, exchange: Exchange, pages: list[Page[Market]]) -> None:
    """What the sync writes, from memory: the parents, then each page in a transaction of its own."""
    series = exchange.series(SERIES)
    if isinstance(series, Found):
        in_transaction(engine, partial(catalog.write_series, found=[series], run_id=1))
    for page in pages:
        in_transaction(engine, partial(catalog.write_markets, found=page.records, series_ticker=SERIES, run_id=1))


def main() -> None:
    parser = argparse.ArgumentParser(description="Markets per second, fetched and written.")
    parser.add_argument("--markets", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    alone: list[float] = []
    fetched: list[float] = []
    first: list[float] = []
    again: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        server = private_server.ensure(Path(folder))
        options = ("--requests-per-second=0", f"--wide-markets={args.markets}", "--since=2026-09-01")
        with sandbox_process.running(Path(folder) / "sandbox.log", *options) as base_url:
            request = CatalogRequest(SERIES, datetime.now(UTC), include_historical=False)
            with Exchange(ExchangeConfig(base_url, requests_per_second=1e6)) as exchange:
                pages = list(exchange.markets(series_ticker=SERIES))
                for number in range(args.rounds):
                    print(f"round {number + 1} of {args.rounds} …", flush=True)
                    fetched.append(seconds(list, exchange.markets(series_ticker=SERIES)))
                    with fresh_warehouse(server) as engine:
                        alone.append(seconds(write_alone, engine, exchange, pages))
                    with fresh_warehouse(server) as engine:
                        first.append(seconds(sync_series, exchange, engine, request))
                        again.append(seconds(sync_series, exchange, engine, request))
        private_server.stop(Path(folder))
    reference = statistics.median(alone)
    rows = [
        [what, f"{args.markets / statistics.median(took):,.0f}", reference / statistics.median(took)]
        for what, took in (
            ("written alone, from memory (the reference)", alone),
            ("fetched alone, into memory", fetched),
            ("fetched and written, first run", first),
            ("fetched and written, nothing new", again),
        )
    ]
    print()
    print(
        tabulate(rows, headers=["markets", "per second", "ratio"], floatfmt=".2f", colalign=("left", "right", "right"))
    )
    print(f"\nMedian of {args.rounds} rounds with {args.markets:,} markets.")


if __name__ == "__main__":
    main()
