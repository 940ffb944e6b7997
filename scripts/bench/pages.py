"""The pages: seconds and bytes of a first view, by the rows of history in the table."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass

import sqlalchemy as sa
from fastapi.testclient import TestClient
from tabulate import tabulate

from kalshi.warehouse.portfolio import match_fills
from kalshi.warehouse.server import in_transaction
from scripts.backends import WAREHOUSE
from scripts.bench.contest import fresh_warehouse
from scripts.bench.quality import DAY, EVENT_ROWS, NEWEST, SERIES, add_days, prepare, seconds_of
from scripts.pages_client import logged_in
from scripts.private_server import PrivateServer

CHECKED_DAYS = 3
"""The newest days, which a quality run has checked."""
EVENT = f"event/{SERIES[0]}-{NEWEST:%Y-%m-%d}"
FILLS = """
INSERT INTO kalshi_fill (fill_id, market_ticker, subaccount, action, side, outcome, quantity, price, yes_price,
  no_price, total_cost, fee_cost, executed_at_utc, run_id)
SELECT CONCAT(m.market_ticker, '-', n.seq), m.market_ticker, 0, 'buy', side.side, side.side, 10 + n.seq, 0.42, 0.42,
  0.58, 4.2, 0.07, m.open_time_utc + INTERVAL 3 * n.seq HOUR, 1
FROM kalshi_market m JOIN bracket n ON n.seq < 4 JOIN (SELECT 'yes' AS side UNION SELECT 'no') side
  ON side.side = IF(n.seq % 2, 'no', 'yes')
WHERE m.market_ticker LIKE '%-2' AND m.market_ticker NOT IN (SELECT market_ticker FROM kalshi_fill)
"""
"""Four fills in one bracket of every event."""


@dataclass(frozen=True)
class View:
    """One page, seen for the first time and again."""

    page: str
    candles: int
    first_seconds: float
    seconds: float
    kilobytes: float


def measure(server: PrivateServer, sizes: list[int]) -> str:
    """The table: each page on each size of ``kalshi_candle_1m``, in candles."""
    views: list[View] = []
    there = 0
    with fresh_warehouse(server) as engine:
        prepare(engine)
        for size in sorted(sizes):
            wanted = max(CHECKED_DAYS, round(size / EVENT_ROWS))
            add_days(engine, NEWEST + DAY - there * DAY, wanted - there)
            in_transaction(engine, _trade)
            there = wanted
            checked = seconds_of(engine, CHECKED_DAYS)
            with engine.begin() as connection:
                connection.exec_driver_sql("ANALYZE TABLE kalshi_candle_1m, kalshi_market, kalshi_settlement")
            views += _views(server.database("bench"), there * EVENT_ROWS)
            words = f"the quality run of the newest {CHECKED_DAYS} days took {checked:.1f} s"
            print(f"pages: {there * EVENT_ROWS:,} candles in the table; {words} …", flush=True)
    rows = [
        [f"/{view.page}", f"{view.candles:,}", 1000 * view.first_seconds, 1000 * view.seconds, view.kilobytes]
        for view in sorted(views, key=lambda view: (view.page, view.candles))
    ]
    headers = ["page", "candles in the table", "first view, ms", "again, ms", "KB"]
    return tabulate(rows, headers=headers, floatfmt=".0f", colalign=("left", *["right"] * 4))


def _trade(connection: sa.Connection) -> None:
    """Add the fills of an account that trades every event."""
    connection.exec_driver_sql(FILLS.replace("%", "%%"))
    match_fills(connection, 1)


def _views(uri: str, candles: int) -> list[View]:
    """Every page, without Airflow around it, for a user who is logged in."""
    from kalshi.ui.rendering import MENU

    os.environ[WAREHOUSE] = uri
    with logged_in() as client:
        logging.disable(logging.INFO)
        return [_view(client, page, candles) for page in (*MENU, EVENT)]


def _view(client: TestClient, page: str, candles: int) -> View:
    seconds, size = [], 0
    for _ in range(3):
        began = time.perf_counter()
        answer = client.get(f"/{page}")
        seconds.append(time.perf_counter() - began)
        answer.raise_for_status()
        size = len(answer.content)
    return View(page, candles, seconds[0], min(seconds[1:]), size / 1024)
