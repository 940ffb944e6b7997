"""A killed sync resumes where it stopped, and a large one needs little memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeUnavailable, RepeatedCursor, RequestRefused
from kalshi.settings import PROJECT
from kalshi.sync.catalog import CatalogRequest, sync_catalog
from tests.support.databases import count, runs, select, windows
from tests.support.exchange_server import ExchangeServer, quick_config
from tests.sync.catalog import syncing

ARCHIVE = "/trade-api/v2/historical/markets"
ARCHIVE_PAGES = 3


def archive_requests(server: ExchangeServer) -> int:
    return int(server.stats()["by_path"].get(ARCHIVE, 0))


def sync_in_a_process(database: str, server: ExchangeServer, series: str, dag_run_id: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.sync.process", database, server.base_url, series, dag_run_id]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)


def test_a_killed_sync_resumes_with_its_page(
    warehouse_on_both: sa.Engine, warehouse_uri_on_both: str, long_exchange: ExchangeServer
) -> None:
    long_exchange.faults({"kind": "slow", "path": ARCHIVE, "skip": 1, "value": 8})
    before = archive_requests(long_exchange)
    process = sync_in_a_process(warehouse_uri_on_both, long_exchange, "KXHIGHNY", "manual")
    deadline = time.monotonic() + 60
    # The second page counts as asked for before the fault holds it.
    while not select(warehouse_on_both, "SELECT 1 FROM kalshi_checkpoint WHERE progress IS NOT NULL") or (
        archive_requests(long_exchange) < before + 2
    ):
        assert process.poll() is None, "the sync ended before it could be killed"
        assert time.monotonic() < deadline, "the sync never came to the archive's second page"
        time.sleep(0.05)
    process.kill()
    process.communicate()
    assert runs(warehouse_on_both) == ["running"]
    assert windows(warehouse_on_both) == ["RUNNING", "COMPLETE"]
    half = count(warehouse_on_both, "kalshi_market")

    with Exchange(quick_config(long_exchange)) as exchange:
        before = archive_requests(long_exchange)
        report = syncing(exchange, warehouse_on_both)(dag_run_id="manual")
        assert archive_requests(long_exchange) - before == ARCHIVE_PAGES - 1
        assert runs(warehouse_on_both) == ["abandoned", "success"]
        assert windows(warehouse_on_both) == ["COMPLETE", "COMPLETE"]
        assert count(warehouse_on_both, "kalshi_market") == half + report.tables["kalshi_market"].inserted
        whole = syncing(exchange, warehouse_on_both)(full=True)
        assert (whole.inserted, whole.updated) == (0, 0)
        assert whole.markets == count(warehouse_on_both, "kalshi_market") > half


def test_a_failed_sync_resumes_with_its_page(warehouse: sa.Engine, long_exchange: ExchangeServer) -> None:
    with Exchange(quick_config(long_exchange)) as exchange:
        sync = syncing(exchange, warehouse)
        long_exchange.faults({"kind": "http_500", "path": ARCHIVE, "skip": 2, "times": 4})
        with pytest.raises(ExchangeUnavailable, match="HTTP 500"):
            sync()
        assert windows(warehouse) == ["FAILED", "COMPLETE"]
        before = archive_requests(long_exchange)
        assert sync().state == "success"
        assert archive_requests(long_exchange) - before == 1
        assert windows(warehouse) == ["COMPLETE", "COMPLETE"]
        assert sync(full=True).inserted == 0


@pytest.mark.parametrize("kind", ["http_400", "repeated_cursor"])
def test_a_sync_whose_cursor_was_refused_or_led_back_begins_anew(
    warehouse: sa.Engine, long_exchange: ExchangeServer, kind: str
) -> None:
    with Exchange(quick_config(long_exchange)) as exchange:
        sync = syncing(exchange, warehouse)
        long_exchange.faults({"kind": kind, "path": ARCHIVE, "skip": 1})
        with pytest.raises((RequestRefused, RepeatedCursor)):
            sync()
        before = archive_requests(long_exchange)
        assert sync().state == "success"
        assert archive_requests(long_exchange) - before == ARCHIVE_PAGES


def test_a_sync_that_failed_an_hour_ago_does_not_go_on_from_its_old_cursor(
    warehouse: sa.Engine, long_exchange: ExchangeServer
) -> None:
    with Exchange(quick_config(long_exchange)) as exchange:
        sync = syncing(exchange, warehouse)
        long_exchange.faults({"kind": "http_500", "path": ARCHIVE, "skip": 2, "times": 4})
        with pytest.raises(ExchangeUnavailable, match="HTTP 500"):
            sync()
        with warehouse.begin() as connection:
            query = "SELECT progress FROM kalshi_checkpoint WHERE progress IS NOT NULL"
            reached = json.loads(connection.execute(sa.text(query)).scalar_one())
            reached["at"] = (datetime.fromisoformat(reached["at"]) - timedelta(hours=1)).isoformat()
            change = sa.text("UPDATE kalshi_checkpoint SET progress = :progress WHERE progress IS NOT NULL")
            connection.execute(change, {"progress": json.dumps(reached)})
        before = archive_requests(long_exchange)
        assert sync().state == "success"
        assert archive_requests(long_exchange) - before == ARCHIVE_PAGES


def test_a_failed_sync_of_a_complete_series_resumes_with_its_page(
    warehouse: sa.Engine, long_exchange: ExchangeServer
) -> None:
    with Exchange(quick_config(long_exchange)) as exchange:
        sync = syncing(exchange, warehouse)
        assert sync().state == "success"
        long_exchange.faults({"kind": "http_500", "path": ARCHIVE, "skip": 2, "times": 4})
        with pytest.raises(ExchangeUnavailable, match="HTTP 500"):
            sync(full=True)
        before = archive_requests(long_exchange)
        assert sync().state == "success", "it is not complete any more, so it needs no full"
        assert archive_requests(long_exchange) - before == 1


def test_a_capped_archive_begins_anew(warehouse: sa.Engine, long_exchange: ExchangeServer) -> None:
    with Exchange(quick_config(long_exchange)) as exchange:
        sync = syncing(exchange, warehouse)
        assert sync(max_pages=1).state == "warning"
        before = archive_requests(long_exchange)
        assert sync().state == "success"
        assert archive_requests(long_exchange) - before == ARCHIVE_PAGES
        assert sync(full=True).inserted == 0


def test_each_run_reports_its_own_requests(warehouse: sa.Engine, exchange: Exchange) -> None:
    cutoff = exchange.historical_cutoff().markets_settled
    request = CatalogRequest("KXSANDBOXWIDE", cutoff, include_historical=False)
    reports = [sync_catalog(exchange, warehouse, request) for _ in range(2)]
    assert [report.requests for report in reports] == [1 + 1 + 3] * 2  # the series, its events, its markets


def test_a_hundred_thousand_markets_fit_into_little_memory(warehouse: sa.Engine, warehouse_uri: str) -> None:
    arguments = ("--wide-markets=100000", "--since=2026-09-01", "--requests-per-second=0")
    with ExchangeServer(*arguments) as server:
        process = sync_in_a_process(warehouse_uri, server, "KXSANDBOXWIDE", "manual")
        figures = json.loads(process.communicate(timeout=300)[0])
    print(figures)
    assert count(warehouse, "kalshi_market") == 100_000
    assert figures["inserted"] == 100_002
    assert figures["peak_megabytes"] < 400
