"""The report of the reconciliation: how much is proven by the exchange's own volume, and what isn't."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import sqlalchemy as sa

from kalshi.cells import Table
from kalshi.reports.charts import BY_SERIES, by_date, chart
from kalshi.reports.runs import MOST_SERIES, RunPage, RunReport, rows_of, section, worst_of
from kalshi.sync.reconciliation import Disagreement, Kind, NotProven, ReconciliationReport
from kalshi.sync.report import Field

if TYPE_CHECKING:
    import altair as alt


class Category(msgspec.Struct):
    """The settled markets that were compared in the series of one category."""

    category: Annotated[str, Field("category of the series", "category")]
    series: Annotated[int, Field("series", "series")]
    settled: Annotated[int, Field("settled markets", "settled")]
    proven: Annotated[int, Field("those that are proven", "proven")]


class ReconciliationRun(RunReport[ReconciliationReport], kw_only=True):
    """The report of ``kalshi_reconciliation``."""

    categories: Annotated[list[Category], Field("by category of the series, worst first")]


def _details(connection: sa.Connection, wanted: list[str], runs: list[int]) -> dict[str, Any]:
    return {"categories": rows_of(connection, "reconciliation_by_category", Category, series=wanted)}


def proven(report: ReconciliationRun) -> str:
    """The whole report in one line."""
    settled, found = (sum(getattr(series, name) for series in report.series) for name in ("settled", "proven"))
    return f"proven: {found:,} of {settled:,} settled markets"


def _sections(report: ReconciliationRun) -> list[Table]:
    open_ones = [market for series in report.series for market in series.not_proven]
    kinds = [kind for series in report.series for kind in series.by_kind]
    return [
        section(
            "By category",
            "Settled markets of these series, whenever they closed, by their latest verdict.",
            Category,
            report.categories if len(report.categories) > 1 else [],
        ),
        section(
            "Markets that aren't proven",
            "Volumes in contracts. kalshi_reconciliation keeps the latest verdict on every market.",
            NotProven,
            open_ones,
        ),
        section(
            "Differences by kind",
            "The exchange doesn't document whether its volume and its candles count block trades; where a market has "
            "some, this says in which way the figures agree.",
            Kind,
            kinds if len(report.series) <= MOST_SERIES else _together(kinds),
        ),
        section(
            "Where the exchange disagrees with itself",
            "Proven markets whose trades and candles, both as the exchange sent them, differ in some minutes.",
            Disagreement,
            [market for series in report.series for market in series.exchange_disagrees],
        ),
    ]


def _together(kinds: Iterable[Kind]) -> list[Kind]:
    """The kinds of all series in one."""
    added: dict[tuple[str, str], Kind] = {}
    for kind in kinds:
        all_series = added.setdefault((kind.of, kind.kind), Kind("all", kind.of, kind.kind, 0, Decimal(0)))
        all_series.markets += kind.markets
        all_series.contracts += kind.contracts
    return list(added.values())


def _heat_map(report: ReconciliationRun) -> alt.Chart | None:
    return chart(
        [month for series in worst_of(report.series) for month in series.by_month],
        transform=[{"calculate": "datum.proven / datum.settled", "as": "share"}],
        mark={"type": "rect", "stroke": "var(--ground)", "strokeWidth": 1},
        encoding={
            "x": by_date("month"),
            "y": BY_SERIES,
            "color": {
                "field": "share",
                "type": "quantitative",
                "title": "proven",
                "scale": {"domain": [0, 0.5, 1], "range": "heatmap"},
                "legend": {"format": ".0%"},
            },
        },
        width={"step": 44},
        height={"step": 26},
    )


RECONCILIATION = RunPage(
    job="reconciliation",
    title="Kalshi reconciliation",
    intro="Settled markets against the exchange's own volume. “Read again”: markets that weren't proven; “deleted”: "
    "rows that the exchange doesn't have; “postponed”: markets that were read again within the last week, or are too "
    "many for this run.",
    report=ReconciliationRun,
    series=ReconciliationReport,
    details=_details,
    sections=_sections,
    chart=_heat_map,
    chart_title="Proven by month",
    chart_intro="The share of the settled markets, by the month in which they closed; of many series, the "
    f"{MOST_SERIES} worst.",
    summary=proven,
)
