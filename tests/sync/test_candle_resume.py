"""A candle backfill that is killed repeatedly has the rows of an undisturbed one, and requests nothing twice."""

from __future__ import annotations

import json
import multiprocessing
import random
import re
import signal
from collections import Counter
from datetime import UTC, datetime
from time import monotonic

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeConfig
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.content import content
from tests.support.databases import select
from tests.support.exchange_server import ExchangeServer
from tests.sync.candles import reading
from tests.sync.catalog import syncing

KILLS = 50
SEED = 4
WINDOW = datetime(2026, 6, 5, tzinfo=UTC), datetime(2026, 7, 3, tzinfo=UTC)
"""Across the cutoff: archived events with a request per market, and live ones with two batches each."""
IN_FLIGHT = 18
"""Requests that a kill may cost: those of an event not yet finished, and of the answers read ahead."""
FORK = multiprocessing.get_context("fork")


def backfill(database: str, base_url: str) -> None:
    """Run in a process forked from this one, which has imported everything; it opens its own connections."""
    with Exchange(ExchangeConfig(base_url, requests_per_second=10_000)) as exchange:
        reading(exchange, open_engine(address_of(database), loads=True))(*WINDOW, dag_run_id="manual")


def run_for(seconds: float | None, database: str, base_url: str) -> bool:
    """Run the backfill and kill it after ``seconds``. Whether it came to its end before that."""
    process = FORK.Process(target=backfill, args=(database, base_url))
    process.start()
    process.join(seconds)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), "it ended with an error of its own"
    return process.exitcode == 0


def requests_by_path(server: ExchangeServer) -> Counter[str]:
    """The requests for candles so far; those of archived markets have the ticker in their path."""
    return Counter({p: n for p, n in server.stats()["by_path"].items() if p.endswith("/candlesticks")})


def finished_events(engine: sa.Engine) -> set[str]:
    """The events up to the one that the checkpoint of the backfill names as finished."""
    found = select(engine, "SELECT progress FROM kalshi_checkpoint WHERE job = 'candles'")
    last = max((json.loads(row["progress"])["event"] for row in found if row["progress"]), default="")
    events = select(engine, f"SELECT event_ticker FROM kalshi_event WHERE event_ticker <= '{last}'")
    return {row["event_ticker"] for row in events}


def halves(engine: sa.Engine) -> dict[str, int]:
    """The rows of each partly stored event, which is read again: none if the backfill is complete."""
    if select(engine, "SELECT 1 FROM kalshi_checkpoint WHERE job = 'candles' AND state = 'COMPLETE'"):
        return {}
    rows = select(
        engine,
        "SELECT event_ticker, COUNT(*) AS n FROM kalshi_candle_1m JOIN kalshi_market USING (market_ticker) GROUP BY 1",
    )
    finished = finished_events(engine)
    return {row["event_ticker"]: row["n"] for row in rows if row["event_ticker"] not in finished}


def forget_candles(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM kalshi_candle_1m"))
        connection.execute(sa.text("DELETE FROM kalshi_checkpoint WHERE job = 'candles'"))


def test_fifty_kills_cost_no_minute_and_double_none(
    warehouse: sa.Engine,
    warehouse_uri: str,
    exchange: Exchange,
    exchange_server: ExchangeServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kalshi.sync.api_candles.ROWS_PER_TRANSACTION", 1_000)  # about an event's
    syncing(exchange, warehouse)()
    began, before = monotonic(), requests_by_path(exchange_server)
    assert run_for(None, warehouse_uri, exchange_server.base_url)
    whole_time, whole = monotonic() - began, content(warehouse)
    needed = requests_by_path(exchange_server) - before
    assert needed.total() > 100

    dice, kills, rounds = random.Random(SEED), 0, 0
    while kills < KILLS:  # a backfill that gets through is followed by another one
        forget_candles(warehouse)
        began_with, killed, ended = requests_by_path(exchange_server), 0, False
        while kills + killed < KILLS and not ended:
            ended = run_for(dice.uniform(0, whole_time / 10), warehouse_uri, exchange_server.base_url)
            killed += not ended
        finished, before = finished_events(warehouse), requests_by_path(exchange_server)
        rows_before, in_part = content(warehouse)[0], halves(warehouse)
        assert run_for(None, warehouse_uri, exchange_server.base_url)
        last = requests_by_path(exchange_server) - before

        told = f"seed {SEED}, round {rounds}, after {killed} kills"
        assert content(warehouse) == whole, told
        (run,) = select(warehouse, "SELECT inserted, unchanged FROM kalshi_sync_run ORDER BY run_id DESC LIMIT 1")
        assert (run["inserted"], run["unchanged"]) == (whole[0] - rows_before, sum(in_part.values())), told
        assert len(in_part) <= 1, f"{told}: only one event can be written in part"
        states = select(warehouse, "SELECT state FROM kalshi_checkpoint WHERE job = 'candles'")
        assert [row["state"] for row in states] == ["COMPLETE"], told
        for path, times in last.items():
            assert times <= needed[path], f"{told}: {path}"
            event = re.search(r"/historical/markets/(\w+-\w+)-", path)
            assert not event or event[1] not in finished, f"{told}: {path} was finished already"
        wasted = (requests_by_path(exchange_server) - began_with - needed).total()
        assert wasted <= IN_FLIGHT * killed, told
        kills, rounds = kills + killed, rounds + 1

    states = select(warehouse, "SELECT DISTINCT state FROM kalshi_sync_run WHERE job = 'candles' ORDER BY state")
    assert [row["state"] for row in states] == ["abandoned", "success"]
