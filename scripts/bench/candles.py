"""Candles: the job's speed next to the server's own limit and to dlt."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import msgspec
import sqlalchemy as sa
from tabulate import tabulate

from kalshi.exchange import Exchange, ExchangeConfig
from kalshi.records.candles import MarketCandles
from kalshi.settings import load_settings
from kalshi.sync.api_candles import ROWS_PER_TRANSACTION
from kalshi.sync.candle_plan import AliveMarket, batches, plan_units
from kalshi.sync.candles import CandlesRequest, sync_candles
from kalshi.sync.catalog import CatalogRequest, sync_catalog
from kalshi.sync.report import together
from kalshi.warehouse import api_candles
from kalshi.warehouse.api_candles import CANDLE_1M, CandleLines
from kalshi.warehouse.server import ServerAddress, in_transaction, load_data, open_engine
from scripts.bench.contest import Contest, Entry, address, fresh_warehouse, peak_megabytes
from scripts.private_server import PrivateServer

SERIES = "KXHIGHNY"
END = datetime(2026, 9, 22, 12, tzinfo=UTC)
START = END - timedelta(days=14)
DLT_PYTHON = Path(".local/bench/bin/python")
DLT_SCRIPT = Path(__file__).with_name("dlt_rival.py")
DLT_ROWS = 10_000
"""dlt gets fewer rows: reloading all of them would take hours."""
FIRST = "fetched over HTTP and written: first load"
AGAIN = "fetched over HTTP and written: the same again"
DLT_FIRST = f"dlt, merge, {DLT_ROWS:,} from memory: first load"
DLT_AGAIN = f"dlt, merge, {DLT_ROWS:,} from memory: the same again"


@dataclass(frozen=True)
class Candles:
    """The candles of the contest, as received and as lines of a load file."""

    answers: list[MarketCandles]
    markets: list[CandleLines]

    @property
    def lines(self) -> list[bytes]:
        return [line for market in self.markets for line in market.lines]


def fetch(exchange: Exchange) -> Candles:
    """Two weeks of one series, a candle for every minute."""
    markets = [f.record for page in exchange.markets(series_ticker=SERIES) for f in page.records]
    alive = [
        AliveMarket(m.ticker, m.event_ticker, SERIES, m.open_time, m.close_time, False)
        for m in sorted(markets, key=lambda m: (m.event_ticker, m.ticker))
        if m.open_time and m.close_time and m.open_time < END and m.close_time > START
    ]
    answers = [
        found
        for unit in plan_units(alive, START, END)
        for batch in batches(unit.tickers, unit.start, unit.end)
        for found in exchange.candles(*batch)
    ]
    return Candles(answers, [api_candles.candle_lines(found) for found in answers])


def contest(exchange: Exchange, server: PrivateServer) -> Contest:
    """The contest, from the server's limit down to dlt."""
    cutoff = exchange.historical_cutoff().markets_settled
    found = fetch(exchange)
    lines = found.lines

    def know_markets(engine: sa.Engine) -> None:
        sync_catalog(exchange, engine, CatalogRequest(SERIES, cutoff))

    def sync(engine: sa.Engine) -> None:
        sync_candles(exchange, engine, CandlesRequest(SERIES, cutoff, window_start=START, window_end=END, force=True))

    def sync_once(engine: sa.Engine) -> None:
        know_markets(engine)
        sync(engine)

    entries = [
        Entry("LOAD DATA into an empty copy (the reference)", partial(load_raw, lines=lines)),
        Entry("our writer alone, from memory", partial(write_candles, markets=found.markets), know_markets),
        Entry(FIRST, sync, know_markets),
        Entry(AGAIN, sync, sync_once),
    ]
    if DLT_PYTHON.exists():
        rows = records(found.answers)[:DLT_ROWS]
        first, again = (partial(run_dlt, server=server, rows=rows, times=times) for times in (1, 2))
        entries += [Entry(DLT_FIRST, first, rows=DLT_ROWS, is_slow=True)]
        entries += [Entry(DLT_AGAIN, again, rows=DLT_ROWS, is_slow=True)]
    return Contest(f"{len(lines):,} candles: rows", entries, len(lines))


def load_raw(engine: sa.Engine, lines: list[bytes]) -> None:
    """The limit: one LOAD DATA of finished lines straight into an empty copy of the table."""
    columns = ", ".join(f"`{column}`" for column in CANDLE_1M.names)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE raw LIKE kalshi_candle_1m")
        load_data(
            connection.connection.cursor(),
            b"\n".join(lines) + b"\n",
            f"LOAD DATA LOCAL INFILE %s INTO TABLE raw CHARACTER SET utf8mb4 ({columns}) SET run_id = 1",
        )


def write_candles(engine: sa.Engine, markets: list[CandleLines]) -> None:
    """The writer alone: finished lines, in transactions as large as the job's."""
    some: list[CandleLines] = []
    for market in markets:
        some.append(market)
        if sum(len(m.lines) for m in some) >= ROWS_PER_TRANSACTION or market is markets[-1]:
            in_transaction(engine, api_candles.write_candles, markets=some, run_id=1)
            some = []


