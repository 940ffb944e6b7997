"""The report of the price snapshots: what was quoted at the latest one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from kalshi.reports.runs import ENDING, Details, RunReport

if TYPE_CHECKING:
    import altair as alt

MOST_MARKETS = 100


def _details(connection: sa.Connection, wanted: list[str]) -> Details:
    """The bid and ask of the most traded markets in the latest snapshot."""
    every = "" if "*" in wanted else "AND m.series_ticker IN :wanted "
    query = sa.text(
        "SELECT p.market_ticker AS market, m.series_ticker AS series, CAST(p.yes_bid AS CHAR) AS bid, "
        "CAST(p.yes_ask AS CHAR) AS ask, CAST(p.volume AS CHAR) AS volume FROM kalshi_price_snapshot p "
        "JOIN kalshi_market m ON m.market_ticker = p.market_ticker WHERE p.snapshot_at_utc = "
        f"(SELECT MAX(snapshot_at_utc) FROM kalshi_price_snapshot) {every}AND NOT p.is_empty_book "
        f"ORDER BY p.volume DESC, p.market_ticker LIMIT {MOST_MARKETS}"
    )
    if every:
        query = query.bindparams(sa.bindparam("wanted", expanding=True))
    rows = connection.execute(query, {"wanted": wanted} if every else {}).mappings()
    return {"quotes": [dict(row) for row in rows]}


def _ranges(report: Details) -> alt.Chart | None:
    if not report["quotes"]:
        return None
    import altair as alt  # takes 0.2 s: too long for every import of a DAG file

    data = alt.Data(values=report["quotes"])  # type: ignore[no-untyped-call]
    chart: alt.Chart = (
        alt.Chart(data)
        .transform_calculate(low="toNumber(datum.bid)", high="toNumber(datum.ask)")
        .mark_bar(size=7, cornerRadius=2)
        .encode(
            x=alt.X("low:Q", title="bid to ask, dollars", scale=alt.Scale(domain=[0, 1])),
            x2="high:Q",
            y=alt.Y("market:N", title=None, axis=alt.Axis(labelLimit=260)),
            color=alt.Color("series:N", title=None),
        )
        .properties(width=700, height=alt.Step(13), padding={"left": 5, "top": 5, "bottom": 5, "right": 30})
    )
    return chart


SNAPSHOTS = RunReport(
    job="snapshots",
    title="Kalshi price snapshots",
    intro="“Empty books”: nobody quotes; they are stored and marked.",
    columns={
        "scope": "series",
        "state": "state",
        "snapshot_at_utc": "snapshot (UTC)",
        "markets": "open markets",
        "empty_books": "empty books",
        "pages": "pages",
        **ENDING,
    },
    details=_details,
    chart=_ranges,
    chart_title="Quotes",
    chart_intro=f"Bid to ask of the {MOST_MARKETS} most traded markets in the latest snapshot; empty books left out.",
)
