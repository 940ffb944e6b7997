"""Faults planted in a warehouse: each is found by its own checks, and by no other."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from kalshi.quality.report import QualityReport
from tests.support.databases import select
from tests.support.quality import COMPARED, build_dense_minutes, check, plant

EVENT = "KXHIGHNY-26SEP20"
MARKET = f"{EVENT}-B65.5"
AT_15 = f"market_ticker = '{MARKET}' AND bucket_start_utc >= '2026-09-20 15:00' ORDER BY bucket_start_utc LIMIT 1"
BROKEN_BY_HONEST_MINUTES = {"candle_uncrossed_all_minute"}
CANDLE = "market_ticker, bucket_start_utc, source, period_minutes, volume, run_id"
COPIED = (
    "period_minutes, yes_bid_open, yes_bid_high, yes_bid_low, yes_bid_close, yes_ask_open, yes_ask_high, yes_ask_low, "
    "yes_ask_close, trade_open, trade_high, trade_low, trade_close, volume, open_interest, run_id"
)
GAP = "INSERT INTO kalshi_gap (job, scope, market_ticker, window_start_utc, window_end_utc, reason"
SEP_20 = "'2026-09-20', '2026-09-21', 'rejected: not a number'"
FAILED = "UPDATE kalshi_checkpoint SET state = 'FAILED' WHERE job = 'candles'"
CUT_AT_6 = "UPDATE kalshi_checkpoint SET window_end_utc = '2026-09-20 06:00' WHERE job = 'trades'"
WINDOW = (
    "INSERT INTO kalshi_checkpoint (job, scope, window_start_utc, window_end_utc, state, run_id, attempts) "
    "SELECT '{}', scope, '{}', '{}', 'COMPLETE', run_id, 1 FROM kalshi_checkpoint WHERE job = 'candles'"
)
RUNNING = (
    "INSERT INTO kalshi_sync_run (run_id, job, scope, state, heartbeat_at_utc) "
    "VALUES (9999, 'trades', 'KXHIGHNY', 'running', CURRENT_TIMESTAMP(6))"
)
SNAPSHOT = "market_ticker, snapshot_at_utc, observed_at_utc, yes_bid, yes_ask, volume, is_empty_book, run_id"

FAULTS: dict[str, tuple[list[str], set[str]]] = {
    "an hour without candles": (
        [
            f"DELETE FROM kalshi_candle_1m WHERE market_ticker LIKE '{EVENT}-%' AND "
            "bucket_start_utc >= '2026-09-20 17:00' AND bucket_start_utc < '2026-09-20 18:00'"
        ],
        {"event_without_gap", "trade_has_candle"},
    ),
    "a market without candles": (
        [f"DELETE FROM kalshi_candle_1m WHERE market_ticker = '{MARKET}'"],
        {"market_has_candles"},
    ),
    "a crossed close": (
        [
            "UPDATE kalshi_candle_1m SET yes_bid_close = yes_ask_close + 0.01, "
            f"yes_bid_high = GREATEST(yes_bid_high, yes_ask_close + 0.01) WHERE {AT_15}"
        ],
        {"candle_not_crossed"},
    ),
    "a price of 1.2": ([f"UPDATE kalshi_candle_1m SET yes_ask_high = 1.2 WHERE {AT_15}"], {"candle_prices_in_range"}),
    "a close above the high": (
        [f"UPDATE kalshi_candle_1m SET yes_ask_high = yes_ask_close - 0.01 WHERE {AT_15}"],
        {"candle_prices_ordered"},
    ),
    "a quote that is missing": (
        [f"UPDATE kalshi_candle_1m SET yes_bid_open = NULL WHERE {AT_15}"],
        {"candle_quotes_there"},
    ),
    "volume without a price": (
        [f"UPDATE kalshi_candle_1m SET volume = volume + 1, trade_low = NULL WHERE {AT_15}"],
        {"candle_trades_complete"},
    ),
    "a negative open interest": (
        [f"UPDATE kalshi_candle_1m SET open_interest = -1 WHERE {AT_15}"],
        {"candle_numbers_not_negative"},
    ),
    "a candle off the minute": (
        [f"UPDATE kalshi_candle_1m SET bucket_start_utc = bucket_start_utc + INTERVAL 1 SECOND WHERE {AT_15}"],
        {"candle_on_the_minute"},
    ),
    "a candle of another source that disagrees": (
        [
            f"INSERT INTO kalshi_candle_1m (market_ticker, bucket_start_utc, source, {COPIED}) SELECT market_ticker, "
            f"bucket_start_utc, 'trades', {COPIED.replace('trade_high,', 'trade_high + 0.01,')} FROM kalshi_candle_1m "
            f"WHERE volume > 0 AND {AT_15}"
        ],
        {"candle_sources_agree"},
    ),
    "a candle of another source that agrees": (
        [
            f"INSERT INTO kalshi_candle_1m (market_ticker, bucket_start_utc, source, {COPIED}) SELECT market_ticker, "
            f"bucket_start_utc, 'trades', {COPIED} FROM kalshi_candle_1m WHERE volume > 0 AND {AT_15}"
        ],
        set(),
    ),
    "a candle of nobody knows where": (
        [f"UPDATE kalshi_candle_1m SET source = 'rumour' WHERE {AT_15}"],
        {"candle_source_known"},
    ),
    "a candle after its market closed": (
        [
            f"INSERT INTO kalshi_candle_1m ({CANDLE}) VALUES ('KXHIGHNY-26SEP19-B63.5', '2026-09-20 06:00', 'trades', "
            "1, 0, 1)"
        ],
        {"candle_in_market_life"},
    ),
    "times four hours early": (
        ["UPDATE kalshi_candle_1m SET bucket_start_utc = bucket_start_utc - INTERVAL 4 HOUR ORDER BY bucket_start_utc"],
        {"market_time_zone", "candle_in_market_life", "event_without_gap", "trade_has_candle"},
    ),
    "times four hours late": (
        [
            "UPDATE kalshi_candle_1m SET bucket_start_utc = bucket_start_utc + INTERVAL 4 HOUR "
            "ORDER BY bucket_start_utc DESC"
        ],
        {
            "market_time_zone",
            "candle_in_market_life",
            "event_without_gap",
            "trade_has_candle",
            "market_opens_with_candles",
            "decision_quote_known",
        },
    ),
    "a first hour without candles": (
        [
            "DELETE FROM kalshi_candle_1m WHERE market_ticker LIKE 'KXHIGHNY-26SEP21-%' AND "
            "market_ticker <> 'KXHIGHNY-26SEP21-B77.5' AND bucket_start_utc < '2026-09-20 15:00'"
        ],
        {"market_opens_with_candles", "trade_has_candle", "decision_quote_known"},
    ),
    "two YES in an event": (
        [
            f"UPDATE {table} SET result = 'yes', settlement_value = 1 WHERE market_ticker LIKE 'KXHIGHNY-26SEP19-%' "
            "AND result = 'no' ORDER BY market_ticker LIMIT 1"
            for table in ("kalshi_settlement", "kalshi_market")
        ],
        {"event_one_yes"},
    ),
    "a settlement that its market doesn't know": (
        [
            "UPDATE kalshi_settlement SET result = 'scalar', settlement_value = 0.5 "
            "WHERE market_ticker LIKE 'KXHIGHNY-26SEP19-%' LIMIT 1"
        ],
        {"settlement_agrees_with_market"},
    ),
    "a NO that pays": (
        [
            f"UPDATE {table} SET settlement_value = 1 WHERE market_ticker LIKE 'KXHIGHNY-26SEP19-%' "
            "AND result = 'no' ORDER BY market_ticker LIMIT 1"
            for table in ("kalshi_settlement", "kalshi_market")
        ],
        {"settlement_fits_result"},
    ),
    "a gap between strikes": (
        [f"UPDATE kalshi_market SET floor_strike = floor_strike + 1 WHERE market_ticker = '{MARKET}'"],
        {"event_strikes_cover"},
    ),
    "strikes that overlap": (
        [f"UPDATE kalshi_market SET cap_strike = cap_strike + 1 WHERE market_ticker = '{MARKET}'"],
        {"event_strikes_cover"},
    ),
    "an event without its upper end": (
        [f"UPDATE kalshi_market SET event_ticker = 'KXHIGHNY-26AUG20' WHERE market_ticker = '{EVENT}-T68'"],
        {"event_strikes_cover"},
    ),
    "a settled market without settlement": (
        ["DELETE FROM kalshi_settlement WHERE market_ticker LIKE 'KXHIGHNY-26SEP19-%' LIMIT 1"],
        {"market_settlement_there"},
    ),
    "an orphan among the candles": (
        [f"INSERT INTO kalshi_candle_1m ({CANDLE}) VALUES ('{EVENT}-T99', '2026-09-20 15:00', 'trades', 1, 0, 1)"],
        {"candle_has_market"},
    ),
    "an orphan among the trades": (
        [
            "INSERT INTO kalshi_trade (trade_id, market_ticker, executed_at_utc, yes_price, `count`, run_id) "
            f"VALUES ('x', '{EVENT}-T99', '2026-09-20 15:00', 0.5, 1, 1)"
        ],
        {"trade_has_market"},
    ),
    "an orphan among the snapshots": (
        [
            f"INSERT INTO kalshi_price_snapshot ({SNAPSHOT}) VALUES ('{EVENT}-T99', '2026-09-20 15:00', "
            "'2026-09-20 15:00', 0.1, 0.2, 1, 0, 1)"
        ],
        {"snapshot_has_market"},
    ),
    "an orphan among the settlements": (
        [
            "INSERT INTO kalshi_settlement (market_ticker, event_ticker, series_ticker, result, settlement_value, "
            "settled_at_utc, settled_at_source, run_id) VALUES ('KXHIGHNY-26SEP19-T99', 'KXHIGHNY-26SEP19', "
            "'KXHIGHNY', 'no', 0, '2026-09-20 12:00', 'settlement_ts', 1)"
        ],
        {"settlement_has_market"},
    ),
    "markets without their event": (
        [f"DELETE FROM kalshi_event WHERE event_ticker = '{EVENT}'"],
        {"market_has_event"},
    ),
    "events without their series": (
        ["DELETE FROM kalshi_series WHERE series_ticker = 'KXHIGHNY'"],
        {"event_has_series"},
    ),
    "a fee type that nobody knows": (
        ["UPDATE kalshi_series SET fee_type = 'progressive' WHERE series_ticker = 'KXHIGHNY'"],
        {"series_fees_known"},
    ),
    "an event without a date in a series of dated ones": (
        [f"UPDATE kalshi_event SET event_date = NULL WHERE event_ticker = '{EVENT}'"],
        {"event_described"},
    ),
    "a placeholder of an event": (
        [f"UPDATE kalshi_event SET is_placeholder = 1 WHERE event_ticker = '{EVENT}'"],
        {"event_described"},
    ),
    "a market that bids more than it asks": (
        [f"UPDATE kalshi_market SET yes_bid = 0.6, yes_ask = 0.5 WHERE market_ticker = '{MARKET}'"],
        {"market_not_crossed"},
    ),
    "a stale table": (
        ["UPDATE kalshi_sync_run SET ended_at_utc = ended_at_utc - INTERVAL 10 DAY WHERE job = 'settlements'"],
        {"sync_fresh"},
    ),
    "a late job": (
        ["UPDATE kalshi_sync_run SET ended_at_utc = ended_at_utc - INTERVAL 3 HOUR WHERE job = 'settlements'"],
        {"sync_punctual"},
    ),
    "volume that falls": (
        [
            f"INSERT INTO kalshi_price_snapshot ({SNAPSHOT}) VALUES "
            f"('{MARKET}', '2026-09-20 15:00', '2026-09-20 15:00', 0.1, 0.2, 7, 0, 1), "
            f"('{MARKET}', '2026-09-20 15:05', '2026-09-20 15:05', 0.1, 0.2, 6, 0, 1)"
        ],
        {"snapshot_volume_never_falls"},
    ),
    "an empty book that passes for a spread": (
        [
            f"INSERT INTO kalshi_price_snapshot ({SNAPSHOT}) VALUES "
            f"('{MARKET}', '2026-09-20 15:00', '2026-09-20 15:00', 0, 1, 7, 0, 1)"
        ],
        {"snapshot_empty_book_marked"},
    ),
    "candles of empty books": (
        [
            "UPDATE kalshi_candle_1m SET yes_bid_low = 0, yes_bid_close = 0, yes_ask_close = 1, yes_ask_high = 1 "
            f"WHERE market_ticker = '{MARKET}' AND bucket_start_utc >= '2026-09-20 16:00'"
        ],
        set(),
    ),
    "a trade of three dollars": (
        [
            f"UPDATE kalshi_trade SET yes_price = 3 WHERE market_ticker = '{MARKET}' "
            "AND executed_at_utc > '2026-09-20' LIMIT 1"
        ],
        {"trade_numbers_in_range"},
    ),
    "a trade before its market opened": (
        [
            "INSERT INTO kalshi_trade (trade_id, market_ticker, executed_at_utc, yes_price, `count`, is_block_trade, "
            "run_id) VALUES ('x', 'KXHIGHNY-26SEP21-B77.5', '2026-09-20 13:00', 0.5, 1, 1, 1)"
        ],
        {"trade_in_market_life"},
    ),
    "a market whose open time isn't known": (
        [f"UPDATE kalshi_market SET open_time_utc = NULL WHERE market_ticker = '{MARKET}'"],
        {"market_times_known"},
    ),
    "a market whose times aren't known, and of which there is nothing": (
        [
            "INSERT INTO kalshi_market (market_ticker, event_ticker, series_ticker, status, run_id) "
            "VALUES ('KXHIGHNY-26SEP21-X', 'KXHIGHNY-26SEP21', 'KXHIGHNY', 'active', 1)"
        ],
        {"market_times_known"},
    ),
    "a gap of one market": ([f"{GAP}) VALUES ('candles', 'KXHIGHNY', '{MARKET}', {SEP_20})"], {"gap_filled"}),
    "a gap that a day didn't fill": (
        [f"{GAP}, since_utc) VALUES ('trades', 'KXHIGHNY', '', {SEP_20}, CURRENT_TIMESTAMP(6) - INTERVAL 25 HOUR)"],
        {"gap_filled_in_time"},
    ),
    "a gap of another day": (
        [f"{GAP}) VALUES ('candles', 'KXHIGHNY', '', '2026-09-21', '2026-09-22', 'no run came')"],
        set(),
    ),
    "a gap of another series": ([f"{GAP}) VALUES ('candles', 'KXHIGHDEN', '', {SEP_20})"], set()),
    "a gap in the catalog, whose windows are other times": (
        [f"{GAP}) VALUES ('catalog', 'KXHIGHNY', '?', '1970-01-01', '2026-07-24', 'rejected: no ticker')"],
        {"gap_filled"},
    ),
    "a gap that a person accepted": (
        [f"{GAP}, accepted_reason) VALUES ('candles', 'KXHIGHNY', '', {SEP_20}, 'the exchange lost it')"],
        set(),
    ),
    "a gap that a run is reading": (
        [RUNNING, f"{GAP}, run_id) VALUES ('trades', 'KXHIGHNY', '', {SEP_20}, 9999)"],
        set(),
    ),
    "a window that wasn't read to its end": ([FAILED], {"window_complete"}),
    "a window whose run was killed": (
        ["UPDATE kalshi_checkpoint SET state = 'RUNNING' WHERE job = 'trades'"],
        {"window_complete"},
    ),
    "a window that a run is reading": (
        [RUNNING, "UPDATE kalshi_checkpoint SET state = 'RUNNING', run_id = 9999 WHERE job = 'trades'"],
        set(),
    ),
    "a window that was tried in vain": (
        [FAILED, f"{GAP}, run_id) VALUES ('candles', 'KXHIGHNY', '{MARKET}', {SEP_20}, 1)"],
        {"gap_filled", "window_complete"},
    ),
    "a window that was reopened since": (
        [FAILED, f"{GAP}) VALUES ('candles', 'KXHIGHNY', '{MARKET}', {SEP_20})"],
        {"gap_filled"},
    ),
    "three hours that no run ever read": (
        [CUT_AT_6, WINDOW.format("trades", "2026-09-20 09:00", "2026-09-22")],
        {"window_without_hole"},
    ),
    "hours that no run ever read, and that a person accepted": (
        [
            CUT_AT_6,
            WINDOW.format("trades", "2026-09-20 09:00", "2026-09-22"),
            f"{GAP}, accepted_reason) VALUES ('trades', 'KXHIGHNY', '', '2026-09-20 05:00', '2026-09-20 09:00', "
            "'no run came', 'before we traded')",
        ],
        set(),
    ),
    "weeks that no run ever read, before the day": ([WINDOW.format("candles", "2026-08-01", "2026-08-02")], set()),
    "a first window that begins during the day": (
        ["UPDATE kalshi_checkpoint SET window_start_utc = '2026-09-20 06:00' WHERE job = 'trades'"],
        set(),
    ),
    "fewer trades than the exchange counted": ([COMPARED.format("short", "proven", 19)], {"reconciliation_proven"}),
    "candles that changed since they were proven": (
        [COMPARED.format("proven", "unread", 19)],
        {"reconciliation_proven"},
    ),
    "a market that is proven": ([COMPARED.format("proven", "proven", 19)], set()),
    "an unproven market that settled on another day": ([COMPARED.format("short", "short", 18)], set()),
}

APART = (
    "a market without candles",
    "a gap between strikes",
    "two YES in an event",
    "a candle after its market closed",
    "an orphan among the candles",
    "an orphan among the trades",
    "an orphan among the snapshots",
    "a fee type that nobody knows",
    "volume that falls",
    "a stale table",
    "a market whose times aren't known, and of which there is nothing",
    "a gap that a day didn't fill",
    "a window whose run was killed",
    "a window that was reopened since",
)
"""Faults that don't touch each other."""


