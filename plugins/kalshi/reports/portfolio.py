"""The report of the portfolio sync: what was earned by day and by series, and which positions are held."""

from __future__ import annotations

import sqlalchemy as sa

from kalshi.reports.charts import chart_of
from kalshi.reports.runs import ENDING, Details, RunReport, Section, cells, rows_of

MOST_POSITIONS = 100
MOST_DIFFERENCES = 50
SERIES_COLUMNS = {
    "series": "series",
    "markets": "markets traded",
    "open_markets": "open",
    "cost_basis": "cost of open positions",
    "unrealized_pnl": "unrealised",
    "traded_pnl": "realised from trades",
    "settled_pnl": "realised from settlements",
    "fees": "fees",
    "net_pnl": "realised less fees",
}
POSITION_COLUMNS = {
    "market": "market",
    "subaccount": "subaccount",
    "quantity": "contracts (NO is negative)",
    "avg_price": "paid",
    "current_price": "bid",
    "cost_basis": "cost",
    "unrealized_pnl": "unrealised",
    "opened_at_utc": "opened (UTC)",
}
BALANCE_COLUMNS = {"day": "day", "subaccount": "subaccount", "balance": "cash", "portfolio_value": "positions"}
DIFFERENCE_COLUMNS = {
    "market": "market",
    "subaccount": "subaccount",
    "differs_in": "differs in",
    "our_quantity": "quantity: ours",
    "exchange_quantity": "theirs",
    "our_realized_pnl": "realised: ours",
    "exchange_realized_pnl": "theirs",
    "our_fees": "fees: ours",
    "exchange_fees": "theirs",
}
EQUITY_CURVE = {
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
        "y": {"field": "total", "type": "quantitative", "title": "dollars, cumulative"},
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


def _details(connection: sa.Connection, wanted: list[str]) -> Details:
    """Amounts in dollars, as text rounded to the cent; numbers in the rows of the chart."""
    return {
        "pnl_by_series": rows_of(connection, "portfolio_by_series", subaccounts=wanted),
        "open_positions": rows_of(connection, "portfolio_positions", subaccounts=wanted, most=MOST_POSITIONS),
        "balances": rows_of(connection, "portfolio_balances", subaccounts=wanted),
        "reconciliation": rows_of(connection, "portfolio_differences", subaccounts=wanted, most=MOST_DIFFERENCES),
        "pnl_by_day": rows_of(connection, "portfolio_by_day", subaccounts=wanted),
    }


def _sections(report: Details) -> list[Section]:
    return [
        _section(report, "pnl_by_series", SERIES_COLUMNS, "P&L by series", "Unrealised: at the latest bid."),
        _section(
            report,
            "open_positions",
            POSITION_COLUMNS,
            "Open positions",
            f"The {MOST_POSITIONS} with the highest cost. For NO, “paid” and “bid” are prices of NO.",
        ),
        _section(report, "balances", BALANCE_COLUMNS, "Balance", "“Positions”: their value according to the exchange."),
        _section(
            report,
            "reconciliation",
            DIFFERENCE_COLUMNS,
            "Where our figures and the exchange's differ",
            f"The first {MOST_DIFFERENCES} rows of kalshi_pnl_reconciliation.",
        ),
    ]


def _section(report: Details, field: str, columns: dict[str, str], title: str, intro: str) -> Section:
    return Section(title, intro, list(columns.values()), cells(report[field], columns))


PORTFOLIO = RunReport(
    job="portfolio",
    title="Kalshi portfolio",
    intro="“Closed”: positions that the exchange no longer lists. “Differences”: markets where our figures and "
    "the exchange's differ.",
    columns={
        "scope": "subaccount",
        "state": "state",
        "fills": "fills read",
        "settlements": "settlements",
        "open_positions": "open positions",
        "closed": "closed",
        "differences": "differences",
        **ENDING,
    },
    details=_details,
    sections=_sections,
    chart=chart_of(
        "pnl_by_day",
        vconcat=[{**EQUITY_CURVE, "width": 900}, {**PNL_BY_SERIES, "width": 900}],
    ),
    chart_title="Equity curve, and P&L by series",
    chart_intro="Realised from trades and settlements, less fees; open positions are not included.",
)
