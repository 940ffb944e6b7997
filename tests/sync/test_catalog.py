"""The catalog sync against the sandbox: complete, repeatable, and faithful to what the exchange sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.settings import PROJECT
from kalshi.sync.report import RowCounts
from tests.support.databases import count, runs, select, windows
from tests.support.exchange_server import ExchangeServer
from tests.sync.catalog import Sync, syncing

RECORDED = json.loads((PROJECT / "sandbox/recorded/event_KXHIGHNY-26SEP23.json").read_text(encoding="utf-8"))
DAYS = 30 + 31 + 30 + 31 + 31 + 23
"""From 2026-04-01, where the small exchange begins, to 2026-09-23."""
PRICES = {
    "last_price": "last_price_dollars",
    "yes_bid": "yes_bid_dollars",
    "yes_ask": "yes_ask_dollars",
    "yes_bid_size": "yes_bid_size_fp",
    "yes_ask_size": "yes_ask_size_fp",
    "volume": "volume_fp",
    "volume_24h": "volume_24h_fp",
    "open_interest": "open_interest_fp",
    "floor_strike": "floor_strike",
    "cap_strike": "cap_strike",
}
TIMES = {
    "open_time_utc": "open_time",
    "close_time_utc": "close_time",
    "expiration_time_utc": "expiration_time",
    "expected_expiration_time_utc": "expected_expiration_time",
    "latest_expiration_time_utc": "latest_expiration_time",
    "exchange_created_at_utc": "created_time",
    "exchange_updated_at_utc": "updated_time",
}
SAME = [
    *("title", "subtitle", "yes_sub_title", "no_sub_title", "market_type", "status", "strike_type"),
    *("event_ticker", "functional_strike", "custom_strike", "can_close_early", "settlement_timer_seconds"),
]


def listed(server: ExchangeServer, path: str) -> Iterator[dict[str, Any]]:
    """Every market of KXHIGHNY that the exchange lists at this path."""
    cursor: str | None = None
    while cursor != "":
        answer = server.get(path, series_ticker="KXHIGHNY", limit=1000, cursor=cursor).json()
        cursor = answer["cursor"]
        yield from answer["markets"]


@pytest.fixture
def sync_on_both(exchange: Exchange, warehouse_on_both: sa.Engine) -> Sync:
    return syncing(exchange, warehouse_on_both)


def test_a_first_sync_inserts_everything_once(sync_on_both: Sync, warehouse_on_both: sa.Engine) -> None:
    report = sync_on_both()
    assert (report.state, report.warnings, report.error) == ("success", [], None)
    assert (report.markets, report.events) == (6 * DAYS, DAYS)
    assert (report.inserted, report.updated, report.rejected) == (1 + DAYS + 6 * DAYS, 0, 0)
    assert report.tables["kalshi_market"] == RowCounts(inserted=6 * DAYS)
    tables = ("kalshi_series", "kalshi_event", "kalshi_market")
    assert [count(warehouse_on_both, table) for table in tables] == [1, DAYS, 6 * DAYS]
    assert windows(warehouse_on_both) == ["COMPLETE", "COMPLETE"]
    stored = select(warehouse_on_both, "SELECT * FROM kalshi_sync_run")
    assert [(run["run_id"], run["state"], run["inserted"]) for run in stored] == [
        (report.run_id, "success", report.inserted)
    ]
    told = json.loads(stored[0]["report"])
    assert told == msgspec.to_builtins(report)


@pytest.mark.parametrize("again", [{}, {"full": True}], ids=["incremental", "full"])
def test_a_second_sync_changes_nothing(sync_on_both: Sync, warehouse_on_both: sa.Engine, again: dict[str, Any]) -> None:
    tables = ("kalshi_series", "kalshi_event", "kalshi_market")
    sync_on_both()
    before = [select(warehouse_on_both, f"SELECT * FROM {table}") for table in tables]
    report = sync_on_both(**again)
    assert (report.state, report.inserted, report.updated) == ("success", 0, 0)
    assert report.unchanged > 0
    assert [select(warehouse_on_both, f"SELECT * FROM {table}") for table in tables] == before
    assert windows(warehouse_on_both) == ["COMPLETE", "COMPLETE"]


def test_both_tiers_are_in_the_warehouse(sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer) -> None:
    live = {m["ticker"] for m in listed(exchange_server, "/markets")}
    archived = {m["ticker"] for m in listed(exchange_server, "/historical/markets")}
    assert live - archived
    assert archived - live
    assert live & archived, "the tiers overlap"
    sync()
    stored = select(warehouse, "SELECT market_ticker, event_ticker, settlement_ts_utc FROM kalshi_market")
    assert {m["market_ticker"] for m in stored} == live | archived
    assert all(m["settlement_ts_utc"] for m in stored if m["market_ticker"] in archived)


def test_a_series_without_its_archive(sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer) -> None:
    sync(include_historical=False)
    stored = {m["market_ticker"] for m in select(warehouse, "SELECT market_ticker FROM kalshi_market")}
    assert stored == {m["ticker"] for m in listed(exchange_server, "/markets")}
    assert windows(warehouse) == ["COMPLETE"]


def archive_requests(server: ExchangeServer) -> int:
    return int(server.stats()["by_path"].get("/trade-api/v2/historical/markets", 0))


def test_the_archive_is_read_once_and_again_on_request(sync: Sync, exchange_server: ExchangeServer) -> None:
    counts = [archive_requests(exchange_server)]
    for full in (False, False, True):
        sync(full=full)
        counts.append(archive_requests(exchange_server))
    first, second, third = (after - before for before, after in pairwise(counts))
    assert first > 0
    assert second == 0
    assert third == first


def test_the_archive_is_read_again_after_a_week(
    sync: Sync, exchange_server: ExchangeServer, warehouse: sa.Engine
) -> None:
    def age(days: int) -> None:
        with warehouse.begin() as connection:
            connection.exec_driver_sql(
                f"UPDATE kalshi_checkpoint SET heartbeat_at_utc = CURRENT_TIMESTAMP(6) - INTERVAL {days} DAY"
            )

    sync()
    counts = [archive_requests(exchange_server)]
    for days in (6, 8, 0):
        age(days)
        sync()
        counts.append(archive_requests(exchange_server))
    first, after_six_days, after_a_week, right_after = counts
    assert first == after_six_days < after_a_week == right_after


def test_a_series_of_many_pages_is_whole(sync_on_both: Sync, warehouse_on_both: sa.Engine) -> None:
    report = sync_on_both("KXSANDBOXWIDE")
    assert (report.state, report.markets) == ("success", 2500)
    tickers = {m["market_ticker"] for m in select(warehouse_on_both, "SELECT market_ticker FROM kalshi_market")}
    assert tickers == {f"KXSANDBOXWIDE-99DEC31-T{n}" for n in range(2500)}


def test_a_recorded_event_is_stored_field_for_field(sync_on_both: Sync, warehouse_on_both: sa.Engine) -> None:
    sync_on_both(include_historical=False)
    wanted = "SELECT * FROM kalshi_market WHERE event_ticker = 'KXHIGHNY-26SEP23'"
    stored = {m["market_ticker"]: m for m in select(warehouse_on_both, wanted)}
    assert stored.keys() == {m["ticker"] for m in RECORDED["markets"]}
    assert len(stored) == 6
    for sent in RECORDED["markets"]:
        row = stored[sent["ticker"]]
        assert json.loads(row["raw_json"]) == sent
        assert {c: row[c] for c in SAME} == {c: sent.get(c) for c in SAME}
        assert {c: row[c] for c in PRICES} == {
            c: Decimal(str(sent[name])) if name in sent else None for c, name in PRICES.items()
        }
        assert {c: row[c] for c in TIMES} == {
            c: datetime.fromisoformat(sent[name]).replace(tzinfo=None) for c, name in TIMES.items()
        }
        assert row["open_time_utc"] == datetime(2026, 9, 22, 14)  # noqa: DTZ001
        assert row["close_time_utc"] == datetime(2026, 9, 24, 5)  # noqa: DTZ001
        unknown = ("result", "settlement_ts_utc", "settlement_value", "expiration_value")
        assert [row[c] for c in unknown] == [None] * 4
        assert (row["series_ticker"], row["is_placeholder"]) == ("KXHIGHNY", 0)
    assert sorted((m["strike_type"], m["floor_strike"], m["cap_strike"]) for m in stored.values()) == [
        ("between", 65, 66),
        ("between", 67, 68),
        ("between", 69, 70),
        ("between", 71, 72),
        ("greater", 72, None),
        ("less", None, 65),
    ]


def test_a_recorded_event_and_its_series_are_stored(sync_on_both: Sync, warehouse_on_both: sa.Engine) -> None:
    sync_on_both(include_historical=False)
    event = select(warehouse_on_both, "SELECT * FROM kalshi_event WHERE event_ticker = 'KXHIGHNY-26SEP23'")[0]
    assert json.loads(event["raw_json"]) == RECORDED["event"]
    assert event["event_date"] == date(2026, 9, 23)
    assert event["strike_date_utc"] == datetime(2026, 9, 24, 5)  # noqa: DTZ001
    assert event["title"] == "Highest temperature in New York City on Sep 23, 2026?"
    assert (event["sub_title"], event["category"]) == ("On Sep 23, 2026", "Climate and Weather")
    assert (event["series_ticker"], event["mutually_exclusive"], event["is_placeholder"]) == ("KXHIGHNY", 1, 0)
    series = select(warehouse_on_both, "SELECT * FROM kalshi_series")[0]
    assert (series["title"], series["frequency"]) == ("Highest temperature in NYC", "daily")
    assert (series["fee_type"], series["fee_multiplier"]) == ("quadratic", 1)
    assert json.loads(series["tags"]) == ["Daily temperature"]
    assert json.loads(series["settlement_sources"]) == [
        {"name": "The Weather Company", "url": "https://weather.com/kalshi"}
    ]


def test_an_amended_settlement_is_kept_with_what_it_was(
    sync_on_both: Sync, warehouse_on_both: sa.Engine, exchange_server: ExchangeServer
) -> None:
    sync_on_both()
    ticker = "KXHIGHNY-26AUG01-T"
    settled = select(warehouse_on_both, f"SELECT * FROM kalshi_market WHERE market_ticker LIKE '{ticker}%'")[0]
    other = {"yes": ("no", "0.0000"), "no": ("yes", "1.0000")}[settled["result"]]
    answer = {"ticker": settled["market_ticker"], "result": other[0], "settlement_value_dollars": other[1]}
    exchange_server.faults({"kind": "set_market", "path": "v2/markets$", "times": 100, "value": answer})
    amending, _ = sync_on_both(), sync_on_both()
    changes = select(warehouse_on_both, "SELECT * FROM kalshi_settlement_change")
    assert [(c["market_ticker"], c["old_result"], c["new_result"], c["run_id"]) for c in changes] == [
        (settled["market_ticker"], settled["result"], other[0], amending.run_id)
    ]
    assert (changes[0]["old_settlement_value"], changes[0]["new_settlement_value"]) == (
        settled["settlement_value"],
        Decimal(other[1]),
    )


def test_a_response_without_its_settlement_erases_nothing(
    sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    known = "SELECT market_ticker, result, settlement_ts_utc, settlement_value, expiration_value FROM kalshi_market"
    sync()
    before = select(warehouse, known)
    tickers = [m["market_ticker"] for m in before if m["market_ticker"].startswith("KXHIGHNY-26AUG01-")]
    nothing = ("", None, "(missing)", "", None, "(missing)")
    fields = ("result", "settlement_ts", "settlement_value_dollars", "expiration_value")
    answers = [{"ticker": t, **dict.fromkeys(fields, n)} for t, n in zip(tickers, nothing, strict=True)]
    exchange_server.faults(
        *({"kind": "set_market", "path": "v2/markets$", "times": 100, "value": answer} for answer in answers)
    )
    assert sync().tables["kalshi_market"].updated == len(tickers)
    assert select(warehouse, known) == before
    assert count(warehouse, "kalshi_settlement_change") == 0
    assert runs(warehouse) == ["success", "success"]
