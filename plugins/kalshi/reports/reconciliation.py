"""The report of the reconciliation: how much is proven by the exchange's own volume, and what isn't."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kalshi.reports.charts import BY_SERIES, by_date, chart_of
from kalshi.reports.runs import ENDING, Details, RunReport, Section, cells

if TYPE_CHECKING:
    import altair as alt

MOST_MARKETS = 500
NOT_PROVEN = {
    "market": "market",
    "close_time_utc": "closed (UTC)",
    "exchange_volume": "exchange's volume",
    "trade_volume": "trades",
    "block_trade_volume": "of these, block trades",
    "candle_volume": "candles",
    "trades_verdict": "trades are",
    "candles_verdict": "candles are",
    "readings": "read again",
    "reason": "why",
}
KINDS = {"series": "series", "of": "of", "kind": "verdict", "markets": "markets", "contracts": "difference, contracts"}
ODD = {"market": "market", "minutes": "minutes"}


def proven(report: Details) -> str:
    """The whole report in one line."""
    settled, found = (sum(series.get(name, 0) for series in report["series"]) for name in ("settled", "proven"))
    return f"proven: {found:,} of {settled:,} settled markets"


def _all(report: Details, name: str) -> list[dict[str, Any]]:
    return [{"series": series["scope"], **row} for series in report["series"] for row in series.get(name, [])]


def _sections(report: Details) -> list[Section]:
    open_ones = _all(report, "not_proven")
    limit = f" The first {MOST_MARKETS} of {len(open_ones)}; report.json has all." * (len(open_ones) > MOST_MARKETS)
    return [
        Section(
            "Markets that aren't proven",
            f"Volumes in contracts. kalshi_reconciliation keeps the latest verdict on every market.{limit}",
            list(NOT_PROVEN.values()),
            cells(open_ones[:MOST_MARKETS], NOT_PROVEN),
        ),
        Section(
            "Differences by kind",
            "The exchange doesn't document whether its volume and its candles count block trades; where a market has "
            "some, this says in which way the figures agree.",
            list(KINDS.values()),
            cells(_all(report, "by_kind"), KINDS),
        ),
        Section(
            "Where the exchange disagrees with itself",
            "Proven markets whose trades and candles, both as the exchange sent them, differ in some minutes.",
            list(ODD.values()),
            cells(_all(report, "exchange_disagrees"), ODD),
        ),
    ]


def _heat_map(report: Details) -> alt.Chart | None:
    rows = [{**row, "share": row["proven"] / row["settled"]} for row in _all(report, "by_month")]
    draw = chart_of(
        "rows",
        mark={"type": "rect", "stroke": "white", "strokeWidth": 1},
        encoding={
            "x": by_date("month"),
            "y": BY_SERIES,
            "color": {
                "field": "share",
                "type": "quantitative",
                "title": "proven",
                "scale": {"domain": [0, 0.5, 1], "range": ["#d9480f", "#fff4e6", "#0b7285"]},
                "legend": {"format": ".0%"},
            },
        },
        width={"step": 44},
        height={"step": 26},
    )
    return draw({"rows": rows})


RECONCILIATION = RunReport(
    job="reconciliation",
    title="Kalshi reconciliation",
    intro="Settled markets against the exchange's own volume. “Read again”: markets that weren't proven; “deleted”: "
    "rows that the exchange doesn't have; “postponed”: markets that were read again within the last week, or are too "
    "many for this run.",
    columns={
        "scope": "series",
        "state": "state",
        "settled": "settled",
        "proven": "proven",
        "short": "short",
        "over": "over",
        "unread": "unread",
        "read_again": "read again",
        "deleted": "deleted",
        "waiting": "postponed",
        **ENDING,
    },
    details=lambda connection, wanted: {},
    sections=_sections,
    chart=_heat_map,
    chart_title="Proven by month",
    chart_intro="The share of the settled markets, by the month in which they closed.",
    summary=proven,
)