def broken(report: QualityReport) -> set[str]:
    names = [*report.broken_errors, *report.broken_warnings, *report.broken_infos]
    return set(names) - BROKEN_BY_HONEST_MINUTES


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_the_checks_made_for_it(fault: str, filled: sa.Engine) -> None:
    statements, expected = FAULTS[fault]
    plant(filled, *statements)
    report = check(filled)
    assert broken(report) == expected
    rows = select(filled, f"SELECT * FROM kalshi_quality_result WHERE run_id = {report.run_id} AND state = 'failed'")
    assert {row["check_name"] for row in rows} - BROKEN_BY_HONEST_MINUTES == expected
    assert all(row["violations"] > 0 and len(row["samples"]) > 10 for row in rows)


DENSE_FAULTS = {
    "a minute left out": ("DELETE FROM kalshi_candle_1m_dense WHERE {minute}", {"dense_without_hole"}),
    "a bid that no minute before had": (
        "UPDATE kalshi_candle_1m_dense SET yes_bid_open = yes_bid_close + 0.01 WHERE is_synthetic AND {minute}",
        {"dense_carries_quotes"},
    ),
    "a candle that came later": (
        f"INSERT INTO kalshi_candle_1m ({CANDLE}, yes_bid_open, yes_bid_high, yes_bid_low, yes_bid_close, "
        "yes_ask_open, yes_ask_high, yes_ask_low, yes_ask_close, open_interest) SELECT market_ticker, "
        "bucket_start_utc, 'api_event', 1, 0, 1, 0.1, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 0.2, 5 "
        "FROM kalshi_candle_1m_dense WHERE {minute}",
        {"dense_shows_candle"},
    ),
}


