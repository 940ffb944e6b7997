"""Runs the suites with Great Expectations, in the database, on the partitions of one run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any

import great_expectations as gx
import msgspec
import sqlalchemy as sa
from great_expectations.core.batch_definition import BatchDefinition
from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.datasource.fluent.sql_datasource import QueryAsset, SQLDatasource
from great_expectations.expectations.metadata_types import FailureSeverity

from kalshi.quality.expectations import IN_ALL, ExpectRowsToObey
from kalshi.quality.scope import Scope
from kalshi.quality.suites import SUITES, Check, Suite
from kalshi.settings import CheckRule, QualitySettings, SettingsError
from kalshi.warehouse import sql

GX_SEVERITY = {"error": "critical", "warning": "warning", "info": "info"}
WHOLE = "partition"
"""The batch definition of all rows of an asset."""


@dataclass(frozen=True)
class Finding:
    """The result of one check. ``state``: passed, failed, empty (nothing to check) or broken (it couldn't run)."""

    check: str
    table: str
    rule: CheckRule
    state: str
    about: str
    checked: int
    violations: int
    samples: list[dict[str, Any]]
    query: str

    @property
    def is_fault(self) -> bool:
        return self.state in ("failed", "broken")

    @property
    def severity(self) -> str:
        """A check that couldn't run is an error, whatever its configured severity."""
        return "error" if self.state == "broken" else self.rule.severity


def rule_of(rules: QualitySettings, check: str) -> CheckRule:
    """The rule of a check. Raises SettingsError if kalshi.toml has none."""
    try:
        return rules.checks[check]
    except KeyError:
        raise SettingsError(f"kalshi.toml has no rule for the check {check}: add it to [quality.checks].") from None


def run_suites(engine: sa.Engine, scope: Scope, rules: QualitySettings) -> list[Finding]:
    """Run every check of every suite on the scope's partitions. Nothing leaves this machine.

    Raises:
        SettingsError: kalshi.toml lacks the severity of a check.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}  # type: ignore[assignment]
    values = scope.values(rules)
    parts = [
        (suite, list(checks)) for suite in SUITES for _, checks in groupby(suite.checks, key=lambda check: check.batch)
    ]
    # All at once: a context writes out everything that it holds each time something is added to it.
    source = context.data_sources.add_sql(
        "warehouse",
        connection_string="mysql+pymysql://",
        # Great Expectations uses our connections, so it needs no password.
        kwargs={"creator": engine.raw_connection, "poolclass": sa.NullPool},  # type: ignore[call-arg]
        assets=[_asset(suite, checks[0], values) for suite, checks in parts],
    )
    return [finding for suite, checks in parts for finding in _run(source, suite, checks, values, rules)]


def _name(suite: Suite, check: Check) -> str:
    return f"{suite.table}.{check.batch}"


def _asset(suite: Suite, check: Check, values: dict[str, Any]) -> QueryAsset:
    """The partition that a check reads."""
    whole = BatchDefinition[Any](name=WHOLE, partitioner=None)
    query = sql.written_out(check.partition(), values)
    return QueryAsset(name=_name(suite, check), query=query, batch_definitions=[whole])


def _run(
    source: SQLDatasource, suite: Suite, checks: list[Check], values: dict[str, Any], rules: QualitySettings
) -> list[Finding]:
    """Run the checks of one suite that read the same partition."""
    name = _name(suite, checks[0])
    expected = [_expectation(check, rule_of(rules, check.name), values, rules.samples) for check in checks]
    results = (
        source.get_asset(name)
        .get_batch_definition(WHOLE)
        .get_batch()
        .validate(gx.ExpectationSuite(name, expectations=expected), result_format="COMPLETE")
        .results
    )
    by_name = {r.expectation_config.kwargs["check"]: r for r in results if r.expectation_config}
    return [_finding(suite.table, check, rule_of(rules, check.name), by_name[check.name]) for check in checks]


def _expectation(check: Check, rule: CheckRule, values: dict[str, Any], samples: int) -> ExpectRowsToObey:
    query = sql.written_out(check.query(), values)
    sample = f"SELECT broken.*, COUNT(*) OVER () AS {IN_ALL} FROM (\n{query}\n) AS broken LIMIT {samples}"
    return ExpectRowsToObey(
        check=check.name,
        about=check.about,
        mostly=rule.mostly,
        severity=FailureSeverity(GX_SEVERITY[rule.severity]),
        unexpected_rows_query=sample,
    )


def _finding(table: str, check: Check, rule: CheckRule, result: ExpectationValidationResult) -> Finding:
    finding = partial(Finding, check.name, table, rule, about=check.about, query=check.query().strip())
    if why := _exception(result.exception_info):
        return finding(state="broken", checked=0, violations=0, samples=[{"error": why}])
    details = result.result["details"]
    state = "failed" if not result.success else "passed" if details["checked"] else "empty"
    return finding(
        state=state,
        checked=details["checked"],
        violations=details["violations"],
        samples=msgspec.to_builtins(details["unexpected_rows"]),
    )


def _exception(info: dict[str, Any]) -> str | None:
    """Why a check couldn't run: GX reports it for the expectation, or for each metric that it needed."""
    reports = [info] if "raised_exception" in info else list(info.values())
    return next((str(report["exception_message"]) for report in reports if report["raised_exception"]), None)
