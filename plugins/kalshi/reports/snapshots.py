"""The report of the price snapshots: the quotes in the latest one."""

from __future__ import annotations

import sqlalchemy as sa

from kalshi.reports.charts import BY_SERIES, chart_of
from kalshi.reports.runs import ENDING, Details, RunReport, rows_of

MOST_MARKETS = 100


def _details(connection: sa.Connection, wanted: list[str]) -> Details:
    return {"quotes": rows_of(connection, "snapshots_quotes", series=wanted, most=MOST_MARKETS)}


SNAPSHOTS = RunReport(
    job="snapshots",
    title="Kalshi price snapshots",
    intro="“Empty books”: markets that nobody quotes. They are stored and marked.",
    columns={
        "scope": "series",
        "state": "state",
        "snapshot_at_utc": "snapshot (UTC)",
        "markets": "open markets",
        "empty_books": "empty books",
        "pages": "pages",
        **ENDING,
    },
    details=_details,
    chart=chart_of(
        "quotes",
        transform=[
            {"calculate": "toNumber(datum.bid)", "as": "low"},
            {"calculate": "toNumber(datum.ask)", "as": "high"},
        ],
        mark={"type": "bar", "size": 7, "cornerRadius": 2},
        encoding={
            "x": {"field": "low", "type": "quantitative", "title": "bid to ask, dollars", "scale": {"domain": [0, 1]}},
            "x2": {"field": "high"},
            "y": {"field": "market", "type": "nominal", "title": None, "axis": {"labelLimit": 260}},
            "color": BY_SERIES,
        },
        width=700,
        height={"step": 13},
    ),
    chart_title="Quotes",
    chart_intro=f"Bid to ask of the {MOST_MARKETS} most traded markets in the latest snapshot; empty books left out.",
)
