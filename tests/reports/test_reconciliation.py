"""The reconciliation's report: one line, a heat map, and every market that isn't proven."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from kalshi.reports.reconciliation import RECONCILIATION, Category, ReconciliationRun
from kalshi.reports.runs import MOST_ROWS, MOST_SERIES, Totals
from kalshi.sync.reconciliation import Kind, NotProven, ProvenMonth, ReconciliationReport


def series(ticker: str, proven: int, settled: int, **others: Any) -> ReconciliationReport:
    month = ProvenMonth(series=ticker, month="2026-09", settled=settled, proven=proven)
    return ReconciliationReport(
        scope=ticker, state="success", settled=settled, proven=proven, by_month=[month], **others
    )


def report(*series: ReconciliationReport) -> ReconciliationRun:
    return ReconciliationRun(
        categories=[],
        job="reconciliation",
        dag_run_id="manual__x",
        is_synthetic=True,
        verdict="success",
        failed=[],
        warned=[],
        totals=Totals(0, 0, 0, 0),
        series=list(series),
    )


def not_proven(ticker: str) -> NotProven:
    return NotProven(
        market=ticker,
        close_time_utc=datetime(2026, 9, 19, 5, tzinfo=UTC),
        exchange_volume=Decimal(3),
        trade_volume=Decimal(2),
        block_trade_volume=Decimal(0),
        candle_volume=Decimal(3),
        trades_verdict="short",
        candles_verdict="proven",
        readings=0,
        reason="trades: …",
    )


def test_one_line_says_how_much_is_proven_over_all_series() -> None:
    failed = ReconciliationReport(scope="KXHIGHDEN", state="failed", error="killed")
    found = report(series("KXHIGHNY", 1200, 1200), series("KXHIGHCHI", 5, 6), failed)
    assert RECONCILIATION.summary(found) == "proven: 1,205 of 1,206 settled markets"


def test_the_heat_map_shows_the_proven_share_of_each_series_and_month() -> None:
    chart = RECONCILIATION.chart(report(series("KXHIGHNY", 6, 6), series("KXHIGHCHI", 3, 6)))
    assert chart is not None
    drawn = chart.to_dict()
    (rows,) = drawn["datasets"].values()
    assert {row["series"]: (row["proven"], row["settled"]) for row in rows} == {"KXHIGHNY": (6, 6), "KXHIGHCHI": (3, 6)}
    assert drawn["transform"] == [{"calculate": "datum.proven / datum.settled", "as": "share"}]
    assert drawn["encoding"]["color"]["field"] == "share"
    assert RECONCILIATION.chart(report()) is None


def test_every_market_that_isnt_proven_is_named_up_to_a_limit_that_the_page_states() -> None:
    few = [not_proven(f"KXHIGHNY-{number}") for number in range(3)]
    section = RECONCILIATION.sections(report(series("KXHIGHNY", 0, 3, not_proven=few)))[1]
    assert [row[0].text for row in section.rows] == ["KXHIGHNY-0", "KXHIGHNY-1", "KXHIGHNY-2"]
    assert "report.json" not in section.intro
    many = [not_proven(f"KXHIGHNY-{number}") for number in range(MOST_ROWS + 1)]
    section = RECONCILIATION.sections(report(series("KXHIGHNY", 0, len(many), not_proven=many)))[1]
    assert len(section.rows) == MOST_ROWS
    assert f"The first {MOST_ROWS} of {len(many)} rows; report.json has all." in section.intro


def test_many_series_are_summed_up() -> None:
    kinds = [Kind(f"KX{number}", "trades", "proven", 2, Decimal("0.5")) for number in range(MOST_SERIES + 1)]
    found = [series(kind.series, 1, 1) for kind in kinds]
    for each, kind in zip(found, kinds, strict=True):
        each.by_kind = [kind]
    many = report(*found)
    many.categories = [Category("Weather", 50, 60, 30), Category("Crypto", 1, 9, 9)]
    by_category, _, by_kind, _ = RECONCILIATION.sections(many)
    assert [row[0].text for row in by_category.rows] == ["Weather", "Crypto"]
    assert [[cell.text.strip() for cell in row] for row in by_kind.rows] == [["all", "trades", "proven", "102", "25.5"]]
    chart = RECONCILIATION.chart(many)
    assert chart is not None
    (rows,) = chart.to_dict()["datasets"].values()
    assert len(rows) == MOST_SERIES
