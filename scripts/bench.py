"""``make bench``: how fast markets come in, as a ratio to writing the same rows alone, measured side by side."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.exchange import Exchange, ExchangeConfig
from kalshi.exchange.pages import Page
from kalshi.records import Found, Market
from kalshi.sync.api_candles import ROWS_PER_TRANSACTION
from kalshi.sync.candle_plan import AliveMarket, batches, plan_units
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.catalog import CatalogRequest, sync_series
from kalshi.sync.snapshots import SnapshotRequest, snapshot_prices
from kalshi.warehouse import candles, catalog, market_data
from kalshi.warehouse.candles import CandleLines
from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import ServerAddress, in_transaction, open_engine
from kalshi.warehouse.tables import CANDLE_1M
from sandbox import process as sandbox_process
from scripts import private_server
from scripts.private_server import PrivateServer

SERIES = "KXSANDBOXWIDE"
CANDLE_SERIES = "KXHIGHNY"
CANDLES_FROM = datetime(2026, 9, 6, tzinfo=UTC)
NOON = datetime(2026, 9, 22, 12, tzinfo=UTC)
Work = Callable[[sa.Engine], object]


@dataclass
class Contest:
    """What is measured, each on a fresh, prepared warehouse: the reference, then others by name."""

    title: str
    reference: tuple[str, Work]
    others: dict[str, Work]
    rows: int
    prepare: Work = field(default=lambda engine: None)
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def run_round(self, server: PrivateServer) -> None:
        for name, work in [self.reference, *self.others.items()]:
            with fresh_warehouse(server) as engine:
                self.prepare(engine)
                began = time.perf_counter()
                work(engine)
                self.seconds.setdefault(name, []).append(time.perf_counter() - began)

    def table(self) -> str:
        median = {name: statistics.median(took) for name, took in self.seconds.items()}
        reference = median[self.reference[0]]
        cells = [[name, f"{self.rows / took:,.0f}", reference / took] for name, took in median.items()]
        return tabulate(cells, headers=[self.title, "per second", "ratio"], floatfmt=".2f", colalign=("left", "right"))


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


def write_markets(engine: sa.Engine, series: object, pages: list[Page[Market]]) -> None:
    """What the catalog sync writes, from memory: the parents, then each page in a transaction of its own."""
    if isinstance(series, Found):
        in_transaction(engine, partial(catalog.write_series, found=[series], run_id=1))
    for page in pages:
        in_transaction(engine, partial(catalog.write_markets, found=page.records, series_ticker=SERIES, run_id=1))


def write_snapshots(engine: sa.Engine, pages: list[Page[Market]]) -> None:
    """What the snapshots write, from memory, placeholders of the markets included."""

    def write(connection: sa.Connection, page: Page[Market]) -> None:
        catalog.write_unknown_markets(connection, page.records, 1)
        market_data.write_snapshots(connection, page.records, NOON, NOON, 1)

    for page in pages:
        in_transaction(engine, partial(write, page=page))


def contests(exchange: Exchange, markets: int) -> list[Contest]:
    series = exchange.series(SERIES)
    pages = list(exchange.markets(series_ticker=SERIES))

    def fetch(_: sa.Engine) -> None:
        for _page in exchange.markets(series_ticker=SERIES):
            pass

    def sync(engine: sa.Engine) -> None:
        sync_series(exchange, engine, CatalogRequest(SERIES, datetime.now(UTC), include_historical=False))

    def snapshot(engine: sa.Engine) -> None:
        snapshot_prices(exchange, engine, SnapshotRequest(SERIES, datetime.now(UTC)))

    return [
        Contest(
            "catalog: markets",
            ("written alone, from memory (the reference)", partial(write_markets, series=series, pages=pages)),
            {"fetched alone": fetch, "fetched and written": sync},
            markets,
        ),
        Contest(
            "snapshots of markets never seen: rows",
            ("written alone, from memory (the reference)", partial(write_snapshots, pages=pages)),
            {"fetched and written": snapshot},
            markets,
        ),
        candle_contest(exchange),
    ]


def load_raw(engine: sa.Engine, lines: list[bytes]) -> None:
    """The limit: one LOAD DATA of finished lines straight into an empty copy of the table."""
    columns = ", ".join(f"`{column}`" for column in CANDLE_1M.columns)
    with tempfile.NamedTemporaryFile("wb") as file, engine.begin() as connection:
        file.write(b"\n".join(lines) + b"\n")
        file.flush()
        connection.exec_driver_sql("CREATE TABLE raw LIKE kalshi_candle_1m")
        connection.exec_driver_sql(
            f"LOAD DATA LOCAL INFILE %s INTO TABLE raw CHARACTER SET utf8mb4 ({columns}) SET run_id = 1", (file.name,)
        )


def write_candles(engine: sa.Engine, markets: list[CandleLines]) -> None:
    """The writer alone: finished lines, in transactions as large as the job's."""
    some: list[CandleLines] = []
    for market in [*markets, None]:
        if market:
            some.append(market)
        if not market or sum(len(m.lines) for m in some) >= ROWS_PER_TRANSACTION:
            in_transaction(engine, partial(candles.write_candles, markets=some, run_id=1))
            some = []


def candle_contest(exchange: Exchange) -> Contest:
    """Candles of two weeks of one series, every minute there, from HTTP answers to committed rows."""
    cutoff = exchange.historical_cutoff().markets_settled

    def know_markets(engine: sa.Engine) -> None:
        sync_series(exchange, engine, CatalogRequest(CANDLE_SERIES, cutoff))

    def sync(engine: sa.Engine) -> None:
        request = CandlesRequest(
            CANDLE_SERIES, cutoff, window_start=CANDLES_FROM, window_end=NOON, force=True, dense=False
        )
        sync_candles(exchange, engine, request)

    markets = [f.record for page in exchange.markets(series_ticker=CANDLE_SERIES) for f in page.records]
    alive = [
        AliveMarket(m.ticker, m.event_ticker, m.open_time, m.close_time, False)
        for m in markets
        if m.open_time and m.close_time and m.open_time < NOON and m.close_time > CANDLES_FROM
    ]
    units = plan_units(alive, CANDLES_FROM, NOON)
    answers = [
        found for u in units for batch in batches(u.tickers, u.start, u.end) for found in exchange.candles(*batch)
    ]
    markets_lines = [candles.candle_lines(found) for found in answers]
    lines = [line for market in markets_lines for line in market.lines]
    return Contest(
        "candles: rows",
        ("LOAD DATA into an empty copy (the reference)", partial(load_raw, lines=lines)),
        {"the writer alone, from memory": partial(write_candles, markets=markets_lines), "fetched and written": sync},
        len(lines),
        know_markets,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Markets per second, fetched and written.")
    parser.add_argument("--markets", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    options = ("--requests-per-second=0", f"--wide-markets={args.markets}", "--since=2026-09-01", "--dense-candles")
    with tempfile.TemporaryDirectory() as folder:
        server = private_server.ensure(Path(folder))
        with (
            sandbox_process.running(Path(folder) / "sandbox.log", *options) as base_url,
            Exchange(ExchangeConfig(base_url, requests_per_second=1e6)) as exchange,
        ):
            measured = contests(exchange, args.markets)
            for number in range(args.rounds):
                print(f"round {number + 1} of {args.rounds} …", flush=True)
                for contest in measured:
                    contest.run_round(server)
        private_server.stop(Path(folder))
    for contest in measured:
        print(f"\n{contest.table()}")
    print(f"\nMedian of {args.rounds} rounds; {args.markets:,} markets, {measured[-1].rows:,} candles.")


if __name__ == "__main__":
    main()
