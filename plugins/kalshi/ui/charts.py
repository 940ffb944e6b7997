"""The charts that only the pages have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from kalshi.cells import Unit, cell
from kalshi.ui.clock import Clock
from kalshi.ui.event_prices import MINUTE, History
from kalshi.ui.forecast import Quote

LEGEND = {"orient": "top", "columns": 3, "labelLimit": 110, "symbolOpacity": 1, "symbolStrokeWidth": 0}
AXIS = {"minExtent": 48, "maxExtent": 48}
"""The same for all charts below each other, so that the same time is at the same place."""
TIME = {"type": "temporal", "field": "at"}
X = {**TIME, "scale": {"type": "utc"}}
"""The time of every layer of a view but the first, which has the axis."""
MOMENT = "%d %b %H:%M"
MIDDLE = {"calculate": "isValid(datum.bid) ? (datum.bid + datum.ask) / 2 : null", "as": "mid"}
NAME = {"field": "name", "title": "bracket"}
FEW = 10
"""Moments of which each is drawn as a point, too: a line between them may not exist."""
LEAST = timedelta(minutes=30)
"""What the time axis spans."""
View = dict[str, Any]


@dataclass(frozen=True)
class Drawing:
    """What is drawn of an event.

    ``names``: its brackets by market, in order; ``marks``: what to mark in time (``label``, ``at``); ``expected``: by
    moment of the history, the expected value, in ``unit``; ``observed``: the value that came true; ``winners``: the
    markets that paid; ``has_shares``: whether the prices are a distribution; ``chosen``: the moment whose
    distribution is shown first.
    """

    names: Mapping[str, str]
    history: History
    clock: Clock = field(default_factory=Clock)
    marks: Sequence[tuple[str, datetime]] = ()
    expected: Sequence[float | None] = ()
    observed: float | None = None
    unit: Unit = ""
    winners: Sequence[str] = ()
    has_shares: bool = False
    chosen: datetime | None = None

    def bracket(self, market: str) -> dict[str, Any]:
        """The bracket of a row of data: its number, by which it is drawn, and its name."""
        return {"bracket": [*self.names].index(market), "name": self.names[market]}


def event_chart(drawing: Drawing) -> View:
    """The specification: prices, and below them spread, volume, expected value and the implied distribution."""
    has_quotes = any(any(line) for line in drawing.history.quotes.values())
    views = [price_view(drawing)]
    if has_quotes:
        views.append(_spread_view(drawing))
    if drawing.history.volume:
        views.append(_volume_view(drawing))
    if any(value is not None for value in drawing.expected):
        views.append(_expected_view(drawing))
    if drawing.has_shares and has_quotes:
        views.append(_distribution_view(drawing))
    separate = {"scale": {"color": "independent"}}
    return {"datasets": datasets(drawing), "vconcat": views, "spacing": 12, "resolve": separate}


def datasets(drawing: Drawing) -> dict[str, Any]:
    """The data that several views share. Brackets are numbers, in order, because that is short."""
    history, clock = drawing.history, drawing.clock
    times = [clock.milliseconds(moment) for moment in history.moments]
    quotes = [
        {"at": at, "bracket": number}
        | ({"bid": float(q.bid), "ask": float(q.ask)} if q else {"bid": None, "ask": None})
        for number, line in enumerate(history.quotes.values())
        for at, q in zip(times, line, strict=True)
    ]
    moments = [
        {"at": at, "when": f"{clock.shown(moment):{MOMENT}}"} | {f"b{n}": _spoken(q) for n, q in enumerate(line)}
        for at, moment, *line in zip(times, history.moments, *history.quotes.values(), strict=True)
    ]
    trades = [
        {
            "at": clock.milliseconds(trade["at"]),
            **drawing.bracket(trade["market"]),
            "price": float(trade["price"]),
            "contracts": float(trade["contracts"]),
        }
        for trade in history.trades
    ]
    return {"quotes": quotes, "moments": moments, "trades": trades}


def price_view(drawing: Drawing) -> View:
    """A line per bracket midway between bid and ask, the band between them, the largest trades as dots."""
    color = _color(drawing, has_legend=True)
    trade = [
        NAME,
        _when(drawing),
        {"field": "price", "format": "$.4~f", "title": "price of YES"},
        {"field": "contracts"},
    ]
    bands = {
        "data": _data("quotes"),
        "mark": {"type": "area", "interpolate": "step-after", "line": False},
        "params": [{"name": "chosen", "select": {"type": "point", "fields": ["bracket"]}, "bind": "legend"}],
        "encoding": {
            "x": _x(drawing, drawing.clock.name),
            "y": _price("bid"),
            "y2": {"field": "ask"},
            "color": color,
            "opacity": _faded(0.22, 0.02),
        },
    }
    lines = {
        "data": _data("quotes"),
        "transform": [MIDDLE],
        "mark": {
            "type": "line",
            "interpolate": "step-after",
            "strokeWidth": 1.5,
            "point": len(drawing.history.moments) < FEW,
        },
        "encoding": {"x": X, "y": _price("mid"), "color": color, "opacity": _faded(1, 0.06)},
    }
    dots = {
        "data": _data("trades"),
        "mark": {"type": "point", "filled": True},
        "encoding": {
            "x": X,
            "y": _price("price"),
            "color": color,
            "size": {"field": "contracts", "type": "quantitative", "legend": None, "scale": {"range": [8, 160]}},
            "opacity": _faded(0.55, 0.03),
            "tooltip": trade,
        },
    }
    return {
        "height": 400,
        "layer": [bands, lines, *_marks(drawing), _crosshair(drawing), *([dots] if drawing.history.trades else [])],
    }


def _spread_view(drawing: Drawing) -> View:
    """Ask less bid of each bracket."""
    lines = {
        "data": _data("quotes"),
        "transform": [{"calculate": "isValid(datum.bid) ? datum.ask - datum.bid : null", "as": "spread"}],
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1},
        "encoding": {
            "x": _x(drawing),
            "y": {
                "field": "spread",
                "type": "quantitative",
                "title": "spread",
                "axis": {**AXIS, "format": "$.2f", "tickCount": 3},
            },
            "color": _color(drawing),
            "opacity": _faded(0.8, 0.04),
        },
    }
    return {"height": 70, "layer": [lines, *_rules(drawing)]}


def _volume_view(drawing: Drawing) -> View:
    """Contracts by bar, stacked by bracket."""
    clock, width = drawing.clock, drawing.history.period.bar * MINUTE
    values = [
        {
            "at": clock.milliseconds(row["at"]),
            "to": clock.milliseconds(row["at"] + width),
            **drawing.bracket(row["market"]),
            "contracts": float(row["contracts"]),
        }
        for row in drawing.history.volume
    ]
    bars = {
        "data": {"values": values},
        "mark": {"type": "bar", "stroke": None},
        "encoding": {
            "x": _x(drawing, clock.name),
            "x2": {"field": "to"},
            "y": {
                "field": "contracts",
                "aggregate": "sum",
                "type": "quantitative",
                "title": "contracts",
                "axis": {**AXIS, "format": "~s", "tickCount": 3},
                "scale": {"domainMin": 0},
            },
            "color": _color(drawing),
            "opacity": _faded(0.9, 0.05),
            "tooltip": [
                NAME,
                _when(drawing, "from"),
                {"field": "contracts", "aggregate": "sum", "format": ",.2~f", "title": "contracts"},
            ],
        },
    }
    return {"height": 70, "layer": [bars, *_rules(drawing)]}


def _expected_view(drawing: Drawing) -> View:
    """The expected value over time, and what came true."""
    history, clock = drawing.history, drawing.clock
    values = [
        {"at": clock.milliseconds(moment), "value": None if value is None else round(value, 4)}
        for moment, value in zip(history.moments, drawing.expected, strict=True)
    ]
    y = {
        "field": "value",
        "type": "quantitative",
        "title": f"expected{drawing.unit and f', {drawing.unit}'}",
        "scale": {"zero": False, "nice": True},
        "axis": {**AXIS, "tickCount": 5},
    }
    line = {
        "data": {"values": values},
        "mark": {"type": "line", "interpolate": "step-after"},
        "encoding": {
            "x": _x(drawing, clock.name),
            "y": y,
            "tooltip": [_when(drawing), {"field": "value", "format": ".2f", "title": "expected"}],
        },
    }
    layers: list[View] = [line]
    if drawing.observed is not None:
        told = f"observed {cell(drawing.observed, drawing.unit).text}"
        layers.append(
            {
                "data": {"values": [{"value": drawing.observed, "told": told}]},
                "encoding": {"y": y},
                "layer": [
                    {"mark": {"type": "rule", "strokeWidth": 1.5, "strokeDash": [6, 3]}},
                    {
                        "mark": {"type": "text", "align": "left", "baseline": "bottom", "dx": 4, "dy": -2},
                        "encoding": {"x": {"value": 0}, "text": {"field": "told"}},
                    },
                ],
            }
        )
    return {"height": 130, "layer": [*layers, *_rules(drawing)]}


def _distribution_view(drawing: Drawing) -> View:
    """The implied probability of each bracket at the moment that was clicked in the prices."""
    numbers = [*range(len(drawing.names))]
    x: View = {"field": "bracket", "type": "nominal", "title": None, "scale": {"domain": numbers}}
    x |= {"axis": {"labelAngle": -25, "labelLimit": 110, "labelOverlap": False, "labelExpr": _name(drawing)}}
    y: View = {"field": "share", "type": "quantitative", "title": "probability"}
    y |= {"scale": {"domain": [0, 1]}, "axis": {**AXIS, "format": ".0%", "tickCount": 5}}
    shares = [
        {"filter": {"param": "moment", "empty": False}},
        {"filter": "isValid(datum.bid)"},
        MIDDLE,
        {"joinaggregate": [{"op": "sum", "field": "mid", "as": "total"}]},
        {"calculate": "datum.mid / datum.total", "as": "share"},
    ]
    bars = {
        "data": _data("quotes"),
        "transform": shares,
        "encoding": {"x": x, "y": y},
        "layer": [
            {
                "mark": {"type": "bar", "opacity": 0.75},
                "encoding": {"color": _color(drawing)},
            },
            {"mark": {"type": "text", "dy": -7}, "encoding": {"text": {"field": "share", "format": ".1%"}}},
        ],
    }
    moment = {
        "data": _data("moments"),
        "transform": [{"filter": {"param": "moment", "empty": False}}],
        "mark": {"type": "text", "align": "left", "baseline": "top", "dx": 6, "dy": 2, "fontSize": 12},
        "encoding": {"x": {"value": 0}, "y": {"value": 0}, "text": {"field": "when"}},
    }
    winner = {
        "data": {"values": [drawing.bracket(market) | {"told": "settled YES"} for market in drawing.winners]},
        "mark": {"type": "text", "dy": 14, "baseline": "top", "fontWeight": "bold"},
        "encoding": {"x": x, "y": {"value": 0}, "text": {"field": "told"}},
    }
    title = {"text": "Implied distribution", "subtitle": "Click in the prices to choose another time.", "offset": 12}
    return {"height": 170, "title": title, "layer": [bars, moment, *([winner] if drawing.winners else [])]}


def _crosshair(drawing: Drawing) -> View:
    """A rule that follows the pointer, with every bracket's quotes at that moment; a click chooses the moment."""
    told = {drawing.clock.name: "when"} | {name: f"b{number}" for number, name in enumerate(drawing.names.values())}
    # The cells around the moments, which find the nearest one, hold its row as a datum of their own.
    lines = [f"{json.dumps(title)}: (datum.datum || datum).{column}" for title, column in told.items()]
    chosen = drawing.chosen or drawing.history.moments[-1]
    initial = max((m for m in drawing.history.moments if m <= chosen), default=drawing.history.moments[0])
    here = {"type": "point", "encodings": ["x"], "nearest": True, "on": "pointerover", "clear": "pointerout"}
    clicked = {"type": "point", "encodings": ["x"], "nearest": True, "on": "click", "toggle": "false", "clear": False}
    return {
        "data": _data("moments"),
        "params": [
            {"name": "here", "select": here},
            {"name": "moment", "select": clicked, "value": [{"x": drawing.clock.milliseconds(initial)}]},
        ],
        "mark": {"type": "rule", "tooltip": {"expr": f"{{{', '.join(lines)}}}"}},
        "encoding": {
            "x": X,
            "opacity": {
                "condition": [
                    {"param": "here", "empty": False, "value": 0.8},
                    {"param": "moment", "empty": False, "value": 0.5},
                ],
                "value": 0,
            },
        },
    }


