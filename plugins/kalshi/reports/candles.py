"""The report of the candles sync: how many candles each day has."""

from __future__ import annotations

import sqlalchemy as sa

from kalshi.reports.charts import BY_SERIES, by_date, chart_of
from kalshi.reports.runs import ENDING, Details, RunReport, rows_of


def _details(connection: sa.Connection, wanted: list[str]) -> Details:
    return {"candles_by_day": rows_of(connection, "candles_by_day", series=wanted)}


CANDLES = RunReport(
    job="candles",
    title="Kalshi candles",
    intro="“Ideal”: the number of requests if every response were full (10,000 candles). A window that is already "
    "complete is not read again.",
    columns={
        "scope": "series",
        "state": "state",
        "from_utc": "from (UTC)",
        "to_utc": "to (UTC)",
        "markets": "markets",
        "with_candles": "with candles",
        "candles": "candles",
        "candle_requests": "candle requests",
        "ideal_requests": "ideal",
        "dense_minutes": "dense minutes",
        **ENDING,
    },
    details=_details,
    chart=chart_of(
        "candles_by_day",
        mark={"type": "rect", "stroke": "white", "strokeWidth": 1},
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
