"""The expectation that all suites consist of: (almost) no row violates a rule written in SQL."""

from __future__ import annotations

from typing import Any, ClassVar

from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.expectations.expectation import BatchExpectation, render_suite_parameter_string
from great_expectations.render.components import (
    CollapseContent,
    LegacyDiagnosticRendererType,
    LegacyRendererType,
    RenderedStringTemplateContent,
    RenderedTableContent,
)
from great_expectations.render.renderer.renderer import renderer

IN_ALL = "violations_in_all"
"""The column with the total number of failing rows, of which the query returns only a few."""


class ExpectRowsToObey(BatchExpectation):
    """At least ``mostly`` of the batch's rows obey the rule ``about``.

    ``unexpected_rows_query`` returns a sample of those that don't. Each sample row carries their total number,
    so that the rows stay in the database and the partition is read only once.
    """

    check: str
    about: str
    unexpected_rows_query: str
    mostly: float = 1.0

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.table", "table.row_count")
    success_keys: ClassVar[tuple[str, ...]] = ("check", "about", "unexpected_rows_query", "mostly")
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id", "row_condition", "condition_parser")

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        rows = [dict(row) for row in metrics["unexpected_rows_query.table"]]
        violations = int(rows[0][IN_ALL]) if rows else 0
        checked = int(metrics["table.row_count"])
        samples = [{name: value for name, value in row.items() if name != IN_ALL} for row in rows]
        return {
            "success": violations <= (1 - self.mostly) * checked,
            "result": {
                "observed_value": f"{violations} of {checked} rows",
                "details": {"checked": checked, "violations": violations, "unexpected_rows": samples},
            },
        }

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    @render_suite_parameter_string
    def _prescriptive_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None, **_: Any
    ) -> list[RenderedStringTemplateContent]:
        values = configuration.kwargs
        mostly = values.get("mostly", 1)
        share = "" if mostly == 1 else f" At least {mostly:.0%} of the rows."
        text = {"template": f"{values['check']}: $about{share}", "params": {"about": values["about"]}}
        return [RenderedStringTemplateContent(content_block_type="string_template", string_template=text)]

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.STATUS_ICON)
    def _diagnostic_status_icon_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None, **_: Any
    ) -> RenderedStringTemplateContent:
        """A word instead of a symbol: “passed”, or how severe it is that the rule is broken."""
        severity = str(result.expectation_config.severity.value)
        word = "passed" if result.success else {"critical": "error"}.get(severity, severity)
        styling = {"params": {"word": {"classes": ["pass" if result.success else word], "tag": "span"}}}
        text = {"template": "$word", "params": {"word": word}, "styling": styling}
        return RenderedStringTemplateContent(content_block_type="string_template", string_template=text)

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.UNEXPECTED_TABLE)
    def _diagnostic_unexpected_table_renderer(
        cls,
        configuration: Any = None,
        result: ExpectationValidationResult | None = None,
        runtime_configuration: Any = None,
    ) -> list[RenderedTableContent | CollapseContent] | None:
        rows = result.result.get("details", {}).get("unexpected_rows") if result else None
        if not rows:
            return None
        return [
            RenderedTableContent(
                content_block_type="table",
                header_row=list(rows[0]),
                table=[[str(value) for value in row.values()] for row in rows],
                styling={"body": {"classes": ["table-bordered", "table-sm", "mt-3"]}},
            )
        ]
