"""The report of the retention: the months that were dropped on purpose, or would be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kalshi.cells import Table
from kalshi.reports.charts import by_date, chart
from kalshi.reports.runs import RunPage, RunReport, section
from kalshi.sync.retention import OldMonth, RetentionReport

if TYPE_CHECKING:
    import altair as alt


class RetentionRun(RunReport[RetentionReport], kw_only=True):
    """The report of ``kalshi_retention``."""


def _old_months(report: RetentionRun) -> list[OldMonth]:
    return [month for table in report.series for month in table.old_months]


def _sections(report: RetentionRun) -> list[Table]:
    intro = "kalshi_dropped_month keeps what was dropped, when, and where it was exported to."
    return [section("Months older than configured", intro, OldMonth, _old_months(report))]


def _chart(report: RetentionRun) -> alt.Chart | None:
    return chart(
        _old_months(report),
        mark={"type": "bar"},
        encoding={
            "x": by_date("month"),
            "y": {"field": "rows", "type": "quantitative", "title": "rows", "stack": True},
            "color": {"field": "table", "type": "nominal", "title": None},
        },
        width=700,
        height=220,
    )


def _summary(report: RetentionRun) -> str:
    months = _old_months(report)
    gone = [month for month in months if month.fate == "dropped"]
    rows = f"{sum(month.rows for month in gone):,} rows"
    if gone or not months:
        return f"dropped: {len(gone)} months, {rows}"
    would = f"{len(months)} months, {sum(month.rows for month in months):,} rows"
    return f"would be dropped: {would}" if months[0].fate != "kept" else f"nothing dropped; still there: {would}"


RETENTION = RunPage(
    job="retention",
    title="Kalshi retention",
    intro="Whole months (UTC) that are older than configured. Without “months to keep”, all of a table is kept.",
    report=RetentionRun,
    series=RetentionReport,
    sections=_sections,
    chart=_chart,
    chart_title="Rows by month",
    chart_intro="Of the months that are older than configured.",
    summary=_summary,
    hidden=("inserted", "updated", "unchanged", "rejected", "requests", "retries", "throttled_seconds"),
    failure="failed",
)
