"""The charts of the calibration page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kalshi.quality.calibration import FEW, Bin, Score
from kalshi.reports.charts import by_date

PERCENT = {"format": "%"}
GOOD, BAD = "#2f7ed8", "#d9480f"


def named(each: Bin) -> str:
    """The prices of a bin, in cents."""
    low, high = (int(100 * edge) for edge in each.edges)
    return f"{low} to {high}¢"


def reliability_chart(bins: Sequence[Bin], links: Sequence[str], price: str) -> dict[str, Any]:
    """The share that won over the price, with 95 % intervals; on the dashed line the price was right."""
    values = [
        {
            "bin": named(each),
            "price": each.mean_price,
            "share": each.share,
            "low": each.interval[0],
            "high": each.interval[1],
            "markets": each.markets,
            "won": each.won,
            "few": each.markets < FEW,
            "href": href,
        }
        for each, href in zip(bins, links, strict=True)
    ]
    x = {"field": "price", "type": "quantitative", "title": f"{price} at the decision", "scale": {"domain": [0, 1]}}
    x["axis"] = {"format": "$.2f"}
    y = {"type": "quantitative", "title": "share that won", "scale": {"domain": [0, 1]}, "axis": PERCENT}
    told = [
        {"field": "bin", "title": "price"},
        {"field": "markets", "format": ","},
        {"field": "won", "format": ","},
        {"field": "share", "title": "share that won", "format": ".1%"},
        {"field": "low", "title": "at least", "format": ".1%"},
        {"field": "high", "title": "at most", "format": ".1%"},
    ]
    return {
        "width": "container",
        "height": 420,
        "layer": [
            {
                "data": {"values": [{"price": 0, "share": 0}, {"price": 1, "share": 1}]},
                "mark": {"type": "line", "strokeDash": [4, 4], "color": "var(--soft)", "strokeWidth": 1},
                "encoding": {"x": x, "y": {**y, "field": "share"}},
            },
            {
                "data": {"values": values},
                "mark": {"type": "rule", "color": GOOD, "strokeWidth": 2},
                "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "tooltip": told},
            },
            {
                "data": {"values": values},
                "mark": {"type": "point", "stroke": GOOD, "strokeWidth": 2, "cursor": "pointer"},
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "share"},
                    "size": {"field": "markets", "type": "quantitative", "legend": None, "scale": {"range": [40, 400]}},
                    "fill": {"condition": {"test": "datum.few", "value": "transparent"}, "value": GOOD},
                    "href": {"field": "href"},
                    "tooltip": told,
                },
            },
        ],
    }


def edge_chart(bins: Sequence[Bin]) -> dict[str, Any]:
    """What buying YES at the ask would have earned per contract, in each bin, before and after fees."""
    kinds = ["before fees", "after fees"]
    values = [
        {"bin": named(each), "when": kind, "dollars": dollars, "markets": each.markets}
        for each in bins
        for kind, dollars in zip(kinds, (each.edge, each.edge_after_fees), strict=True)
    ]
    return {
        "width": "container",
        "height": 260,
        "data": {"values": values},
        "mark": "bar",
        "encoding": {
            "x": {
                "field": "bin",
                "type": "nominal",
                "sort": [named(each) for each in bins],
                "title": "ask at the decision",
                "axis": {"labelAngle": -45},
            },
            "xOffset": {"field": "when", "sort": kinds},
            "y": {
                "field": "dollars",
                "type": "quantitative",
                "title": "earned per contract",
                "axis": {"format": "$.2f"},
            },
            "color": {
                "field": "when",
                "type": "nominal",
                "sort": kinds,
                "title": None,
                "scale": {"domain": kinds, "range": [GOOD, BAD]},
                "legend": {"orient": "top"},
            },
            "tooltip": [
                {"field": "bin", "title": "ask"},
                {"field": "when", "title": " "},
                {"field": "dollars", "title": "per contract", "format": "$.4f"},
                {"field": "markets", "format": ","},
            ],
        },
    }


def month_chart(months: Sequence[tuple[str, Score]]) -> dict[str, Any]:
    """The Brier score of each month, and what always naming the base rate would have scored."""
    values = [
        {"month": month, "what": what, "score": score, "markets": of.markets}
        for month, of in months
        for what, score in (("prices", of.mean_brier), ("always the base rate", of.brier_of_base_rate))
    ]
    kinds = ["prices", "always the base rate"]
    return {
        "width": "container",
        "height": 220,
        "data": {"values": values},
        "mark": {"type": "line", "point": True},
        "encoding": {
            "x": by_date("month"),
            "y": {"field": "score", "type": "quantitative", "title": "Brier score (lower is better)"},
            "color": {
                "field": "what",
                "type": "nominal",
                "title": None,
                "scale": {"domain": kinds, "range": [GOOD, BAD]},
                "legend": {"orient": "top"},
            },
            "tooltip": [
                {"field": "month"},
                {"field": "what", "title": " "},
                {"field": "score", "format": ".4f"},
                {"field": "markets", "format": ","},
            ],
        },
    }
