"""The charts that only the pages have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

LEGEND = {"orient": "top", "columns": 3, "labelLimit": 110, "symbolOpacity": 1, "symbolStrokeWidth": 0}
Rows = Sequence[dict[str, Any]]


def price_chart(brackets: list[str], prices: Rows, trades: Rows, decisions: Rows) -> dict[str, Any]:
    """The specification: a line per bracket midway between bid and ask, the band between them, trades as dots.

    ``prices``: ``bracket``, ``at``, ``bid``, ``ask``; ``trades``: ``bracket``, ``at``, ``price``, ``contracts``;
    ``decisions``: ``decision``, ``at``. Times are naive UTC, prices dollars.
    """
    time = {
        "field": "at",
        "type": "temporal",
        "scale": {"type": "utc"},
        "title": None,
        "axis": {"labelOverlap": True, "format": "%d %b %H:%M"},
    }
    color = {
        "field": "bracket",
        "type": "nominal",
        "sort": brackets,
        "scale": {"domain": brackets, "scheme": "category10"},
        "legend": {**LEGEND, "title": "click to show one bracket"},
    }
    faded = {"condition": {"param": "chosen", "empty": True, "value": 1}, "value": 0.06}

    def price(field: str) -> dict[str, Any]:
        return {"field": field, "type": "quantitative", "title": "dollars", "axis": {"format": ".2f"}}

    quotes = {"data": {"values": [_quote(row) for row in prices]}}
    tooltip = [{"field": "bracket"}, _moment(), *({"field": f, "format": ".4~f"} for f in ("bid", "ask"))]
    return {
        "height": 420,
        "width": "container",
        "resolve": {"scale": {"color": "shared"}},
        "layer": [
            {
                **quotes,
                "mark": {"type": "area", "interpolate": "step-after", "line": False},
                "params": [{"name": "chosen", "select": {"type": "point", "fields": ["bracket"]}, "bind": "legend"}],
                "encoding": {
                    "x": time,
                    "y": price("bid"),
                    "y2": {"field": "ask"},
                    "color": color,
                    "opacity": {"condition": {"param": "chosen", "empty": True, "value": 0.22}, "value": 0.02},
                },
            },
            {
                **quotes,
                "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.5},
                "encoding": {"x": time, "y": price("mid"), "color": color, "opacity": faded, "tooltip": tooltip},
            },
            {
                "data": {"values": [{"bracket": t["bracket"], **_plain(t)} for t in trades]},
                "mark": {"type": "point", "filled": True},
                "encoding": {
                    "x": time,
                    "y": price("price"),
                    "color": color,
                    "size": {
                        "field": "contracts",
                        "type": "quantitative",
                        "legend": None,
                        "scale": {"range": [8, 160]},
                    },
                    "opacity": {"condition": {"param": "chosen", "empty": True, "value": 0.55}, "value": 0.03},
                    "tooltip": [{"field": "bracket"}, _moment(), {"field": "price"}, {"field": "contracts"}],
                },
            },
            {
                "data": {"values": [{"decision": d["decision"], "at": _iso(d["at"])} for d in decisions]},
                "encoding": {"x": time},
                "layer": [
                    {"mark": {"type": "rule", "strokeDash": [4, 4]}},
                    {
                        "mark": {"type": "text", "align": "left", "dx": 4, "dy": 8, "baseline": "top"},
                        "encoding": {"text": {"field": "decision"}, "y": {"value": 0}},
                    },
                ],
            },
        ],
    }


def _moment() -> dict[str, Any]:
    return {
        "field": "at",
        "type": "temporal",
        "title": "UTC",
        "format": "%d %b %H:%M",
        "timeUnit": "utcyearmonthdatehoursminutes",
    }


def _quote(row: dict[str, Any]) -> dict[str, Any]:
    """A point of line and band; its prices are None in an empty book (bid 0, ask 1) and before the first quote."""
    bid, ask = row["bid"], row["ask"]
    if bid is None or ask is None or (bid == 0 and ask == 1):
        bid = ask = None
    mid = None if bid is None else float(bid + ask) / 2
    return {"bracket": row["bracket"], "at": _iso(row["at"]), "bid": _number(bid), "ask": _number(ask), "mid": mid}


def _plain(trade: dict[str, Any]) -> dict[str, Any]:
    return {"at": _iso(trade["at"]), "price": _number(trade["price"]), "contracts": _number(trade["contracts"])}


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _iso(moment: datetime) -> str:
    return f"{moment.isoformat()}Z"