def test_dense_minutes_are_checked_too(filled_on_both: sa.Engine) -> None:
    engine = filled_on_both
    build_dense_minutes(engine)
    assert broken(check(engine)) == set()
    (found,) = select(
        engine,
        "SELECT market_ticker, MIN(bucket_start_utc) AS at FROM kalshi_candle_1m_dense WHERE is_synthetic AND "
        f"market_ticker = '{MARKET}' AND bucket_start_utc >= '2026-09-20 15:00' GROUP BY 1",
    )
    minute = f"market_ticker = '{MARKET}' AND bucket_start_utc = '{found['at']}'"
    plant(engine, "DROP TABLE IF EXISTS built", "CREATE TABLE built AS SELECT * FROM kalshi_candle_1m_dense")
    for fault, (statement, expected) in DENSE_FAULTS.items():
        plant(engine, statement.format(minute=minute))
        assert broken(check(engine)) == expected, fault
        plant(
            engine,
            "TRUNCATE TABLE kalshi_candle_1m_dense",
            "INSERT INTO kalshi_candle_1m_dense SELECT * FROM built",
            f"DELETE FROM kalshi_candle_1m WHERE {minute}",
        )
    plant(engine, "DROP TABLE built")


def test_a_series_whose_events_have_no_dates_lacks_none(filled: sa.Engine) -> None:
    plant(filled, "UPDATE kalshi_event SET event_date = NULL")
    assert "event_described" not in broken(check(filled))


