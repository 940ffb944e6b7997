"""The trades sync against the sandbox: every trade once, from both tiers, resumable."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qsl

import pytest
import requests
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeUnavailable
from kalshi.exchange.client import TRADES
from kalshi.exchange.transport import SYNTHETIC
from kalshi.sync.market_trades import TradesReport
from kalshi.sync.run import TooManyRejected
from kalshi.sync.trades import TradesRequest, sync_trades
from tests.support.databases import count, select
from tests.support.exchange_server import ExchangeServer, quick_config

DAY = timedelta(days=1)
SEP_20 = datetime(2026, 9, 20, tzinfo=UTC)
ORPHANS = """
SELECT t.trade_id FROM kalshi_trade t LEFT JOIN kalshi_market m ON m.market_ticker = t.market_ticker
LEFT JOIN kalshi_event e ON e.event_ticker = m.event_ticker WHERE e.event_ticker IS NULL
"""


class Trades(Protocol):
    def __call__(self, start: datetime, end: datetime, series: str = ..., **others: Any) -> TradesReport: ...


def trading(exchange: Exchange, engine: sa.Engine) -> Trades:
    def trades(start: datetime, end: datetime, series: str = "KXHIGHNY", **others: Any) -> TradesReport:
        cutoff = exchange.historical_cutoff()
        request = TradesRequest(
            series, cutoff.markets_settled, cutoff.trades_created, window_start=start, window_end=end, **others
        )
        return sync_trades(exchange, engine, request)

    return trades


@pytest.fixture
def trades(exchange: Exchange, warehouse: sa.Engine) -> Trades:
    return trading(exchange, warehouse)


def listed(server: ExchangeServer, start: datetime, end: datetime, *paths: str) -> Iterator[dict[str, Any]]:
    """Every trade of KXHIGHNY that the exchange lists at these paths and times, once."""
    seen = set()
    for path in paths:
        cursor: str | None = None
        while cursor != "":
            bounds = {"min_ts": int(start.timestamp()), "max_ts": int(end.timestamp())}
            answer = server.get(path, limit=1000, cursor=cursor, **bounds).json()
            cursor = answer["cursor"]
            for trade in answer["trades"]:
                if trade["ticker"].startswith("KXHIGHNY-") and trade["trade_id"] not in seen:
                    seen.add(trade["trade_id"])
                    yield trade


def stored(engine: sa.Engine, start: datetime, end: datetime) -> dict[str, dict[str, Any]]:
    rows = select(
        engine,
        f"SELECT * FROM kalshi_trade WHERE executed_at_utc >= '{start:%Y-%m-%d %H:%M:%S}' "
        f"AND executed_at_utc <= '{end:%Y-%m-%d %H:%M:%S}'",
    )
    return {row["trade_id"]: row for row in rows}


def test_a_fresh_database_gets_every_trade_of_the_day_with_its_parents(
    exchange: Exchange, warehouse_on_both: sa.Engine, exchange_server: ExchangeServer
) -> None:
    report = trading(exchange, warehouse_on_both)(SEP_20, SEP_20 + DAY)
    assert report.state == "success"
    there = {t["trade_id"]: t for t in listed(exchange_server, SEP_20, SEP_20 + DAY, "/markets/trades")}
    rows = stored(warehouse_on_both, SEP_20, SEP_20 + DAY)
    assert rows.keys() == there.keys()
    assert len(rows) > 50
    for trade_id, trade in there.items():
        row = rows[trade_id]
        assert row["market_ticker"] == trade["ticker"]
        assert row["yes_price"] == Decimal(trade["yes_price_dollars"])
        assert row["count"] == Decimal(trade["count_fp"])
        assert row["taker_side"] == trade["taker_outcome_side"]
        assert bool(row["is_block_trade"]) is trade["is_block_trade"]
        assert row["executed_at_utc"] == datetime.fromisoformat(trade["created_time"]).replace(tzinfo=None)
    assert select(warehouse_on_both, ORPHANS) == []


def test_complete_days_are_not_read_again_unless_forced(trades: Trades, warehouse: sa.Engine) -> None:
    trades(SEP_20, SEP_20 + DAY)
    before = count(warehouse, "kalshi_trade")
    again = trades(SEP_20, SEP_20 + DAY)
    assert again.requests == 0
    forced = trades(SEP_20, SEP_20 + DAY, force=True)
    assert forced.trades > 50
    assert (forced.inserted, forced.updated) == (0, 0)
    assert count(warehouse, "kalshi_trade") == before


def test_a_window_across_the_cutoff_comes_from_both_tiers_without_a_double(
    exchange: Exchange, trades: Trades, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    cutoff = exchange.historical_cutoff().trades_created
    assert cutoff
    start, end = cutoff - 2 * DAY, cutoff + 2 * DAY
    trades(start, end)
    there = {t["trade_id"] for t in listed(exchange_server, start, end, "/markets/trades", "/historical/trades")}
    assert stored(warehouse, start, end).keys() == there


def test_a_cutoff_that_has_moved_past_the_window_since_it_was_read_costs_no_trade(
    exchange: Exchange, trades: Trades, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    cutoff = exchange.historical_cutoff().trades_created
    assert cutoff
    exchange_server.faults({"kind": "moved_cutoff", "path": "/cutoff", "value": -12, "times": 99})
    start, end = cutoff - DAY / 2, cutoff - timedelta(seconds=1)
    assert trades(start, end).state == "success"
    there = {t["trade_id"] for t in listed(exchange_server, start, end, "/historical/trades")}
    assert len(there) > 5
    assert stored(warehouse, start, end).keys() == there


class _Exclusive(BaseHTTPRequestHandler):
    """Passes everything on to ``origin``, to which the bounds of a list of trades don't belong to what is asked for."""

    origin: ClassVar[str]

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        asked = dict(parse_qsl(query))
        inside = {
            name: str(int(asked[name]) + step) for name, step in {"min_ts": 1, "max_ts": -1}.items() if name in asked
        }
        answer = requests.get(self.origin + path, params={**asked, **inside}, timeout=10)
        self.send_response_only(answer.status_code)
        for name in ("Date", SYNTHETIC):
            self.send_header(name, answer.headers[name])
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_: object) -> None:
        pass


