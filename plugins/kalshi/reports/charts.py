"""The charts of the reports: specified in Vega-Lite, drawn by Altair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import altair as alt

FONT = "system-ui, sans-serif"
"""Of pages, reports and charts."""
_TEXT = {"labelColor": "var(--soft)", "titleColor": "var(--soft)", "titleFontWeight": "normal"}
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "axis": {**_TEXT, "gridColor": "var(--line)", "domainColor": "var(--line)", "tickColor": "var(--line)"},
    "legend": _TEXT,
    "title": {"color": "var(--ink)", "font": FONT, "fontSize": 13, "anchor": "start", "subtitleColor": "var(--soft)"},
    "header": _TEXT,
    "view": {"stroke": None},
    "text": {"color": "var(--soft)", "font": FONT},
    "rule": {"color": "var(--soft)"},
    "range": {
        "category": ["#2f7ed8", "#d9480f", "#2b8a3e", "#9c36b5", "#c99700", "#0b8f9c", "#c2255c", "#7a6652"],
        "heatmap": ["#d9480f", "#fff4e6", "#0b7285"],
    },
}
"""How every chart looks, those of the pages (drawn in the browser) and those of the reports. Text and lines have the
colours of the style sheet, so that charts follow the theme."""
LIGHT = {"var(--ink)": "#1d2733", "var(--soft)": "#55606b", "var(--line)": "#dde3e8", "var(--ground)": "#fff"}
"""What they are where there is no style sheet: in a picture."""
PADDING = {"left": 5, "top": 5, "bottom": 5, "right": 30}
BY_SERIES = {"field": "series", "type": "nominal", "title": None}
"""An encoding: one row or one colour per series."""


def by_date(field: str) -> dict[str, Any]:
    """An encoding: days or months side by side, labelled where space allows."""
    return {"field": field, "type": "ordinal", "title": None, "axis": {"labelOverlap": True, "labelAngle": -45}}


def chart_of(field: str, **specification: Any) -> Callable[[Any], alt.Chart | None]:
    """A function that charts a field of a report (a list of rows), or returns None if it is empty.

    ``specification``: as in :func:`chart`.
    """
    return lambda report: chart(getattr(report, field), **specification)


def chart(rows: Sequence[Any], **specification: Any) -> alt.Chart | None:
    """A chart of these rows, or None if there are none.

    ``specification``: mark, encoding, width, height … in Vega-Lite (https://vega.github.io/vega-lite/docs).
    """
    if not rows:
        return None
    import altair as alt  # takes 0.2 s: too slow for every import of a DAG file

    values = msgspec.to_builtins(rows)
    drawn: alt.Chart = alt.Chart.from_dict(
        {"data": {"values": values}, "padding": PADDING, "config": CONFIG, **specification}
    )
    return drawn


def heat_map(title: str, rows: list[dict[str, Any]], *, has_legend: bool) -> dict[str, Any]:
    """A specification: cities by days, coloured by ``share`` (0 to 1). Rows: ``city``, ``day``, ``share``."""
    return {
        "data": {"values": rows},
        "title": title,
        "mark": "rect",
        "width": min(900, max(120, 24 * len({row["day"] for row in rows}))),
        "height": {"step": 20},
        "encoding": {
            "x": {**by_date("day"), "scale": {"paddingInner": 0.06}},
            "y": {"field": "city", "type": "nominal", "title": None, "scale": {"paddingInner": 0.06}},
            "color": {
                "field": "share",
                "type": "quantitative",
                "title": "markets quoted",
                "scale": {"domain": [0, 0.5, 1], "range": "heatmap"},
                "legend": {"format": ".0%"} if has_legend else None,
            },
        },
    }


def picture(specification: dict[str, Any]) -> bytes:
    """A chart as PNG, for where there is no style sheet: in light colours on white."""
    import vl_convert  # takes 0.1 s, as above

    text = msgspec.json.encode({"config": CONFIG, **specification, "background": "white"}).decode()
    for variable, color in LIGHT.items():
        text = text.replace(variable, color)
    png: bytes = vl_convert.vegalite_to_png(text, scale=2)
    return png


def drawing(specification: dict[str, Any]) -> str:
    """A chart as SVG, to be embedded in a page with the style sheet."""
    import vl_convert

    svg: str = vl_convert.vegalite_to_svg(msgspec.json.encode(specification).decode())
    return svg
