"""The report of the trades sync: how much was traded each day."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from kalshi.reports.charts import BY_SERIES, by_date, chart_of
from kalshi.reports.runs import RunPage, RunReport, rows_of
from kalshi.sync.market_trades import TradesReport
from kalshi.sync.report import Field


class TradedDay(msgspec.Struct):
    """What was traded in a series on a UTC day."""

    series: Annotated[str, Field("series ticker")]
    day: Annotated[str, Field("UTC day")]
    trades: Annotated[int, Field("number of trades")]
    contracts: Annotated[Decimal, Field("contracts traded")]


class TradesRun(RunReport[TradesReport], kw_only=True):
    """The report of ``kalshi_trades_sync``."""

    trades_by_day: Annotated[list[TradedDay], Field("the 60 days up to the latest trade")]


def _details(connection: sa.Connection, wanted: list[str], runs: list[int]) -> dict[str, Any]:
    return {"trades_by_day": rows_of(connection, "trades_by_day", TradedDay, series=wanted)}


TRADES = RunPage(
    job="trades",
    title="Kalshi trades",
    intro="“Markets”: open at some time in the window; “traded”: those with a trade in it. A window that is already "
    "complete is not read again.",
    report=TradesRun,
    series=TradesReport,
    details=_details,
    chart=chart_of(
        "trades_by_day",
        mark={"type": "bar"},
        encoding={
            "x": by_date("day"),
            "y": {"field": "trades", "type": "quantitative", "title": "trades"},
            "color": BY_SERIES,
        },
        width=900,
        height=240,
    ),
    chart_title="Trades in the warehouse",
    chart_intro="By UTC day, for the 60 days up to the latest trade.",
)