def test_a_market_that_never_traded_needs_no_candle(filled: sa.Engine) -> None:
    plant(
        filled,
        f"DELETE FROM kalshi_candle_1m WHERE market_ticker = '{MARKET}'",
        f"DELETE FROM kalshi_trade WHERE market_ticker = '{MARKET}'",
        f"UPDATE kalshi_market SET volume = 0 WHERE market_ticker = '{MARKET}'",
    )
    assert "market_has_candles" not in broken(check(filled))


def test_a_column_of_another_type_is_found(filled: sa.Engine) -> None:
    plant(filled, "ALTER TABLE kalshi_candle_1m MODIFY volume DOUBLE NULL")
    try:
        assert broken(check(filled)) == {"candle_schema"}
    finally:
        plant(filled, "ALTER TABLE kalshi_candle_1m MODIFY volume DECIMAL(20,2) NULL")


def test_a_check_that_cannot_run_is_an_error_and_says_why(filled: sa.Engine) -> None:
    plant(filled, "ALTER TABLE kalshi_trade CHANGE no_price price_of_no DECIMAL(10,6) NULL")
    try:
        report = check(filled)
    finally:
        plant(filled, "ALTER TABLE kalshi_trade CHANGE price_of_no no_price DECIMAL(10,6) NULL")
    assert broken(report) == {"trade_schema", "trade_numbers_in_range"}
    query = "SELECT * FROM kalshi_quality_result WHERE state = 'broken'"
    (row,) = select(filled, query)
    assert (row["check_name"], row["severity"]) == ("trade_numbers_in_range", "error")
    assert "Unknown column" in row["samples"]
    assert report.state == "warning", "the run did its job: the others were checked"


