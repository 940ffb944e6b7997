"""The report of the candles sync: how many minutes each day has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from kalshi.reports.runs import ENDING, Details, RunReport

if TYPE_CHECKING:
    import altair as alt


def _details(connection: sa.Connection, wanted: list[str]) -> Details:
    """Candles and markets with candles per series and event day, of the 60 event days up to the latest."""
    query = sa.text(
        "SELECT e.series_ticker AS series, DATE_FORMAT(e.event_date, '%Y-%m-%d') AS day, COUNT(*) AS candles, "
        "COUNT(DISTINCT c.market_ticker) AS markets FROM kalshi_event e "
        "JOIN kalshi_market m ON m.event_ticker = e.event_ticker "
        "JOIN kalshi_candle_1m c ON c.market_ticker = m.market_ticker "
        "WHERE e.series_ticker IN :wanted AND e.event_date > (SELECT MAX(e.event_date) FROM kalshi_event e "
        "JOIN kalshi_market m ON m.event_ticker = e.event_ticker WHERE e.series_ticker IN :wanted AND EXISTS "
        "(SELECT 1 FROM kalshi_candle_1m c WHERE c.market_ticker = m.market_ticker)) - INTERVAL 60 DAY "
        "GROUP BY series, day ORDER BY day, series"
    ).bindparams(sa.bindparam("wanted", expanding=True))
    return {"candles_by_day": [dict(row) for row in connection.execute(query, {"wanted": wanted}).mappings()]}


def _heat_map(report: Details) -> alt.Chart | None:
    if not report["candles_by_day"]:
        return None
    import altair as alt  # takes 0.2 s: too long for every import of a DAG file

    data = alt.Data(values=report["candles_by_day"])  # type: ignore[no-untyped-call]
    chart: alt.Chart = (
        alt.Chart(data)
        .mark_rect(stroke="white", strokeWidth=1)
        .encode(
            x=alt.X("day:O", title=None, axis=alt.Axis(labelOverlap=True, labelAngle=-45)),
            y=alt.Y("series:N", title=None),
            color=alt.Color("candles:Q", title="candles", scale=alt.Scale(scheme="teals", zero=True)),
        )
        .properties(width=950, height=alt.Step(26), padding={"left": 5, "top": 5, "bottom": 5, "right": 30})
    )
    return chart


CANDLES = RunReport(
    job="candles",
    title="Kalshi candles",
    intro="“Ideal”: as many requests as full answers of 10,000 candles would take. A window that was complete already "
    "is not read again.",
    columns={
        "scope": "series",
        "state": "state",
        "from_utc": "from (UTC)",
        "to_utc": "to (UTC)",
        "markets": "markets",
        "with_candles": "with candles",
        "candles": "candles",
        "candle_requests": "candle requests",
        "ideal_requests": "ideal",
        **ENDING,
    },
    details=_details,
    chart=_heat_map,
    chart_title="Candles by event day",
    chart_intro="Of the 60 event days up to the latest that has candles. Minutes without news have no candle.",
)
