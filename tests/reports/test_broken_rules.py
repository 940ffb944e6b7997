"""Broken rules in the report of data quality: each once, however many series break it."""

from __future__ import annotations

from typing import Any

from kalshi.reports.quality import CheckResult, broken_rules


def check(series: str, name: str = "candle_prices_in_range", state: str = "failed", **others: Any) -> CheckResult:
    values = {"from_utc": "2026-09-20 00:00", "to_utc": "2026-09-21 00:00", "table": "kalshi_candle_1m"}
    return CheckResult(
        **values | others,
        series=series,
        check=name,
        severity="error",
        state=state,
        about="Prices are prices.",
        checked=1_000,
        violations=700 if state == "failed" else 0,
        mostly=1,
        samples=[],
    )


def test_a_rule_that_several_series_break_is_listed_once_with_their_rows_together() -> None:
    checks = [
        check("KXHIGHNY"),
        check("KXHIGHNY", from_utc="2026-09-25 00:00"),
        check("KXHIGHDEN"),
        check("KXHIGHLAX", state="passed"),
    ]
    (rule,) = broken_rules(checks)
    assert rule.extent == "2,100 of 3,000 rows in 2 series"
    assert [fault.series for fault in rule.faults] == ["KXHIGHNY", "KXHIGHNY", "KXHIGHDEN"]


def test_rules_keep_the_order_of_the_checks() -> None:
    checks = [check("KXHIGHNY", "z"), check("KXHIGHNY", "a"), check("KXHIGHDEN", "z")]
    assert [rule.first.check for rule in broken_rules(checks)] == ["z", "a"]


def test_a_check_that_could_not_run_says_so() -> None:
    (rule,) = broken_rules([check("KXHIGHNY", state="broken")])
    assert rule.extent == "the check could not run in KXHIGHNY"


def test_nothing_is_listed_if_every_rule_holds() -> None:
    assert broken_rules([check("KXHIGHNY", state="passed"), check("KXHIGHNY", state="empty")]) == []