def _rules(drawing: Drawing) -> list[View]:
    """What the views below the prices repeat: the marks without their words, and the rule that follows the pointer."""
    marks = [{"at": drawing.clock.milliseconds(at)} for _, at in drawing.marks]
    return [
        {
            "data": {"values": marks},
            "mark": {"type": "rule", "strokeDash": [4, 4], "opacity": 0.6, "aria": False},
            "encoding": {"x": X},
        },
        {
            "data": _data("moments"),
            "transform": [{"filter": {"param": "here", "empty": False}}],
            "mark": {"type": "rule", "opacity": 0.8, "aria": False},
            "encoding": {"x": X},
        },
    ]


def _marks(drawing: Drawing) -> list[View]:
    """Dashed rules with their words: decision times, close, settlement. Words near the end stand before their rule."""
    clock = drawing.clock
    start, end = clock.milliseconds(drawing.history.period.since), _end(drawing)
    views: list[View] = []
    for number, (label, moment) in enumerate(sorted(drawing.marks, key=lambda mark: mark[1])):
        at = clock.milliseconds(moment)
        side = {"align": "left", "dx": 4} if at < start + 0.8 * (end - start) else {"align": "right", "dx": -4}
        words = {"type": "text", "baseline": "top", **side}
        views.append(
            {
                "data": {"values": [{"label": label, "at": at}]},
                "encoding": {"x": X},
                "layer": [
                    {"mark": {"type": "rule", "strokeDash": [4, 4]}},
                    {"mark": words, "encoding": {"text": {"field": "label"}, "y": {"value": 14 * number}}},
                ],
            }
        )
    return views


