"""The portfolio page: the sections of the portfolio sync's report, with current data."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from kalshi.reports.portfolio import EQUITY_CURVE, PNL_BY_SERIES, figures, sections
from kalshi.settings import load_settings
from kalshi.ui.rendering import Chart, render
from kalshi.ui.warehouse import Warehouse

router = APIRouter()


@router.get("/portfolio")
def show_portfolio(request: Request, connection: Warehouse) -> Response:
    return render(request, "portfolio.html.jinja", connection, **portfolio(connection))


def portfolio(connection: sa.Connection) -> dict[str, Any]:
    """What the template ``portfolio.html.jinja`` shows, for the subaccounts in ``kalshi.toml``."""
    subaccounts = load_settings().portfolio.subaccounts
    found = figures(connection, [str(number) for number in subaccounts])
    days = msgspec.to_builtins(found["pnl_by_day"])
    data = {"data": {"values": days}, "width": "container"}
    by_series = {**PNL_BY_SERIES, "height": 22 * len({row["series"] for row in days})}
    return {
        "subaccounts": subaccounts,
        "charts": [Chart({**data, **chart}) for chart in (EQUITY_CURVE, by_series)] if days else [],
        "sections": sections(SimpleNamespace(**found)),
        "is_reconciled": not found["reconciliation"],
        "is_empty": not any(found.values()),
    }
