"""Great Expectations' Data Docs of a quality run: a page per series and table, readable offline."""

from __future__ import annotations

import re
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
from great_expectations.render.view.view import DefaultJinjaPageView

from kalshi.quality.expectations import ExpectRowsToObey
from kalshi.quality.validate import GX_SEVERITY
from kalshi.reports.files import SYNTHETIC

STYLE = (Path(__file__).parent / "templates" / "data_docs.css").read_text(encoding="utf-8")
OUTSIDE = re.compile(
    r"<script\b.*?</script>|<link\b[^>]*>|<img\b[^>]*>|<footer\b.*?</footer>|<nav\b.*?</nav>"
    r"|\s(?:href|src|action)=(?:\"[^#\"][^\"]*\"|'[^#'][^']*')|url\(['\"]?https?:[^)]*\)"
    r"|\son\w+=\"[^\"]*\"",
    re.DOTALL | re.IGNORECASE,
)
"""Whatever in Data Docs would contact another machine, lead nowhere here or run code: scripts, styles, pictures,
buttons."""
BODY = re.compile(r"<body\b[^>]*>")


def write_data_docs(folder: Path, report: dict[str, Any]) -> None:
    """Write ``data_docs/<series>/<table>.html`` below ``folder`` from the checks of a quality report."""
    checks = sorted(report["checks"], key=lambda check: (check["series"], check["table"]))
    for (series, table), group in groupby(checks, key=lambda check: (check["series"], check["table"])):
        page = folder / "data_docs" / series / f"{table}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        result = _result(f"{series}: {table}", list(group), report["queries"])
        document = ValidationResultsPageRenderer(run_info_at_end=True).render(result)
        html = DefaultJinjaPageView().render(document, show_how_to_buttons=False)  # type: ignore[no-untyped-call]
        page.write_text(offline(html, SYNTHETIC if report["is_synthetic"] else ""), encoding="utf-8")


def offline(html: str, notice: str = "") -> str:
    """The page without anything from other machines, in our own style, with ``notice`` at the top."""
    own = OUTSIDE.sub("", html).replace("</head>", f"<style>{STYLE}</style></head>", 1)
    return BODY.sub(rf'\g<0><p class="synthetic">{notice}</p>', own, count=1) if notice else own


def _result(name: str, checks: list[dict[str, Any]], queries: dict[str, str]) -> ExpectationSuiteValidationResult:
    results = [_one(check, queries.get(check["check"], "")) for check in checks]
    passed = sum(bool(result.success) for result in results)
    return ExpectationSuiteValidationResult(
        success=passed == len(results),
        results=results,
        suite_name=name,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(results) - passed,
            "success_percent": 100 * passed / len(results),
        },
        meta={"great_expectations_version": version("great-expectations")},
    )


def _one(check: dict[str, Any], query: str) -> ExpectationValidationResult:
    expected = ExpectRowsToObey(
        check=f"{check['check']} {check['days']}".rstrip(),
        about=check["about"],
        mostly=check["mostly"],
        severity=GX_SEVERITY[check["severity"]],  # type: ignore[arg-type]
        unexpected_rows_query=query,
    )
    configuration: ExpectationConfiguration = expected.configuration
    return ExpectationValidationResult(
        success=check["state"] in ("passed", "empty"),
        expectation_config=configuration,
        result={
            "observed_value": f"{check['violations']:,} of {check['checked']:,} rows",
            "details": {"unexpected_rows": check["samples"]},
        },
        meta={},
        exception_info={"raised_exception": False, "exception_traceback": None, "exception_message": None},
    )
