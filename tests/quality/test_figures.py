"""The results of a quality run on clean data: green, with figures that match the rows."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.quality.fees import fee
from kalshi.quality.readiness import fills
from kalshi.quality.run import NothingChecked
from kalshi.settings import load_settings
from tests.support.databases import select
from tests.support.quality import COMPARED, DAY, SEP_20, build_dense_minutes, check, plant

MINUTE = timedelta(minutes=1)
RULES = load_settings().quality


def test_clean_data_is_green_and_every_check_had_rows_to_check(filled_on_both: sa.Engine) -> None:
    plant(
        filled_on_both,
        "INSERT INTO kalshi_price_snapshot (market_ticker, snapshot_at_utc, observed_at_utc, yes_bid, yes_ask, volume, "
        "is_empty_book, run_id) SELECT market_ticker, '2026-09-20 15:00', '2026-09-20 15:00', 0.1, 0.2, 1, 0, 1 "
        "FROM kalshi_market WHERE event_ticker = 'KXHIGHNY-26SEP20'",
        COMPARED.format("proven", "proven", 19),
    )
    build_dense_minutes(filled_on_both)
    report = check(filled_on_both)
    assert (report.state, report.warnings, report.broken_errors, report.broken_warnings) == (
        "success",
        [],
        [],
        [],
    )
    rows = select(filled_on_both, f"SELECT * FROM kalshi_quality_result WHERE run_id = {report.run_id}")
    assert {row["check_name"] for row in rows} == set(RULES.checks), "every rule of kalshi.toml, and no other"
    assert {row["state"] for row in rows if row["severity"] != "info"} == {"passed"}
    assert report.checks == len(rows)


def candles_by_market(engine: sa.Engine) -> dict[str, dict[datetime, dict[str, Any]]]:
    by_market: dict[str, dict[datetime, dict[str, Any]]] = defaultdict(dict)
    for row in select(engine, "SELECT * FROM kalshi_candle_1m"):
        by_market[row["market_ticker"]][row["bucket_start_utc"]] = row
    return by_market


def is_quote(candle: dict[str, Any]) -> bool:
    return bool(candle["yes_bid_close"] > 0 or candle["yes_ask_close"] < 1)


def counted_by_hand(life: list[datetime], candles: dict[datetime, dict[str, Any]]) -> dict[str, int]:
    """The minutes of a market's life on a day, one by one."""
    there = [minute in candles for minute in life]
    quoted = gap = longest = 0
    for minute, is_there in zip(life, there, strict=True):
        gap = 0 if is_there else gap + 1
        longest = max(longest, gap)
        recent = (candles.get(minute - age * MINUTE) for age in range(RULES.quote_minutes + 1))
        latest = next((candle for candle in recent if candle), None)
        quoted += latest is not None and is_quote(latest)
    return {
        "expected_minutes": len(life),
        "present_minutes": sum(there),
        "missing_minutes": len(life) - sum(there),
        "quoted_minutes": quoted,
        "longest_gap_minutes": longest,
    }


