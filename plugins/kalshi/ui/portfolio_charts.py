"""The charts of the portfolio page. Amounts are dollars, days are UTC."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

Rows = Sequence[dict[str, Any]]
ROW = 26
"""Height of a bar across, in pixels."""
MOST_DAY_TICKS = 14
"""With more days than that, the chart chooses which days to name."""
MOST_POINTS = 60
"""With more days than that, a line shows no points."""
GAIN_OR_LOSS = {"condition": {"test": "datum.amount < 0", "value": "var(--loss)"}, "value": "var(--gain)"}


def equity_chart(rows: Rows) -> dict[str, Any]:
    """A line; rows: ``day``, ``amount``."""
    return _by_day(rows, "equity", _line(rows), {"scale": {"zero": False}})


def earned_chart(rows: Rows) -> dict[str, Any]:
    """A line; rows: ``day``, ``amount``."""
    return _by_day(rows, "realised so far, after fees", _line(rows))


def drawdown_chart(rows: Rows) -> dict[str, Any]:
    """An area below 0; rows: ``day``, ``amount``."""
    mark = {"type": "area", "interpolate": "step-after", "color": "var(--loss)", "opacity": 0.6}
    fewer_ticks = {"axis": {**_dollars(), "tickCount": 3}}
    return {**_by_day(rows, "below its highest", mark, fewer_ticks), "height": 90}


def daily_chart(rows: Rows) -> dict[str, Any]:
    """A bar per day, gains and losses in their colours; rows: ``day``, ``amount``."""
    specification = _by_day(rows, "realised that day, after fees", {"type": "bar"})
    specification["encoding"]["color"] = GAIN_OR_LOSS
    return specification


def series_chart(rows: Rows) -> dict[str, Any]:
    """A bar across per series, in the order of the rows: ``name``, ``amount``."""
    return {
        "data": {"values": list(map(_plain, rows))},
        "mark": {"type": "bar"},
        "width": "container",
        "height": ROW * len(rows),
        "encoding": {
            "x": {"field": "amount", "type": "quantitative", "title": None, "axis": _dollars()},
            "y": {"field": "name", "type": "nominal", "title": None, "sort": None, "axis": {"labelLimit": 110}},
            "color": GAIN_OR_LOSS,
            "tooltip": [{"field": "name", "title": "series"}, _amount("realised, after fees")],
        },
    }


def _by_day(rows: Rows, title: str, mark: dict[str, Any], y: dict[str, Any] | None = None) -> dict[str, Any]:
    days = {row["day"] for row in rows}
    axis = {"format": "%d %b", "labelOverlap": True, "grid": False}
    if len(days) <= MOST_DAY_TICKS:
        axis["tickCount"] = "day"
    day = {"field": "day", "type": "temporal", "timeUnit": "utcyearmonthdate"}
    return {
        "data": {"values": list(map(_plain, rows))},
        "mark": mark,
        "width": "container",
        "height": 180,
        "encoding": {
            "x": {**day, "title": None, "axis": axis},
            "y": {"field": "amount", "type": "quantitative", "title": None, "axis": _dollars(), **(y or {})},
            "tooltip": [{**day, "title": "day", "format": "%a %d %b %Y"}, _amount(title)],
        },
    }


def _line(rows: Rows) -> dict[str, Any]:
    return {"type": "line", "interpolate": "step-after", "color": "#2f7ed8", "point": len(rows) <= MOST_POINTS}


def _dollars() -> dict[str, Any]:
    return {"format": "$,.2~f", "tickCount": 5, "minExtent": 40}


def _amount(title: str) -> dict[str, Any]:
    return {"field": "amount", "type": "quantitative", "title": title, "format": "$,.2f"}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: float(v) if isinstance(v, Decimal) else str(v) for name, v in row.items() if name != "series"}
