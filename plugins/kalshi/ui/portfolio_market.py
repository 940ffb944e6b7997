"""The page of one market that was traded: its fills, its lots first in, first out, its settlement, its P&L."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from kalshi.cells import Table
from kalshi.ui.rendering import Column, Columns, address, render, summed, table
from kalshi.ui.responses import not_found
from kalshi.ui.warehouse import Warehouse, ask, query

router = APIRouter()
SUBACCOUNT = Column("subaccount", "plain")
PNL: Columns = {
    "subaccount": SUBACCOUNT,
    "quantity": Column("contracts open", "contracts"),
    "cost": Column("their cost", "$"),
    "bid": Column("bid", "price"),
    "unrealized": Column("unrealised", "$"),
    "traded_pnl": Column("by trades", "$"),
    "settled_pnl": Column("by settlement", "$"),
    "realized": Column("realised", "$"),
    "fees": Column("fees", "$"),
    "net": Column("after fees", "$"),
    "exchange_realized": Column("exchange's realised", "$"),
    "exchange_fees": Column("its fees", "$"),
}
SUMS = ("quantity", "cost", "unrealized", "traded_pnl", "settled_pnl", "realized", "fees", "net")
FILLS: Columns = {
    "executed_at_utc": "time (UTC)",
    "subaccount": SUBACCOUNT,
    "action": "action",
    "side": "side",
    "contracts": Column("contracts", "contracts"),
    "price": Column("price", "price"),
    "cost": Column("amount", "$"),
    "fee": Column("fee", "$"),
    "liquidity": "order",
    "fill_id": "fill",
}
CLOSED: Columns = {
    "opened_at_utc": "opened (UTC)",
    "closed_at_utc": "closed (UTC)",
    "subaccount": SUBACCOUNT,
    "contracts": Column("contracts", "contracts"),
    "yes_price": Column("YES bought at", "price"),
    "no_price": Column("NO bought at", "price"),
    "cost": Column("paid for both", "$"),
    "realized": Column("realised", "$"),
}
OPEN: Columns = {
    "executed_at_utc": "bought (UTC)",
    "subaccount": SUBACCOUNT,
    "outcome": "side held",
    "contracts": Column("contracts left", "contracts"),
    "price": Column("paid", "price"),
    "cost": Column("cost", "$"),
    "fill_id": "fill",
}
SETTLEMENTS: Columns = {
    "settled_at_utc": "settled (UTC)",
    "subaccount": SUBACCOUNT,
    "result": "result",
    "value": Column("paid per YES", "price"),
    "yes_count": Column("YES held", "contracts"),
    "no_count": Column("NO held", "contracts"),
    "revenue": Column("revenue", "$"),
    "fees": Column("fees of the market", "$"),
}


@router.get("/portfolio/{market:path}")
def show_portfolio_market(request: Request, connection: Warehouse, market: str) -> Response:
    found = portfolio_market(connection, request, market)
    if found is None:
        return not_found(request, f"No fill of a market {market} is known: kalshi_portfolio_sync reads your fills.")
    return render(request, "portfolio_market.html.jinja", connection, **found)


def portfolio_market(connection: sa.Connection, request: Request, market: str) -> dict[str, Any] | None:
    """What the template ``portfolio_market.html.jinja`` shows; None if the account never traded the market."""
    found = ask(connection, "portfolio_market", market=market)
    if not found:
        return None
    about = found[0]

    def listed(name: str, columns: Columns, *sums: str) -> Table:
        rows = ask(connection, f"portfolio_market_{name}", market=market)
        statement = query(f"portfolio_market_{name}", market=market)
        return table(rows, columns, name=name, query=statement, totals=summed(rows, *sums))

    return {
        "about": about,
        "event": address(request, "event", about["event"]),
        "portfolio": address(request, "portfolio", series=about["series"]),
        "pnl": listed("pnl", PNL, *SUMS),
        "fills": listed("fills", FILLS, "fee"),
        "open_lots": listed("open_lots", OPEN, "contracts", "cost"),
        "closed_lots": listed("closed_lots", CLOSED, "contracts", "cost", "realized"),
        "settlements": listed("settlements", SETTLEMENTS, "yes_count", "no_count", "revenue", "fees"),
    }