def test_coverage_is_what_counting_minute_by_minute_gives(filled_on_both: sa.Engine) -> None:
    empty = (
        "market_ticker = 'KXHIGHNY-26SEP20-B65.5' "
        "AND bucket_start_utc BETWEEN '2026-09-20 16:00' AND '2026-09-20 17:00'"
    )
    plant(
        filled_on_both,
        f"UPDATE kalshi_candle_1m SET yes_bid_close = 0, yes_bid_low = 0, yes_ask_close = 1, yes_ask_high = 1 "
        f"WHERE {empty}",
        "DELETE FROM kalshi_candle_1m WHERE market_ticker = 'KXHIGHNY-26SEP20-T61'",
    )
    report = check(filled_on_both, SEP_20 - DAY, SEP_20 + DAY)
    candles = candles_by_market(filled_on_both)
    lives = {
        row["market_ticker"]: (row["open_time_utc"], row["close_time_utc"])
        for row in select(filled_on_both, "SELECT market_ticker, open_time_utc, close_time_utc FROM kalshi_market")
    }
    rows = select(filled_on_both, f"SELECT * FROM kalshi_coverage WHERE run_id = {report.run_id}")
    assert len(rows) == 2 * 18
    for row in rows:
        opens, closes = lives[row["market_ticker"]]
        midnight = datetime.combine(row["utc_day"], datetime.min.time())
        minutes = [midnight + n * MINUTE for n in range(1440)]
        life = [minute for minute in minutes if opens <= minute < closes]
        mine = candles[row["market_ticker"]]
        by_hand = counted_by_hand(life, mine)
        assert {name: row[name] for name in by_hand} == by_hand, row["market_ticker"]
        spreads = [c["yes_ask_close"] - c["yes_bid_close"] for m in life if (c := mine.get(m)) and is_quote(c)]
        assert row["widest_spread"] == max(spreads, default=None)
        if spreads:
            assert abs(row["mean_spread"] - sum(spreads) / len(spreads)) < Decimal("0.000001")
        assert row["candles"] == by_hand["present_minutes"]
        first = next((minute for minute in life if minute in mine), None)
        opened_today = midnight <= opens
        assert row["minutes_open_to_first"] == ((first - opens) // MINUTE if opened_today and first else None)
    missing = [row for row in rows if row["market_ticker"] == "KXHIGHNY-26SEP20-T61"]
    assert all(row["missing_minutes"] == row["expected_minutes"] == row["longest_gap_minutes"] for row in missing)
    assert (
        sum(row["empty_books"] for row in rows)
        == select(filled_on_both, f"SELECT COUNT(*) AS n FROM kalshi_candle_1m WHERE {empty}")[0]["n"]
    )


def test_a_minute_from_two_sources_is_one_minute(filled: sa.Engine) -> None:
    before = check(filled)
    plant(
        filled,
        "INSERT INTO kalshi_candle_1m (market_ticker, bucket_start_utc, source, period_minutes, volume, run_id) "
        "SELECT market_ticker, bucket_start_utc, 'trades', 1, 0, 1 FROM kalshi_candle_1m WHERE volume = 0",
        "INSERT INTO kalshi_candle_1m (market_ticker, bucket_start_utc, source, period_minutes, volume, run_id) "
        "SELECT market_ticker, bucket_start_utc + INTERVAL 1 MINUTE, 'trades', 1, 0, 1 FROM kalshi_candle_1m c "
        "WHERE c.source = 'api_event' AND NOT EXISTS (SELECT 1 FROM kalshi_candle_1m n "
        "WHERE n.market_ticker = c.market_ticker AND n.bucket_start_utc = c.bucket_start_utc + INTERVAL 1 MINUTE)",
    )
    after = check(filled)
    totals = [
        select(
            filled,
            "SELECT SUM(present_minutes) AS present, SUM(quoted_minutes) AS quoted, SUM(candles) AS candles, "
            f"SUM(mean_spread) AS spread FROM kalshi_coverage WHERE run_id = {report.run_id}",
        )[0]
        for report in (before, after)
    ]
    assert totals[0]["quoted"] == totals[1]["quoted"], "candles made from trades know no quotes, and end none"
    assert totals[0]["spread"] == totals[1]["spread"]
    assert totals[1]["candles"] > totals[1]["present"] > totals[0]["present"] == totals[0]["candles"]


def test_quotes_at_decisions_are_the_latest_before_them(filled_on_both: sa.Engine) -> None:
    report = check(filled_on_both)
    candles = candles_by_market(filled_on_both)
    rows = select(filled_on_both, f"SELECT * FROM kalshi_decision_coverage WHERE run_id = {report.run_id}")
    assert {row["decision"] for row in rows} == {"day_before_10", "day_10", "open"}
    assert len(rows) == 18
    for row in rows:
        mine = candles[row["market_ticker"]]
        decided = row["decided_at_utc"]
        assert row["candle_present"] == (decided in mine)
        ages = (age for age in range(RULES.quote_minutes + 1) if decided - age * MINUTE in mine)
        age = next(ages, None)
        assert row["quote_age_minutes"] == age
        if age is not None:
            quote = mine[decided - age * MINUTE]
            assert (row["yes_bid"], row["yes_ask"]) == (quote["yes_bid_close"], quote["yes_ask_close"])
            assert row["spread"] == quote["yes_ask_close"] - quote["yes_bid_close"]


def test_the_backtest_earns_what_its_trades_earn(filled_on_both: sa.Engine) -> None:
    report = check(filled_on_both)
    ready = select(
        filled_on_both, f"SELECT * FROM kalshi_readiness WHERE run_id = {report.run_id} AND decision = 'day_10'"
    )
    candles = candles_by_market(filled_on_both)
    trades: dict[str, list[Decimal]] = {"maker": [], "taker": []}
    for row in select(
        filled_on_both,
        "SELECT s.market_ticker, s.settlement_value, d.decided_at_utc FROM kalshi_settlement s "
        "JOIN kalshi_decision_time d ON d.event_ticker = s.event_ticker WHERE d.decision = 'day_10' "
        "AND s.event_ticker = 'KXHIGHNY-26SEP19'",
    ):
        mine = candles[row["market_ticker"]]
        times = (row["decided_at_utc"] - age * MINUTE for age in range(RULES.quote_minutes + 1))
        quote = next((mine[moment] for moment in times if moment in mine), None)
        if not quote or quote["yes_bid_close"] <= 0 or quote["yes_ask_close"] >= 1:
            continue
        payout, bid, ask_price = row["settlement_value"], quote["yes_bid_close"], quote["yes_ask_close"]
        taker_fee = fee("quadratic", Decimal(1), ask_price, is_maker=False)
        assert taker_fee is not None
        trades["taker"].append(payout - ask_price - taker_fee)
        if fills(RULES, row["market_ticker"], "day_10"):
            trades["maker"].append(payout - bid)
    (row,) = ready
    assert (row["events"], row["settled_markets"]) == (10, 60)
    assert row["taker_trades"] == len(trades["taker"]) > 0
    assert row["maker_trades"] == len(trades["maker"])
    assert (row["taker_pnl"], row["maker_pnl"]) == (sum(trades["taker"]), sum(trades["maker"]))


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ("DELETE FROM kalshi_candle_1m", "no candles"),
        ("UPDATE kalshi_candle_1m SET bucket_start_utc = bucket_start_utc + INTERVAL 9 DAY", "no quotes"),
        ("DELETE FROM kalshi_settlement", "no settlements"),
        (
            "UPDATE kalshi_candle_1m SET yes_ask_high = 0.99, yes_ask_close = 0.99, yes_bid_close = 0.01",
            "no fillable spread",
        ),
    ],
)
def test_a_series_in_which_nothing_could_be_traded_says_why(filled: sa.Engine, lost: str, reason: str) -> None:
    plant(filled, lost)
    report = check(filled)
    assert "backtest_ready" in report.broken_errors
    rows = select(filled, f"SELECT * FROM kalshi_readiness WHERE run_id = {report.run_id}")
    assert {row["decision"]: row["reason"] for row in rows}["day_10"] == reason
    assert all(row["reason"] and not row["taker_trades"] for row in rows)


