"""Great Expectations' Data Docs of a quality run: a page per series and table, readable offline."""

from __future__ import annotations

from collections.abc import Set
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path

import nh3
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView

from kalshi.quality.expectations import ExpectRowsToObey
from kalshi.quality.validate import GX_SEVERITY
from kalshi.reports.files import SYNTHETIC, TEMPLATES
from kalshi.reports.quality import CheckResult, QualityRun

HELD = ("passed", "empty")
"""The states of a check that nothing broke."""
WITHOUT_CONTENT = {"script", "style", "title", "nav", "footer", "label"}
"""The elements of which not even the words stay: code, styles, and what leads nowhere in a page by itself."""


def write_data_docs(folder: Path, report: QualityRun, series: Set[str]) -> None:
    """Write ``data_docs/<series>/<table>.html`` below ``folder`` from the checks that a quality report has of these
    series."""
    checks = sorted((c for c in report.checks if c.series in series), key=lambda check: (check.series, check.table))
    for (ticker, table), group in groupby(checks, key=lambda check: (check.series, check.table)):
        page = folder / "data_docs" / ticker / f"{table}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        result = _result(f"{ticker}: {table}", table, list(group), report)
        document = ValidationResultsPageRenderer(run_info_at_end=True).render(result)
        html = DefaultJinjaPageView().render(document, show_how_to_buttons=False)  # type: ignore[no-untyped-call]
        notice = SYNTHETIC if report.is_synthetic else ""
        page.write_text(offline(html, f"{ticker}: {table}", notice), encoding="utf-8")


def offline(html: str, title: str, notice: str = "") -> str:
    """The words and tables of a page in a page of our own, with ``notice`` at the top: without scripts, forms, and
    anything from other machines."""
    body = nh3.clean(
        html,
        tags=nh3.ALLOWED_TAGS - WITHOUT_CONTENT,
        clean_content_tags=WITHOUT_CONTENT,
        attributes={"*": {"class", "id"}, "a": {"href"}, "td": {"colspan"}, "th": {"colspan"}},
        attribute_filter=lambda _, name, value: value if name != "href" or value.startswith("#") else None,
        link_rel=None,
    )
    return TEMPLATES.get_template("data_docs.html.jinja").render(title=title, notice=notice, body=body)


def _result(name: str, table: str, checks: list[CheckResult], report: QualityRun) -> ExpectationSuiteValidationResult:
    """What was found in a table; it failed if a rule of severity error is broken."""
    results = [_one(check, report.queries.get(check.check, "")) for check in checks]
    passed = sum(bool(result.success) for result in results)
    began = report.began_at_utc or datetime.now(UTC)
    return ExpectationSuiteValidationResult(
        success=not any(check.severity == "error" and check.state not in HELD for check in checks),
        results=results,
        suite_name=name,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(results) - passed,
            "success_percent": 100 * passed / len(results),
        },
        meta={
            "great_expectations_version": version("great-expectations"),
            "batch_spec": {"data_asset_name": table},
            "run_id": {"run_name": report.dag_run_id, "run_time": began.isoformat()},
        },
    )


def _one(check: CheckResult, query: str) -> ExpectationValidationResult:
    expected = ExpectRowsToObey(
        check=f"{check.check} {check.days}".rstrip(),
        about=check.about,
        mostly=check.mostly,
        severity=GX_SEVERITY[check.severity],  # type: ignore[arg-type]
        unexpected_rows_query=query,
    )
    configuration: ExpectationConfiguration = expected.configuration
    return ExpectationValidationResult(
        success=check.state in HELD,
        expectation_config=configuration,
        result={
            "observed_value": f"{check.violations:,} of {check.checked:,} rows",
            "details": {"unexpected_rows": check.samples},
        },
        meta={},
        exception_info={"raised_exception": False, "exception_traceback": None, "exception_message": None},
    )
