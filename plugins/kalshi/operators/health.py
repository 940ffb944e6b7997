"""The operator of ``kalshi_health_check``."""

from __future__ import annotations

from typing import Any

from airflow.sdk.exceptions import AirflowFailException
from tabulate import tabulate

from kalshi.operations.doctor import examine
from kalshi.operations.health import health_report, write_health
from kalshi.operators.common import KalshiOperator, describe_run, whereabouts
from kalshi.settings import load_settings


class HealthCheckOperator(KalshiOperator):
    """Runs the doctor's checks, writes the report, then fails if a check did."""

    def execute(self, context: Any) -> str:
        findings = examine()
        self.log.info("\n%s", tabulate([(f.state, f.check, f.words) for f in findings], disable_numparse=True))
        report = health_report(context["dag_run"].run_id, findings)
        describe_run(report, context)
        page = write_health(report, findings, load_settings().reports.path / self.dag_id)
        self.log.info("The report: %s", whereabouts(page))
        if report.failed:
            raise AirflowFailException(
                f"Failed: {', '.join(report.failed)}; the report says what to do: {whereabouts(page)}"
            )
        return str(page)