def _end(drawing: Drawing) -> int:
    """Where the time axis ends: with the prices or, if that is later, with the last mark."""
    period = drawing.history.period
    return max(
        drawing.clock.milliseconds(at) for at in (period.until, period.since + LEAST, *(at for _, at in drawing.marks))
    )


def _x(drawing: Drawing, title: str | None = None) -> View:
    """The time axis of a view's first layer, which the others share."""
    domain = {"expr": f"[{drawing.clock.milliseconds(drawing.history.period.since)}, {_end(drawing)}]"}
    axis = {"labelOverlap": True, "format": MOMENT, "titleAnchor": "end", "tickCount": 8}
    return {
        **TIME,
        "scale": {"type": "utc", "domain": domain, "nice": False, "padding": 0},
        "title": title,
        "axis": axis,
    }


def _price(name: str) -> View:
    axis = {**AXIS, "format": "$.2f"}
    return {"field": name, "type": "quantitative", "title": "price of YES", "scale": {"domain": [0, 1]}, "axis": axis}


def _color(drawing: Drawing, *, has_legend: bool = False) -> View:
    scale = {"domain": [*range(len(drawing.names))], "scheme": "category10"}
    legend = {**LEGEND, "title": "click to show one bracket", "labelExpr": _name(drawing)} if has_legend else None
    return {"field": "bracket", "type": "nominal", "scale": scale, "legend": legend}


def _name(drawing: Drawing) -> str:
    """An expression: the name of a bracket's number."""
    return f"{json.dumps(list(drawing.names.values()))}[datum.value]"


def _faded(value: float, otherwise: float) -> View:
    """Fainter if another bracket was chosen in the legend."""
    return {"condition": {"param": "chosen", "empty": True, "value": value}, "value": otherwise}


def _when(drawing: Drawing, title: str = "") -> View:
    return {
        **TIME,
        "title": title or drawing.clock.name,
        "format": MOMENT,
        "timeUnit": "utcyearmonthdatehoursminutes",
    }


def _spoken(each: Quote | None) -> str:
    """Bid and ask as the crosshair shows them."""
    return "none" if each is None else f"{cell(each.bid, 'price').text} / {cell(each.ask, 'price').text}"


def _data(name: str) -> View:
    return {"name": name}
