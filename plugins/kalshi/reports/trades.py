"""The report of the trades sync: how much was traded each day."""

from __future__ import annotations

import sqlalchemy as sa

from kalshi.reports.charts import BY_SERIES, by_date, chart_of
from kalshi.reports.runs import ENDING, Details, RunReport, rows_of


def _details(connection: sa.Connection, wanted: list[str]) -> Details:
    return {"trades_by_day": rows_of(connection, "trades_by_day", series=wanted)}


TRADES = RunReport(
    job="trades",
    title="Kalshi trades",
    intro="“Markets”: open at some time in the window; “traded”: those with a trade in it. A window that is already "
    "complete is not read again.",
    columns={
        "scope": "series",
        "state": "state",
        "from_utc": "from (UTC)",
        "to_utc": "to (UTC)",
        "markets": "markets",
        "traded": "traded",
        "trades": "trades",
        **ENDING,
    },
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
