"""The report of the candles sync: how many candles each day has."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from kalshi.reports.charts import BY_SERIES, by_date, chart_of
from kalshi.reports.runs import RunPage, RunReport, rows_of
from kalshi.sync.candles import CandlesReport
from kalshi.sync.report import Field


class CandleDay(msgspec.Struct):
    """The candles of a series' event day."""

    series: Annotated[str, Field("series ticker")]
    day: Annotated[str, Field("event day")]
    candles: Annotated[int, Field("number of candles")]
    markets: Annotated[int, Field("markets with candles")]


class CandlesRun(RunReport[CandlesReport], kw_only=True):
    """The report of ``kalshi_candles_daily`` and ``kalshi_candles_backfill``."""

    candles_by_day: Annotated[list[CandleDay], Field("the 60 event days up to the latest with candles")]


def _details(connection: sa.Connection, wanted: list[str], runs: list[int]) -> dict[str, Any]:
    return {"candles_by_day": rows_of(connection, "candles_by_day", CandleDay, series=wanted)}


CANDLES = RunPage(
    job="candles",
    title="Kalshi candles",
    intro="“Ideal”: the number of requests if every response were full (10,000 candles). A window that is already "
    "complete is not read again.",
    report=CandlesRun,
    series=CandlesReport,
    details=_details,
    chart=chart_of(
        "candles_by_day",
        mark={"type": "rect", "stroke": "var(--ground)", "strokeWidth": 1},
        encoding={
            "x": by_date("day"),
            "y": BY_SERIES,
            "color": {
                "field": "candles",
                "type": "quantitative",
                "title": "candles",
                "scale": {"scheme": "teals", "zero": True},
            },
        },
        width=950,
        height={"step": 26},
    ),
    chart_title="Candles by event day",
    chart_intro="The 60 event days up to the latest with candles. Minutes without a change have no candle.",
)
