"""The report of thousands of series: the worst are on its page, all are in report.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kalshi.quality.report import QualityReport
from kalshi.reports.quality import QUALITY, Category, CheckResult, Covered, QualityRun
from kalshi.reports.runs import MOST_SERIES, Totals

MANY = 1_500
BAD = 60
"""How many of them fail; they come last."""


def _check(series: str, name: str, *, violations: int) -> CheckResult:
    return CheckResult(
        series=series,
        from_utc="2026-09-20 00:00",
        to_utc="2026-09-21 00:00",
        check=name,
        table="kalshi_candle_1m",
        severity="error",
        state="failed" if violations else "passed",
        about="Prices are prices.",
        checked=1_000,
        violations=violations,
        mostly=1,
        samples=[{"market_ticker": f"{series}-1", "price": "1.2"}] * min(violations, 20),
    )


@pytest.fixture(scope="module")
def report() -> QualityRun:
    names = [f"KX{number:04}" for number in range(MANY)]
    bad = set(names[-BAD:])
    series: list[Any] = [
        QualityReport(
            scope=name,
            state="failed" if name in bad else "success",
            run_id=1,
            warnings=["error: a rule is broken"] if name in bad else [],
            broken_errors=["rule_0"] if name in bad else [],
        )
        for name in names
    ]
    return QualityRun(
        job="quality",
        dag_run_id="whole",
        is_synthetic=True,
        verdict="failed",
        failed=sorted(bad),
        warned=[],
        series=series,
        totals=Totals(0, 0, 0, 0),
        checks=[
            _check(name, f"rule_{rule}", violations=int(name[2:]) if name in bad and rule == 0 else 0)
            for rule in range(50)
            for name in names
        ],
        categories=[Category("Crypto", 2_000, 60, 0, 9_000, 10, 5), Category("Weather", 1_000, 0, 0, 0, 10, 10)],
        queries={},
        coverage=[
            Covered(name, 1, 100 if number else 0, 50, MANY - number, 9, 0, None, None)
            for number, name in enumerate(names)
        ],
        coverage_by_day=[],
        worst_markets=[],
        decisions=[],
        readiness=[],
        changes=[],
    )


@pytest.fixture(scope="module")
def folder(report: QualityRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return QUALITY.write(report, tmp_path_factory.mktemp("many")).parent


def test_the_page_shows_the_worst_and_says_of_how_many(folder: Path) -> None:
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert len(page) < 2_000_000
    assert f"The {MOST_SERIES} worst of 1,500 series; report.json has all." in page
    assert "KX1499" in page
    assert "The first 200 of 1,500 rows; report.json has all." in page
    assert "And 50 more; report.json has all." in page, "of a rule, the series with the most rows"
    assert page.index("By category") < page.index("Crypto") < page.index("Weather")


def test_all_series_are_in_report_json(folder: Path) -> None:
    told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert len(told["series"]) == len(told["coverage"]) == MANY
    assert len(told["failed"]) == BAD


def test_data_docs_are_those_that_the_page_links_to(folder: Path) -> None:
    linked = {path.name for path in (folder / "data_docs").iterdir()}
    assert MOST_SERIES <= len(linked) <= MOST_SERIES + 10


def test_the_log_names_the_worst_only(report: QualityRun) -> None:
    text = QUALITY.text(report)
    assert "KX1445" in text
    assert len(text.splitlines()) < 600
