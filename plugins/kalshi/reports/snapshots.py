"""The report of the price snapshots: the quotes in the latest one."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from kalshi.reports.charts import BY_SERIES, chart_of
from kalshi.reports.runs import RunPage, RunReport, rows_of
from kalshi.sync.report import Field
from kalshi.sync.snapshots import SnapshotsReport

MOST_MARKETS = 100


class Quote(msgspec.Struct):
    """The bid and ask of a market, in dollars."""

    market: Annotated[str, Field("market ticker")]
    series: Annotated[str, Field("series ticker")]
    bid: Annotated[Decimal | None, Field("highest bid for YES")]
    ask: Annotated[Decimal | None, Field("lowest ask for YES")]
    volume: Annotated[Decimal | None, Field("contracts traded so far")]


class SnapshotsRun(RunReport[SnapshotsReport], kw_only=True):
    """The report of ``kalshi_price_snapshots``."""

    quotes: Annotated[list[Quote], Field(f"the {MOST_MARKETS} most traded markets in the latest snapshot")]


def _details(connection: sa.Connection, wanted: list[str], runs: list[int]) -> dict[str, Any]:
    return {"quotes": rows_of(connection, "snapshots_quotes", Quote, series=wanted, most=MOST_MARKETS)}


SNAPSHOTS = RunPage(
    job="snapshots",
    title="Kalshi price snapshots",
    intro="“Empty books”: markets that nobody quotes. They are stored and marked.",
    report=SnapshotsRun,
    series=SnapshotsReport,
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
