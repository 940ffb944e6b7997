"""An address of every page."""

from __future__ import annotations

from kalshi.reports.files import folder_name
from tests.ui.site import EVENT, RUN, TRADED

QUALITY = f"kalshi_data_quality/{folder_name(RUN)}"
EXAMPLES = {
    "/": "/",
    "/markets": "/markets?text=new+york",
    "/coverage": "/coverage?days=10",
    "/calibration": "/calibration?decision=day_10",
    "/gaps": "/gaps?job=candles",
    "/quality": "/quality?state=failed",
    "/quality/{check}": "/quality/candle_prices_in_range",
    "/run/{dag}": "/run/kalshi_trades_sync",
    "/event/{event_ticker:path}": f"/event/{EVENT}",
    "/portfolio": "/portfolio?date_from=2026-09-01",
    "/portfolio/{market:path}": f"/portfolio/{TRADED}",
    "/reports": "/reports",
    "/reports/{dag}/{run}": f"/reports/{QUALITY}",
    "/files/{path:path}": f"/files/{QUALITY}/report.json",
    "/static/{name}": "/static/vega.js",
}
"""An address of each route that answers to those who may see it."""