def test_trades_at_the_edges_are_read_whether_or_not_the_exchange_counts_the_bounds_in(
    warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    there = {
        t["trade_id"]: datetime.fromisoformat(t["created_time"]).replace(microsecond=0)
        for t in listed(exchange_server, SEP_20, SEP_20 + DAY, "/markets/trades")
    }
    start, end = min(there.values()), max(there.values()) + timedelta(seconds=1)
    _Exclusive.origin = exchange_server.origin
    with HTTPServer(("127.0.0.1", 0), _Exclusive) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        config = replace(quick_config(exchange_server), base_url=f"http://127.0.0.1:{server.server_port}/trade-api/v2")
        with Exchange(config) as exchange:
            assert trading(exchange, warehouse)(start, end).state == "success"
        server.shutdown()
    assert stored(warehouse, start, end).keys() == there.keys()


def test_an_incremental_run_resumes_where_the_last_one_ended(trades: Trades, warehouse: sa.Engine) -> None:
    trades(SEP_20, SEP_20 + timedelta(hours=1), incremental=True)
    report = trades(SEP_20 + timedelta(hours=8), SEP_20 + timedelta(hours=9), incremental=True)
    assert report.from_utc == SEP_20, "the end of the last window, less an hour of overlap"
    assert report.warnings == []


def test_after_a_long_pause_runs_fill_the_days_between_and_warn_until_all_are_there(
    trades: Trades, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    first = SEP_20 - 45 * DAY
    trades(first, first + timedelta(hours=1), incremental=True)
    for hour in range(6):
        start = SEP_20 + timedelta(hours=hour)
        report = trades(start, start + timedelta(hours=1), incremental=True)
        if report.state == "success":
            break
        assert "gaps left in the trades of KXHIGHNY" in report.warnings[0]
        assert "(no run came)" in report.warnings[0]
    assert 0 < hour < 5, "a run fills a bounded number of days"
    there = {t["trade_id"] for t in listed(exchange_server, first, start, "/markets/trades", "/historical/trades")}
    assert stored(warehouse, first, start).keys() == there


def test_a_day_read_by_hand_does_not_hide_a_gap_before_it(trades: Trades) -> None:
    trades(SEP_20 - 3 * DAY, SEP_20 - 2 * DAY)
    trades(SEP_20 - DAY, SEP_20)
    report = trades(SEP_20, SEP_20 + timedelta(hours=1), incremental=True)
    assert report.from_utc == SEP_20 - 2 * DAY - timedelta(hours=1)
    assert report.warnings == []


def test_a_range_that_lies_ahead_is_refused(trades: Trades) -> None:
    with pytest.raises(ValueError, match="is in the future"):
        trades(datetime.now(UTC) + DAY, datetime.now(UTC) + 2 * DAY)


def test_too_many_rejected_records_are_read_again_by_the_next_run(
    trades: Trades, exchange_server: ExchangeServer, warehouse: sa.Engine
) -> None:
    exchange_server.faults({"kind": "malformed_market", "path": "/markets$", "times": 99})
    for _ in range(2):
        with pytest.raises(TooManyRejected):
            trades(SEP_20, SEP_20 + DAY, "KXSANDBOXODD")
    assert {row["state"] for row in select(warehouse, "SELECT state FROM kalshi_checkpoint")} == {"FAILED"}
    exchange_server.faults()
    assert trades(SEP_20, SEP_20 + DAY, "KXSANDBOXODD").state == "success"


def test_a_failed_run_resumes_with_the_market_where_it_stopped(
    trades: Trades, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    exchange_server.faults({"kind": "http_500", "path": "/markets/trades", "skip": 6, "times": 99})
    with pytest.raises(ExchangeUnavailable, match="HTTP 500"):
        trades(SEP_20, SEP_20 + DAY)
    (window,) = select(warehouse, "SELECT state, error FROM kalshi_checkpoint WHERE job = 'trades'")
    assert window["state"] == "FAILED"
    assert "HTTP 500" in window["error"]
    exchange_server.faults()
    report = trades(SEP_20, SEP_20 + DAY)
    assert report.requests == report.markets - 6
    there = {t["trade_id"] for t in listed(exchange_server, SEP_20, SEP_20 + DAY, "/markets/trades")}
    assert stored(warehouse, SEP_20, SEP_20 + DAY).keys() == there


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_run_that_failed_amid_a_market_s_pages_reads_all_of_them(
    trades: Trades, warehouse: sa.Engine, exchange_server: ExchangeServer, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    monkeypatch.setattr("kalshi.exchange.client.TRADES", replace(TRADES, limit=2))
    exchange_server.faults({"kind": "http_500", "path": "/markets/trades", "skip": 6 + pages, "times": 4})
    with pytest.raises(ExchangeUnavailable, match="HTTP 500"):
        trades(SEP_20, SEP_20 + DAY)
    assert trades(SEP_20, SEP_20 + DAY).state == "success"
    there = {t["trade_id"] for t in listed(exchange_server, SEP_20, SEP_20 + DAY, "/markets/trades")}
    assert stored(warehouse, SEP_20, SEP_20 + DAY).keys() == there


def test_a_market_whose_trades_neither_tier_knows_is_missed_until_one_does(
    trades: Trades, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    exchange_server.faults({"kind": "http_404", "path": "/(markets|historical)/trades$", "times": 2})
    report = trades(SEP_20, SEP_20 + DAY)
    (gap,) = select(warehouse, "SELECT market_ticker, reason FROM kalshi_gap WHERE job = 'trades'")
    assert (report.state, gap["reason"]) == ("warning", "neither tier knows the market")
    assert gap["market_ticker"] in report.warnings[0]
    exchange_server.faults()
    assert trades(SEP_20, SEP_20 + DAY).state == "success"
    there = {t["trade_id"] for t in listed(exchange_server, SEP_20, SEP_20 + DAY, "/markets/trades")}
    assert stored(warehouse, SEP_20, SEP_20 + DAY).keys() == there


def test_a_market_that_one_tier_does_not_know_is_read_from_the_other(
    trades: Trades, exchange: Exchange, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    start = exchange.historical_cutoff().trades_created
    assert start
    end = start + DAY / 2  # so close to the cutoff that both tiers are asked
    exchange_server.faults({"kind": "http_404", "path": "/historical/trades$", "times": 99})
    assert trades(start, end).state == "success"
    there = {t["trade_id"] for t in listed(exchange_server, start, end, "/markets/trades")}
    assert stored(warehouse, start, end).keys() == there


def test_a_window_never_ends_in_the_future(trades: Trades) -> None:
    report = trades(SEP_20, datetime.now(UTC) + 30 * DAY, "KXSANDBOXODD")
    assert report.to_utc and report.to_utc <= datetime.now(UTC)


def test_two_runs_at_the_same_time_leave_the_rows_of_one(warehouse: sa.Engine, exchange_server: ExchangeServer) -> None:
    def run(number: int) -> TradesReport:
        with Exchange(quick_config(exchange_server)) as exchange:
            return trading(exchange, warehouse)(SEP_20, SEP_20 + DAY, dag_run_id=f"run {number}", force=True)

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(run, range(2)))
    assert [r.state for r in reports] == ["success", "success"]
    there = {t["trade_id"] for t in listed(exchange_server, SEP_20, SEP_20 + DAY, "/markets/trades")}
    assert stored(warehouse, SEP_20, SEP_20 + DAY).keys() == there


def test_requested_days_without_a_market_end_with_a_warning_that_names_others(trades: Trades) -> None:
    march = datetime(2026, 3, 1, tzinfo=UTC)
    report = trades(march, march + DAY, by_hand=True)
    assert (report.state, report.markets) == ("warning", 0)
    assert report.warnings == [
        "No market of KXHIGHNY was open from 2026-03-01 00:00 to 2026-03-02 00:00 UTC, so there was nothing to read: "
        "the first after that opens at 2026-03-31 14:00."
    ]
    assert trades(march, march + DAY, by_hand=True).warnings == report.warnings, "complete by now, still empty"
    assert trades(march, march + DAY).state == "success", "a schedule has quiet days"
    assert trades(SEP_20, SEP_20 + DAY, by_hand=True).state == "success"