def test_many_faults_at_once_are_all_found_on_mysql_too(filled_mysql: sa.Engine) -> None:
    plant(filled_mysql, *(statement for fault in APART for statement in FAULTS[fault][0]))
    assert broken(check(filled_mysql)) == set().union(*(FAULTS[fault][1] for fault in APART))


def test_windows_are_told_apart_on_mysql_too(filled_mysql: sa.Engine) -> None:
    for fault in (
        "three hours that no run ever read",
        "a window that a run is reading",
        "a window that was tried in vain",
    ):
        statements, expected = FAULTS[fault]
        plant(filled_mysql, "DROP TABLE IF EXISTS before_checkpoint")
        plant(filled_mysql, "CREATE TABLE before_checkpoint AS SELECT * FROM kalshi_checkpoint", *statements)
        assert broken(check(filled_mysql)) == expected, fault
        plant(
            filled_mysql,
            "TRUNCATE TABLE kalshi_checkpoint",
            "INSERT INTO kalshi_checkpoint SELECT * FROM before_checkpoint",
            "DROP TABLE before_checkpoint",
            "TRUNCATE TABLE kalshi_gap",
            "DELETE FROM kalshi_sync_run WHERE run_id = 9999",
        )


def test_the_times_that_no_run_ever_read_are_named(filled: sa.Engine) -> None:
    plant(filled, *FAULTS["three hours that no run ever read"][0])
    report = check(filled)
    (row,) = select(
        filled,
        f"SELECT samples FROM kalshi_quality_result WHERE run_id = {report.run_id} "
        "AND check_name = 'window_without_hole'",
    )
    assert "2026-09-20T06:00:00" in row["samples"]
    assert "2026-09-20T09:00:00" in row["samples"]
