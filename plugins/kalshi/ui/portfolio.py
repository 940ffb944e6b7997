"""The portfolio page: the sections of the portfolio sync's report, with current data."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kalshi.reports.portfolio import EQUITY_CURVE, PNL_BY_SERIES, PORTFOLIO
from kalshi.settings import load_settings
from kalshi.ui.rendering import Chart


def portfolio(connection: sa.Connection) -> dict[str, Any]:
    """What the template ``portfolio.html.jinja`` shows, for the subaccounts in ``kalshi.toml``."""
    subaccounts = load_settings().portfolio.subaccounts
    found = PORTFOLIO.details(connection, [str(number) for number in subaccounts])
    days = found["pnl_by_day"]
    data = {"data": {"values": days}, "width": "container"}
    by_series = {**PNL_BY_SERIES, "height": 22 * len({row["series"] for row in days})}
    return {
        "subaccounts": subaccounts,
        "charts": [Chart({**data, **chart}) for chart in (EQUITY_CURVE, by_series)] if days else [],
        "sections": PORTFOLIO.sections(found),
        "is_reconciled": not found["reconciliation"],
        "is_empty": not any(found.values()),
    }