def test_the_dice_of_a_makers_fills_are_seeded_and_fair() -> None:
    names = [f"KXHIGHNY-26SEP{day:02}-B{n}" for day in range(1, 31) for n in range(50)]
    filled = [fills(RULES, name, "day_10") for name in names]
    assert filled == [fills(RULES, name, "day_10") for name in names]
    assert abs(sum(filled) / len(filled) - RULES.readiness.maker_fill_probability) < 0.05


@pytest.mark.parametrize(
    ("fee_type", "price", "is_maker", "expected"),
    [
        ("quadratic", "0.50", False, "0.02"),  # 0.0175, rounded up
        ("quadratic", "0.01", False, "0.01"),
        ("quadratic", "0.50", True, "0.00"),
        ("quadratic_with_maker_fees", "0.50", True, "0.01"),  # 0.004375
        ("flat", "0.50", False, None),
        (None, "0.50", False, None),
    ],
)
def test_fees_follow_the_type_of_the_series(
    fee_type: str | None, price: str, is_maker: bool, expected: str | None
) -> None:
    found = fee(fee_type, Decimal(1), Decimal(price), is_maker=is_maker)
    assert found == (None if expected is None else Decimal(expected))


def test_a_hundred_contracts_pay_for_all_of_them_at_once() -> None:
    assert fee("quadratic", Decimal(1), Decimal("0.50"), Decimal(100), is_maker=False) == Decimal("1.75")


def test_a_window_in_which_nothing_is_open_is_no_success(filled: sa.Engine) -> None:
    with pytest.raises(NothingChecked, match="nothing was checked"):
        check(filled, SEP_20 - 400 * DAY, SEP_20 - 399 * DAY)
    (run,) = select(filled, "SELECT state FROM kalshi_sync_run WHERE job = 'quality'")
    assert run["state"] == "failed"


def test_a_window_of_half_a_day_is_refused(filled: sa.Engine) -> None:
    with pytest.raises(ValueError, match="whole UTC days"):
        check(filled, SEP_20, SEP_20 + DAY / 2)


def test_two_runs_leave_two_rows_each_and_the_view_shows_the_latest(filled: sa.Engine) -> None:
    check(filled)
    latest = check(filled)
    assert select(filled, "SELECT COUNT(*) AS n FROM kalshi_coverage")[0]["n"] == 2 * 18
    for view in ("kalshi_coverage_latest", "kalshi_decision_coverage_latest"):
        (row,) = select(filled, f"SELECT COUNT(*) AS n, MIN(run_id) AS oldest FROM {view}")
        assert (row["n"], row["oldest"]) == (18, latest.run_id)


def test_of_two_runs_at_the_same_time_the_later_one_counts_whichever_ends_first(filled_on_both: sa.Engine) -> None:
    check(filled_on_both)
    for table in ("kalshi_coverage", "kalshi_decision_coverage"):
        plant(filled_on_both, f"UPDATE {table} SET run_id = run_id + 1000")
    earlier = check(filled_on_both)
    for view in ("kalshi_coverage_latest", "kalshi_decision_coverage_latest"):
        (row,) = select(filled_on_both, f"SELECT COUNT(*) AS n, MIN(run_id) AS oldest FROM {view}")
        assert row["n"] == 18
        assert row["oldest"] > earlier.run_id
