"""The report of the trades sync: how much was traded, day by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from kalshi.reports.runs import ENDING, Details, RunReport

if TYPE_CHECKING:
    import altair as alt


def _details(connection: sa.Connection, wanted: list[str]) -> Details:
    """Trades and contracts per series and day, of the 60 days up to the latest trade."""
    query = sa.text(
        "SELECT m.series_ticker AS series, DATE_FORMAT(t.executed_at_utc, '%Y-%m-%d') AS day, COUNT(*) AS trades, "
        "CAST(SUM(t.`count`) AS CHAR) AS contracts FROM kalshi_trade t JOIN kalshi_market m "
        "ON m.market_ticker = t.market_ticker WHERE m.series_ticker IN :wanted AND t.executed_at_utc > "
        "(SELECT MAX(executed_at_utc) FROM kalshi_trade) - INTERVAL 60 DAY GROUP BY series, day ORDER BY day, series"
    ).bindparams(sa.bindparam("wanted", expanding=True))
    return {"trades_by_day": [dict(row) for row in connection.execute(query, {"wanted": wanted}).mappings()]}


def _bars(report: Details) -> alt.Chart | None:
    if not report["trades_by_day"]:
        return None
    import altair as alt  # takes 0.2 s: too long for every import of a DAG file

    data = alt.Data(values=report["trades_by_day"])  # type: ignore[no-untyped-call]
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_bar()
        .encode(
            x=alt.X("day:O", title=None, axis=alt.Axis(labelOverlap=True, labelAngle=-45)),
            y=alt.Y("trades:Q", title="trades"),
            color=alt.Color("series:N", title=None),
        )
        .properties(width=900, height=240, padding={"left": 5, "top": 5, "bottom": 5, "right": 30})
    )
    return chart


TRADES = RunReport(
    job="trades",
    title="Kalshi trades",
    intro="“Markets”: open at some time in the window; “traded”: those of them with a trade in it. A window that "
    "was complete already is not read again.",
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
    chart=_bars,
    chart_title="Trades in the warehouse",
    chart_intro="By UTC day, of the 60 days up to the latest trade.",
)
