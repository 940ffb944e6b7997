"""The reconciliation's report: one line, a heat map, and every market that isn't proven."""

from __future__ import annotations

from typing import Any

from kalshi.reports.reconciliation import MOST_MARKETS, RECONCILIATION


def series(ticker: str, proven: int, settled: int, **others: Any) -> dict[str, Any]:
    month = {"series": ticker, "month": "2026-09", "settled": settled, "proven": proven}
    return {"scope": ticker, "state": "success", "settled": settled, "proven": proven, "by_month": [month], **others}


def not_proven(ticker: str) -> dict[str, Any]:
    return {
        "market": ticker,
        "close_time_utc": "2026-09-19T05:00:00Z",
        "trades_verdict": "short",
        "reason": "trades: …",
    }


def test_one_line_says_how_much_is_proven_over_all_series() -> None:
    failed = {"scope": "KXHIGHDEN", "state": "failed", "error": "killed"}
    report = {"series": [series("KXHIGHNY", 1200, 1200), series("KXHIGHCHI", 5, 6), failed]}
    assert RECONCILIATION.summary(report) == "proven: 1,205 of 1,206 settled markets"


def test_the_heat_map_shows_the_proven_share_of_each_series_and_month() -> None:
    chart = RECONCILIATION.chart({"series": [series("KXHIGHNY", 6, 6), series("KXHIGHCHI", 3, 6)]})
    assert chart is not None
    (rows,) = chart.to_dict()["datasets"].values()
    assert {row["series"]: row["share"] for row in rows} == {"KXHIGHNY": 1, "KXHIGHCHI": 0.5}
    assert RECONCILIATION.chart({"series": []}) is None


def test_every_market_that_isnt_proven_is_named_up_to_a_limit_that_the_page_states() -> None:
    few = [not_proven(f"KXHIGHNY-{number}") for number in range(3)]
    section = RECONCILIATION.sections({"series": [series("KXHIGHNY", 0, 3, not_proven=few)]})[0]
    assert [row[0] for row in section.rows] == ["KXHIGHNY-0", "KXHIGHNY-1", "KXHIGHNY-2"]
    assert "report.json" not in section.intro
    many = [not_proven(f"KXHIGHNY-{number}") for number in range(MOST_MARKETS + 1)]
    section = RECONCILIATION.sections({"series": [series("KXHIGHNY", 0, len(many), not_proven=many)]})[0]
    assert len(section.rows) == MOST_MARKETS
    assert f"The first {MOST_MARKETS} of {len(many)}; report.json has all." in section.intro
