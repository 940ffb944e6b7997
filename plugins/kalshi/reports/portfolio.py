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
    by_series = (
        "SELECT series_ticker AS series, COUNT(DISTINCT market_ticker) AS markets, "
        "CAST(SUM(quantity <> 0) AS SIGNED) AS open_markets, CAST(ROUND(SUM(cost_basis), 2) AS CHAR) AS cost_basis, "
        "CAST(ROUND(SUM(unrealized_pnl), 2) AS CHAR) AS unrealized_pnl, "
        "CAST(ROUND(SUM(traded_pnl), 2) AS CHAR) AS traded_pnl, "
        "CAST(ROUND(SUM(settled_pnl), 2) AS CHAR) AS settled_pnl, CAST(ROUND(SUM(fees), 2) AS CHAR) AS fees, "
        "CAST(ROUND(SUM(realized_pnl - fees), 2) AS CHAR) AS net_pnl FROM kalshi_pnl_market "
        "WHERE subaccount IN :wanted GROUP BY series_ticker ORDER BY series_ticker"
    )
    by_day = (
        "SELECT DATE_FORMAT(day, '%Y-%m-%d') AS day, CAST(subaccount AS CHAR) AS subaccount, series_ticker AS series, "
        "CAST(realized_pnl - fees AS DOUBLE) AS net_pnl FROM kalshi_pnl_day WHERE subaccount IN :wanted "
        "ORDER BY day, subaccount, series"
    )
    positions = (
        "SELECT p.market_ticker AS market, p.subaccount, CAST(p.quantity AS CHAR) AS quantity, "
        "CAST(ROUND(p.avg_price, 4) AS CHAR) AS avg_price, CAST(ROUND(l.current_price, 4) AS CHAR) AS current_price, "
        "CAST(ROUND(l.cost_basis, 2) AS CHAR) AS cost_basis, CAST(ROUND(l.unrealized_pnl, 2) AS CHAR) AS "
        "unrealized_pnl, p.opened_at_utc FROM kalshi_position p LEFT JOIN kalshi_pnl_market l "
        "ON l.market_ticker = p.market_ticker AND l.subaccount = p.subaccount WHERE p.quantity <> 0 "
        f"AND p.subaccount IN :wanted ORDER BY l.cost_basis DESC, 1, 2 LIMIT {MOST_POSITIONS}"
    )
    balances = (
        "SELECT DATE_FORMAT(balance_date, '%Y-%m-%d') AS day, subaccount, CAST(ROUND(balance, 2) AS CHAR) AS balance, "
        "CAST(ROUND(portfolio_value, 2) AS CHAR) AS portfolio_value FROM kalshi_balance b WHERE subaccount IN :wanted "
        "AND balance_date = (SELECT MAX(balance_date) FROM kalshi_balance WHERE subaccount = b.subaccount) ORDER BY 2"
    )
    differences = (
        "SELECT market_ticker AS market, subaccount, differs_in, CAST(our_quantity AS CHAR) AS our_quantity, "
        "CAST(exchange_quantity AS CHAR) AS exchange_quantity, CAST(our_realized_pnl AS CHAR) AS our_realized_pnl, "
        "CAST(exchange_realized_pnl AS CHAR) AS exchange_realized_pnl, CAST(our_fees AS CHAR) AS our_fees, "
        "CAST(exchange_fees AS CHAR) AS exchange_fees FROM kalshi_pnl_reconciliation WHERE subaccount IN :wanted "
        f"ORDER BY 1, 2 LIMIT {MOST_DIFFERENCES}"
    )
    queries = {
        "pnl_by_series": by_series,
        "open_positions": positions,
        "balances": balances,
        "reconciliation": differences,
        "pnl_by_day": by_day,
    }
    return {name: rows_of(connection, query, wanted) for name, query in queries.items()}


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
