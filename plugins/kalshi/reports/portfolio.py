"""The report of the portfolio sync: what was earned by day and by series, and which positions are held."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from kalshi.cells import Table
from kalshi.reports.charts import chart_of
from kalshi.reports.runs import RunPage, RunReport, rows_of, section
from kalshi.sync.portfolio import PortfolioReport
from kalshi.sync.report import Field

MOST_POSITIONS = 100
MOST_DIFFERENCES = 50
Dollars = Decimal | None
"""An amount as exact as it is reported: rounded to the cent, prices to four decimals."""
EARNED_SO_FAR = {
    "mark": {"type": "line", "interpolate": "step-after"},
    "transform": [
        {"aggregate": [{"op": "sum", "field": "net_pnl", "as": "net_pnl"}], "groupby": ["day", "subaccount"]},
        {
            "window": [{"op": "sum", "field": "net_pnl", "as": "total"}],
            "sort": [{"field": "day"}],
            "groupby": ["subaccount"],
        },
    ],
    "encoding": {
        "x": {"field": "day", "type": "temporal", "timeUnit": "utcyearmonthdate", "title": None},
        "y": {"field": "total", "type": "quantitative", "title": "dollars since the first fill"},
        "color": {"field": "subaccount", "type": "nominal", "title": "subaccount"},
    },
    "height": 220,
}
"""Vega-Lite for the rows ``pnl_by_day``, like ``PNL_BY_SERIES``."""
PNL_BY_SERIES = {
    "mark": {"type": "bar"},
    "encoding": {
        "x": {"field": "net_pnl", "aggregate": "sum", "type": "quantitative", "title": "dollars"},
        "y": {"field": "series", "type": "nominal", "title": None},
        "color": {"field": "subaccount", "type": "nominal", "title": "subaccount"},
    },
    "height": {"step": 22},
}


class SeriesPnl(msgspec.Struct):
    """The P&L of a series, in dollars."""

    series: Annotated[str, Field("series ticker", "series")]
    markets: Annotated[int, Field("markets traded", "markets traded")]
    open_markets: Annotated[int, Field("markets with an open position", "open")]
    cost_basis: Annotated[Dollars, Field("what the open positions cost", "cost of open positions", unit="$")]
    unrealized_pnl: Annotated[Dollars, Field("unrealised, at the latest bid", "unrealised", unit="$")]
    traded_pnl: Annotated[Dollars, Field("realised from trades", "realised from trades", unit="$")]
    settled_pnl: Annotated[Dollars, Field("realised from settlements", "realised from settlements", unit="$")]
    fees: Annotated[Dollars, Field("fees", "fees", unit="$")]
    net_pnl: Annotated[Dollars, Field("realised less fees", "realised less fees", unit="$")]


class OpenPosition(msgspec.Struct):
    """An open position; prices in dollars, for NO those of NO."""

    market: Annotated[str, Field("market ticker", "market")]
    subaccount: Annotated[int, Field("number of the subaccount", "subaccount")]
    quantity: Annotated[Decimal, Field("contracts, NO is negative", "contracts (NO is negative)", unit="contracts")]
    avg_price: Annotated[Dollars, Field("what a contract cost", "paid", unit="price")]
    current_price: Annotated[Dollars, Field("what a contract would sell for", "bid", unit="price")]
    cost_basis: Annotated[Dollars, Field("what all cost", "cost", unit="$")]
    unrealized_pnl: Annotated[Dollars, Field("unrealised P&L", "unrealised", unit="$")]
    opened_at_utc: Annotated[datetime | None, Field("when it was opened", "opened (UTC)")]


class Balance(msgspec.Struct):
    """The latest balance of a subaccount, in dollars."""

    day: Annotated[str, Field("UTC day", "day")]
    subaccount: Annotated[int, Field("number of the subaccount", "subaccount")]
    balance: Annotated[Dollars, Field("cash", "cash", unit="$")]
    portfolio_value: Annotated[Dollars, Field("the positions' value according to the exchange", "positions", unit="$")]


class Difference(msgspec.Struct):
    """A market where our figures and the exchange's differ, in contracts and dollars."""

    market: Annotated[str, Field("market ticker", "market")]
    subaccount: Annotated[int, Field("number of the subaccount", "subaccount")]
    differs_in: Annotated[str, Field("what differs", "differs in")]
    our_quantity: Annotated[Decimal | None, Field("contracts by our fills", "quantity: ours", unit="contracts")]
    exchange_quantity: Annotated[
        Decimal | None, Field("contracts by the exchange's position", "theirs", unit="contracts")
    ]
    our_realized_pnl: Annotated[Dollars, Field("realised by our fills", "realised: ours", unit="$")]
    exchange_realized_pnl: Annotated[Dollars, Field("realised by the exchange", "theirs", unit="$")]
    our_fees: Annotated[Dollars, Field("fees of our fills", "fees: ours", unit="$")]
    exchange_fees: Annotated[Dollars, Field("fees by the exchange", "theirs", unit="$")]


