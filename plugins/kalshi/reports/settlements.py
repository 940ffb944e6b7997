"""The report of the settlements sync: what settled, what is missing or odd, and how long settlement took."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from kalshi.cells import Table, table
from kalshi.reports.charts import BY_SERIES, chart_of
from kalshi.reports.runs import RunPage, RunReport, rows_of
from kalshi.sync.report import Field
from kalshi.sync.settlements import SettlementsReport

ODD = {
    "without_result": "settled without a result",
    "overdue": "past its close, not settled",
    "events_without_one_yes": "event without exactly one YES",
}
MOST_ODD_ROWS = 50


class SettledEvent(msgspec.Struct):
    """How long an event took to settle."""

    series: Annotated[str, Field("series ticker")]
    event: Annotated[str, Field("event ticker")]
    day: Annotated[str, Field("the UTC day on which it settled")]
    hours: Annotated[float | None, Field("hours from close to settlement, of its slowest market")]


class SettlementsRun(RunReport[SettlementsReport], kw_only=True):
    """The report of ``kalshi_settlements_sync``."""

    hours_to_settle: Annotated[list[SettledEvent], Field("the events of the last 90 days")]


def _details(connection: sa.Connection, wanted: list[str], runs: list[int]) -> dict[str, Any]:
    return {"hours_to_settle": rows_of(connection, "settlements_delays", SettledEvent, series=wanted)}


def _sections(report: SettlementsRun) -> list[Table]:
    odd = [[s.scope, what, name] for s in report.series for field, what in ODD.items() for name in getattr(s, field)]
    limit = f" The first {MOST_ODD_ROWS} of {len(odd)}; report.json has all." if len(odd) > MOST_ODD_ROWS else ""
    intro = f"A market usually settles within hours of its close; check any that stays on this list.{limit}"
    headers = ["series", "problem", "market or event"]
    return [table("Missing or odd settlements", headers, odd[:MOST_ODD_ROWS], intro=intro)]


SETTLEMENTS = RunPage(
    job="settlements",
    title="Kalshi settlements",
    intro="“Settled”: in the warehouse now. “Amended”: the exchange changed a known result or value. “Overdue”: past "
    "its close without a settlement.",
    report=SettlementsRun,
    series=SettlementsReport,
    details=_details,
    sections=_sections,
    chart=chart_of(
        "hours_to_settle",
        mark={"type": "point", "filled": True, "size": 35, "opacity": 0.7},
        encoding={
            "x": {"field": "day", "type": "temporal", "title": None},
            "y": {"field": "hours", "type": "quantitative", "title": "hours from close to settlement"},
            "color": BY_SERIES,
        },
        width=900,
        height=240,
    ),
    chart_title="Time to settle",
    chart_intro="Each point is an event that settled in the last 90 days.",
)