def records(answers: list[MarketCandles]) -> list[dict[str, object]]:
    """The candles as dictionaries with the columns of the table, as a user of dlt would yield them."""
    rows = []
    for answer in answers:
        for candle in msgspec.to_builtins(answer.candles):
            row = {"market_ticker": answer.market_ticker, "bucket_start_utc": candle["end_period_ts"] - 60}
            row |= {f"yes_bid_{name[:-8]}": price for name, price in candle["yes_bid"].items()}
            row |= {f"yes_ask_{name[:-8]}": price for name, price in candle["yes_ask"].items()}
            row |= {f"trade_{name[:-8]}": price for name, price in candle["price"].items()}
            rows.append({**row, "volume": candle["volume_fp"], "open_interest": candle["open_interest_fp"]})
    return rows


def run_dlt(_: sa.Engine, server: PrivateServer, rows: list[dict[str, object]], times: int) -> float:
    """Load ``rows`` with dlt, ``times`` times, in its own environment; returns the seconds of the last load."""
    where = address(server, "bench")
    url = f"mysql+pymysql://{where.user}:{where.password.get_secret_value()}@127.0.0.1:{where.port}/bench"
    with server.as_root() as cursor:  # dlt stages in a separate database
        cursor.execute("DROP DATABASE IF EXISTS bench_staging")
        cursor.execute("GRANT ALL ON bench_staging.* TO 'bench'@'127.0.0.1'")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"url": url, "rows": rows, "times": times}, file)
        file.flush()
        done = subprocess.run([DLT_PYTHON, DLT_SCRIPT, file.name], check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


@dataclass(frozen=True)
class Growth:
    """What one size costs: a fresh process syncs all seven series, one after the other."""

    rows: int
    seconds: float
    peak_megabytes: float
    requests: int
    ideal_requests: int


def growth(exchange_url: str, server: PrivateServer, days: int) -> Growth:
    """Sync the last ``days`` of every configured series into a fresh warehouse, in a process of its own."""
    with fresh_warehouse(server) as engine, ProcessPoolExecutor(1, get_context("spawn")) as pool:
        engine.dispose()
        return pool.submit(_grow, exchange_url, address(server, "bench"), days).result()


def _grow(exchange_url: str, where: ServerAddress, days: int) -> Growth:
    engine = open_engine(where, loads=True)
    with Exchange(ExchangeConfig(exchange_url, requests_per_second=1e6)) as exchange:
        cutoff = exchange.historical_cutoff().markets_settled
        series = load_settings().series_tickers
        for ticker in series:
            sync_catalog(exchange, engine, CatalogRequest(ticker, cutoff, include_historical=False))
        began = time.perf_counter()
        reports = [
            sync_candles(
                exchange,
                engine,
                CandlesRequest(ticker, cutoff, window_start=END - timedelta(days=days), window_end=END),
            )
            for ticker in series
        ]
        seconds = time.perf_counter() - began
    total = together(reports)
    return Growth(total.candles, seconds, peak_megabytes(), total.candle_requests, total.ideal_requests)


def growth_table(sizes: list[Growth]) -> str:
    cells = [
        [f"{g.rows:,}", g.seconds, f"{g.rows / g.seconds:,.0f}", g.peak_megabytes, g.requests, g.ideal_requests]
        for g in sizes
    ]
    headers = ["candles", "seconds", "per second", "peak MB", "requests", "ideal"]
    return tabulate(cells, headers=headers, floatfmt=".1f", colalign=("right",) * 6)


def draw(contest: Contest, sizes: list[Growth], file: Path) -> None:
    """Draw both in one chart: rows per second, and seconds by rows."""
    import altair as alt

    speeds = [{"way": name, "speed": round(speed)} for name, speed in contest.per_second.items()]
    bars = alt.Chart(alt.Data(values=speeds), title="Candles per second").encode(  # type: ignore[no-untyped-call]
        y=alt.Y("way:N", sort=None, title=None, axis=alt.Axis(labelLimit=400)),
        x=alt.X("speed:Q", title=None, scale=alt.Scale(domainMax=max(contest.per_second.values()) * 1.15)),
    )
    labels = bars.mark_text(align="left", dx=4).encode(text=alt.Text("speed:Q", format=","))
    points = alt.Data(values=[{"candles": g.rows, "seconds": g.seconds} for g in sizes])  # type: ignore[no-untyped-call]
    line = (
        alt.Chart(points, title="Seconds, by candles loaded")
        .mark_line(point=True)
        .encode(x=alt.X("candles:Q", title=None, axis=alt.Axis(format="~s")), y=alt.Y("seconds:Q", title=None))
    )
    both = alt.hconcat((bars.mark_bar() + labels).properties(width=380), line.properties(width=260, height=150))
    both.save(file, scale_factor=1.5)