class DayPnl(msgspec.Struct):
    """What a series earned on a UTC day."""

    day: Annotated[str, Field("UTC day")]
    subaccount: Annotated[str, Field("number of the subaccount")]
    series: Annotated[str, Field("series ticker")]
    net_pnl: Annotated[float, Field("dollars realised less fees, as a number for the chart")]


class PortfolioRun(RunReport[PortfolioReport], kw_only=True):
    """The report of ``kalshi_portfolio_sync``."""

    pnl_by_series: Annotated[list[SeriesPnl], Field("dollars, as text rounded to the cent")]
    open_positions: Annotated[list[OpenPosition], Field(f"the {MOST_POSITIONS} with the highest cost")]
    balances: Annotated[list[Balance], Field("the latest balance of each subaccount")]
    reconciliation: Annotated[
        list[Difference], Field(f"the first {MOST_DIFFERENCES} rows of `kalshi_pnl_reconciliation`")
    ]
    pnl_by_day: Annotated[list[DayPnl], Field("realised less fees")]


def _details(connection: sa.Connection, wanted: list[str], runs: list[int]) -> dict[str, Any]:
    ask = partial(rows_of, connection)
    positions = ask("portfolio_positions", OpenPosition, subaccounts=wanted, most=MOST_POSITIONS)
    differences = ask("portfolio_differences", Difference, subaccounts=wanted, most=MOST_DIFFERENCES)
    return {
        "pnl_by_series": ask("portfolio_by_series", SeriesPnl, subaccounts=wanted),
        "open_positions": positions,
        "balances": ask("portfolio_balances", Balance, subaccounts=wanted),
        "reconciliation": differences,
        "pnl_by_day": ask("portfolio_by_day", DayPnl, subaccounts=wanted),
    }


def _sections(report: PortfolioRun) -> list[Table]:
    return [
        section("P&L by series", "Unrealised: at the latest bid.", SeriesPnl, report.pnl_by_series),
        section(
            "Open positions",
            f"The {MOST_POSITIONS} with the highest cost. For NO, “paid” and “bid” are prices of NO.",
            OpenPosition,
            report.open_positions,
        ),
        section("Balance", "“Positions”: their value according to the exchange.", Balance, report.balances),
        section(
            "Where our figures and the exchange's differ",
            f"The first {MOST_DIFFERENCES} rows of kalshi_pnl_reconciliation.",
            Difference,
            report.reconciliation,
        ),
    ]


PORTFOLIO = RunPage(
    job="portfolio",
    title="Kalshi portfolio",
    intro="“Closed”: positions that the exchange no longer lists. “Differences”: markets where our figures and "
    "the exchange's differ.",
    report=PortfolioRun,
    series=PortfolioReport,
    details=_details,
    sections=_sections,
    chart=chart_of(
        "pnl_by_day",
        vconcat=[{**EARNED_SO_FAR, "width": 900}, {**PNL_BY_SERIES, "width": 900}],
    ),
    chart_title="Realised P&L so far, and by series",
    chart_intro="Realised from trades and settlements, less fees; open positions are not included.",
)
