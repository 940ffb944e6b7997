"""The catalog sync with faults: bad records don't stop good ones, and nothing is silently missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.exchange import ExchangeUnavailable, RepeatedCursor, RequestRefused
from kalshi.sync.run import TooManyRejected
from kalshi.warehouse import gaps
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.gaps import Gap
from kalshi.warehouse.server import in_transaction
from tests.support.databases import count, runs, select, windows
from tests.support.exchange_server import ExchangeServer
from tests.sync.catalog import Sync

WIDE = "KXSANDBOXWIDE"
MARKETS = "v2/markets$"


def broken(number: int) -> dict[str, Any]:
    """A fault: this market of the wide series can't be read."""
    value = {"ticker": f"{WIDE}-99DEC31-T{number}", "close_time": "soon"}
    return {"kind": "set_market", "path": MARKETS, "times": 100, "value": value}


def last_report(warehouse: sa.Engine) -> dict[str, Any]:
    """The report of the newest run, as the ledger keeps it."""
    stored = select(warehouse, "SELECT report FROM kalshi_sync_run ORDER BY run_id DESC LIMIT 1")
    report: dict[str, Any] = json.loads(stored[0]["report"])
    return report


@pytest.mark.parametrize("kind", ["http_429", "http_500", "http_502", "dropped_connection", "truncated_json"])
def test_a_passing_fault_costs_retries_and_nothing_else(
    sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer, kind: str
) -> None:
    exchange_server.faults({"kind": kind, "path": MARKETS, "skip": 1, "times": 3})
    report = sync(WIDE)
    assert (report.state, report.retries, report.markets) == ("success", 3, 2500)
    assert select(warehouse, "SELECT retries FROM kalshi_sync_run") == [{"retries": 3}]
    assert count(warehouse, "kalshi_market") == 2500


def test_a_page_cap_is_a_warning_and_never_a_success(sync: Sync, warehouse: sa.Engine) -> None:
    report = sync(WIDE, max_pages=2)
    assert report.state == "warning"
    assert [w for w in report.warnings if "/markets has more pages after page 2" in w and "max_pages" in w]
    assert count(warehouse, "kalshi_market") == 2000
    failed = select(warehouse, "SELECT error FROM kalshi_checkpoint WHERE state = 'FAILED'")
    assert len(failed) == 1
    assert "max_pages" in failed[0]["error"]
    report = sync(WIDE)
    assert (report.state, report.warnings) == ("success", [])
    assert count(warehouse, "kalshi_market") == 2500
    assert windows(warehouse) == ["COMPLETE", "COMPLETE"]


def test_a_cap_that_the_list_fits_in_is_no_warning(sync: Sync, warehouse: sa.Engine) -> None:
    assert sync(WIDE, max_pages=3).state == "success"
    assert windows(warehouse) == ["COMPLETE", "COMPLETE"]


