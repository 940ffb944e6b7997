"""Price snapshots against the sandbox: one row per open market and time, parents first."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.sync.snapshots import FutureSnapshot, SnapshotRequest, SnapshotsReport, prune_snapshots, snapshot_prices
from tests.support.databases import count, runs, select
from tests.support.exchange_server import ExchangeServer, quick_config
from tests.sync.catalog import Sync


class Snapshot(Protocol):
    def __call__(self, series: str = ..., at: datetime | None = ..., **others: Any) -> SnapshotsReport: ...


def snapshotting(exchange: Exchange, engine: sa.Engine) -> Snapshot:
    def snapshot(series: str = "KXHIGHNY", at: datetime | None = None, **others: Any) -> SnapshotsReport:
        return snapshot_prices(exchange, engine, SnapshotRequest(series, at or datetime.now(UTC), **others))

    return snapshot


@pytest.fixture
def snapshot(exchange: Exchange, warehouse: sa.Engine) -> Snapshot:
    return snapshotting(exchange, warehouse)


def test_a_fresh_database_gets_every_open_market_as_the_exchange_quotes_it(
    exchange: Exchange, warehouse_on_both: sa.Engine, exchange_server: ExchangeServer
) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    report = snapshotting(exchange, warehouse_on_both)(at=at)
    listed = exchange_server.get("/markets", series_ticker="KXHIGHNY", status="open").json()["markets"]
    assert report.state == "success"
    assert report.markets == len(listed) == 12
    rows = {row["market_ticker"]: row for row in select(warehouse_on_both, "SELECT * FROM kalshi_price_snapshot")}
    for market in listed:
        row = rows[market["ticker"]]
        assert row["snapshot_at_utc"] == at.replace(tzinfo=None)
        for column, name in (("yes_bid", "yes_bid_dollars"), ("yes_ask", "yes_ask_dollars"), ("volume", "volume_fp")):
            assert row[column] == Decimal(market[name])
    placeholders = "SELECT is_placeholder FROM kalshi_market UNION ALL SELECT is_placeholder FROM kalshi_event"
    assert {row["is_placeholder"] for row in select(warehouse_on_both, placeholders)} == {1}


def test_the_catalog_sync_turns_placeholders_into_markets(snapshot: Snapshot, sync: Sync, warehouse: sa.Engine) -> None:
    snapshot()
    sync()
    for table in ("kalshi_series", "kalshi_event", "kalshi_market"):
        assert select(warehouse, f"SELECT 1 FROM {table} WHERE is_placeholder") == []


def test_the_same_time_again_adds_nothing_and_keeps_what_was_seen_first(
    snapshot: Snapshot, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    at = datetime.now(UTC)
    snapshot(at=at)
    before = select(warehouse, "SELECT * FROM kalshi_price_snapshot ORDER BY market_ticker")
    moved = {"ticker": before[0]["market_ticker"], "yes_bid_dollars": "0.0100"}
    exchange_server.faults({"kind": "set_market", "value": moved, "times": 99})
    again = snapshot(at=at)
    assert (again.inserted, again.updated) == (0, 0)
    assert select(warehouse, "SELECT * FROM kalshi_price_snapshot ORDER BY market_ticker") == before
    snapshot(at=at + timedelta(minutes=5))
    assert count(warehouse, "kalshi_price_snapshot") == 2 * len(before)


def test_an_empty_book_is_stored_as_it_is_and_marked(snapshot: Snapshot, warehouse: sa.Engine) -> None:
    report = snapshot("KXSANDBOXODD")
    (row,) = select(warehouse, "SELECT yes_bid, yes_ask, is_empty_book FROM kalshi_price_snapshot")
    assert (row["yes_bid"], row["yes_ask"], row["is_empty_book"]) == (0, 1, 1)
    assert report.empty_books == 1


def test_a_star_snapshots_the_whole_exchange(snapshot: Snapshot, warehouse: sa.Engine) -> None:
    report = snapshot("*")
    assert report.markets == 7 * 12 + 2500 + 1
    assert count(warehouse, "kalshi_price_snapshot") == report.markets
    series = {row["series_ticker"] for row in select(warehouse, "SELECT series_ticker FROM kalshi_series")}
    assert {"KXHIGHNY", "KXSANDBOXWIDE", "KXSANDBOXODD"} <= series


def test_a_snapshot_that_comes_late_says_so(snapshot: Snapshot, warehouse: sa.Engine) -> None:
    at = datetime.now(UTC) - timedelta(hours=2)
    report = snapshot(at=at)
    assert report.state == "warning"
    assert "120 minutes" in report.warnings[0]
    (row,) = select(warehouse, "SELECT MIN(observed_at_utc) AS seen FROM kalshi_price_snapshot")
    assert row["seen"] > at.replace(tzinfo=None) + timedelta(hours=1)


def test_prices_of_today_are_never_stored_under_a_future_time(snapshot: Snapshot, warehouse: sa.Engine) -> None:
    at = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(FutureSnapshot, match=r"lies 1,440 minutes in the future.*choose a time that has come"):
        snapshot(at=at)
    assert count(warehouse, "kalshi_price_snapshot") == 0
    assert runs(warehouse) == ["failed"]
    assert snapshot(at=datetime.now(UTC) + timedelta(minutes=4)).state == "success", "clocks differ a little"


def test_a_malformed_market_is_rejected_and_the_others_are_there(
    snapshot: Snapshot, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    exchange_server.faults({"kind": "malformed_market", "path": "/markets"})
    report = snapshot("KXSANDBOXWIDE")
    assert report.rejected == count(warehouse, "kalshi_rejected_record") == 1
    assert count(warehouse, "kalshi_price_snapshot") == 2499


def test_two_runs_at_the_same_time_leave_the_rows_of_one(warehouse: sa.Engine, exchange_server: ExchangeServer) -> None:
    at = datetime.now(UTC)

    def run(_: int) -> SnapshotsReport:
        with Exchange(quick_config(exchange_server)) as exchange:
            return snapshotting(exchange, warehouse)("KXSANDBOXWIDE", at=at)

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(run, range(2)))
    assert [report.state for report in reports] == ["success", "success"]
    assert count(warehouse, "kalshi_price_snapshot") == count(warehouse, "kalshi_market") == 2500


def test_pruning_counts_first_and_deletes_only_what_is_old(snapshot: Snapshot, warehouse: sa.Engine) -> None:
    now = datetime.now(UTC)
    snapshot(at=now - timedelta(days=10))
    snapshot(at=now)
    oldest = now - timedelta(days=5)
    assert prune_snapshots(warehouse, oldest, dry_run=True) == 12
    assert count(warehouse, "kalshi_price_snapshot") == 24
    assert prune_snapshots(warehouse, oldest, dry_run=False) == 12
    assert prune_snapshots(warehouse, oldest, dry_run=False) == 0
    assert count(warehouse, "kalshi_price_snapshot") == 12


def test_fifty_thousand_open_markets_fit_into_little_memory(warehouse_uri: str, warehouse: sa.Engine) -> None:
    script = (
        "import json, sys; sys.path.insert(0, 'plugins')\n"
        "from datetime import UTC, datetime\n"
        "from kalshi.exchange import Exchange, ExchangeConfig\n"
        "from kalshi.sync.snapshots import SnapshotRequest, snapshot_prices\n"
        "from kalshi.warehouse.server import open_engine\n"
        "from scripts.address import address_of\n"
        "from tests.support.processes import peak_megabytes\n"
        "with Exchange(ExchangeConfig(sys.argv[2], requests_per_second=10_000)) as exchange:\n"
        "    request = SnapshotRequest('KXSANDBOXWIDE', datetime.now(UTC))\n"
        "    report = snapshot_prices(exchange, open_engine(address_of(sys.argv[1]), loads=True), request)\n"
        "print(json.dumps([report.markets, report.pages, peak_megabytes()]))\n"
    )
    with ExchangeServer("--wide-markets=50000", "--since=2026-09-01", "--requests-per-second=0") as server:
        command = [sys.executable, "-c", script, warehouse_uri, server.base_url]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    markets, pages, megabytes = json.loads(done.stdout)
    assert megabytes < 400
    assert (markets, pages) == (50_000, 50)
    assert count(warehouse, "kalshi_price_snapshot") == 50_000


def test_a_snapshot_by_hand_of_a_series_without_open_markets_warns(warehouse: sa.Engine) -> None:
    with ExchangeServer("--since=2026-09-25", "--wide-markets=0") as server, Exchange(quick_config(server)) as exchange:
        snapshot = snapshotting(exchange, warehouse)
        report = snapshot(by_hand=True)
        assert (report.state, report.warnings) == (
            "warning",
            ["No market of KXHIGHNY is open at the moment, so there was no price to snapshot."],
        )
        assert snapshot().state == "success", "a schedule has quiet times"