def test_one_bad_record_takes_no_other_with_it(
    sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    exchange_server.faults(broken(1234))
    for times_seen in (1, 2):
        report = sync(WIDE, include_historical=False)
        assert (report.state, report.rejected) == ("warning", 1)
        assert f"{WIDE}-99DEC31-T1234" in report.warnings[0]
        assert "1 of 2502 records" in report.warnings[1]
        rejected = select(warehouse, "SELECT * FROM kalshi_rejected_record")
        assert [(r["endpoint"], r["times_seen"], r["run_id"]) for r in rejected] == [
            ("/markets", times_seen, report.run_id)
        ]
        assert "close_time" in rejected[0]["reason"]
        payload = json.loads(rejected[0]["payload"])
        assert (payload["ticker"], payload["close_time"]) == (f"{WIDE}-99DEC31-T1234", "soon")
        assert count(warehouse, "kalshi_market") == 2499
    exchange_server.reset()
    assert sync(WIDE).inserted == 1


def test_a_rejected_record_is_resolved_when_it_can_be_read_and_until_it_comes_again(
    sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    for is_bad in (True, False, True):
        exchange_server.faults(*([broken(1234)] if is_bad else []))
        sync(WIDE)
        (rejected,) = select(warehouse, "SELECT resolved_at_utc FROM kalshi_rejected_record")
        assert (rejected["resolved_at_utc"] is None) is is_bad


def test_a_missing_market_that_neither_tier_lists_stays_missing(sync: Sync, warehouse: sa.Engine) -> None:
    sync(WIDE)
    gone = f"{WIDE}-99DEC31-T9999"
    day = Window("catalog", WIDE, datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 2, tzinfo=UTC))
    in_transaction(warehouse, gaps.note, [Gap(day, gone, "rejected: soon")])
    assert sync(WIDE).state == "warning"
    missing = select(warehouse, "SELECT market_ticker, reason FROM kalshi_gap")
    assert missing == [{"market_ticker": gone, "reason": "neither tier lists the market"}]


def test_a_record_that_no_column_holds_is_rejected_too(
    sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    value = {"ticker": f"{WIDE}-99DEC31-T7", "yes_bid_dollars": "1234567890123.0000"}
    exchange_server.faults({"kind": "set_market", "path": MARKETS, "times": 100, "value": value})
    assert sync(WIDE).state == "warning"
    rejected = select(warehouse, "SELECT reason, payload FROM kalshi_rejected_record")
    assert [json.loads(r["payload"])["ticker"] for r in rejected] == [f"{WIDE}-99DEC31-T7"]
    assert "yes_bid" in rejected[0]["reason"]
    assert count(warehouse, "kalshi_market") == 2499


def test_cents_of_the_old_api_are_rejected_and_not_guessed_at(
    sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    exchange_server.faults({"kind": "integer_cents", "path": MARKETS, "skip": 1})
    assert sync(WIDE).rejected == 1
    rejected = select(warehouse, "SELECT reason, payload FROM kalshi_rejected_record")
    assert "cents" in rejected[0]["reason"]
    assert json.loads(rejected[0]["payload"])["yes_bid"] == 56
    assert count(warehouse, "kalshi_market") == 2499


def test_too_many_bad_records_fail_the_run_after_loading_the_rest(
    sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    exchange_server.faults(*(broken(n) for n in range(25)))
    assert sync(WIDE).state == "warning"  # 25 of 2,503 are 0.999 %
    exchange_server.faults(*(broken(n) for n in range(26)))
    with pytest.raises(TooManyRejected, match="26 of 2502 records"):
        sync(WIDE)
    assert count(warehouse, "kalshi_market") == 2475
    assert count(warehouse, "kalshi_rejected_record") == 26
    assert runs(warehouse) == ["warning", "failed"]
    report = last_report(warehouse)
    assert (report["state"], report["rejected"], report["markets"]) == ("failed", 26, 2474)
    assert report["error"].startswith("TooManyRejected: 26 of 2502 records")


def test_a_repeated_cursor_is_a_failure_that_keeps_what_came(
    sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    exchange_server.faults({"kind": "repeated_cursor", "path": MARKETS, "skip": 1})
    with pytest.raises(RepeatedCursor, match=r"repeated a cursor on page 2.*What was read is kept"):
        sync(WIDE)
    assert count(warehouse, "kalshi_market") == 2000
    failed = select(warehouse, "SELECT state, error FROM kalshi_checkpoint")
    assert [(f["state"], "repeated a cursor" in f["error"]) for f in failed] == [("FAILED", True)]
    assert runs(warehouse) == ["failed"]
    assert last_report(warehouse)["inserted"] == 2002
    assert (sync(WIDE).inserted, windows(warehouse)) == (500, ["COMPLETE", "COMPLETE"])


def test_an_exchange_that_stays_away_fails_the_run_with_its_last_error(
    sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    exchange_server.faults({"kind": "http_502", "path": MARKETS, "skip": 2, "times": 4})
    with pytest.raises(ExchangeUnavailable, match="HTTP 502"):
        sync(WIDE)
    assert count(warehouse, "kalshi_market") == 2000
    assert windows(warehouse) == ["FAILED"]
    assert "HTTP 502" in last_report(warehouse)["error"]
    assert (sync(WIDE).inserted, windows(warehouse)) == (500, ["COMPLETE", "COMPLETE"])


def test_a_series_that_does_not_exist_is_refused_at_once(sync: Sync, warehouse: sa.Engine) -> None:
    with pytest.raises(RequestRefused, match=r"404.*check the ticker"):
        sync("KXNOWHERE")
    assert runs(warehouse) == ["failed"]
    report = last_report(warehouse)
    assert report["error"].startswith("RequestRefused: GET /series/KXNOWHERE")
    assert (report["scope"], report["retries"], report["inserted"]) == ("KXNOWHERE", 0, 0)
    assert count(warehouse, "kalshi_series") == 0
    assert windows(warehouse) == []


def test_markets_whose_event_is_listed_nowhere_get_it_by_its_ticker(
    sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    stray = {"ticker": f"{WIDE}-99DEC31-T7", "event_ticker": "KXHIGHNY-26SEP23"}
    unknown = {"ticker": f"{WIDE}-99DEC31-T8", "event_ticker": f"{WIDE}-99DEC30"}
    exchange_server.faults(
        *({"kind": "set_market", "path": MARKETS, "times": 100, "value": value} for value in (stray, unknown))
    )
    report = sync(WIDE)
    assert report.state == "warning"
    assert [w for w in report.warnings if f"1 events of {WIDE}" in w and unknown["event_ticker"] in w]
    events = select(warehouse, "SELECT event_ticker, series_ticker, is_placeholder FROM kalshi_event ORDER BY 1")
    assert [tuple(e.values()) for e in events] == [
        ("KXHIGHNY-26SEP23", "KXHIGHNY", 0),
        (f"{WIDE}-99DEC30", WIDE, 1),
        (f"{WIDE}-99DEC31", WIDE, 0),
    ]
    assert count(warehouse, "kalshi_market") == 2500
