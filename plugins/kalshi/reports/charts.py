"""The charts of the reports: specified in Vega-Lite, drawn by Altair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import altair as alt

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
    drawn: alt.Chart = alt.Chart.from_dict({"data": {"values": values}, "padding": PADDING, **specification})
    return drawn


def heat_map(title: str, rows: list[dict[str, Any]], *, has_legend: bool) -> dict[str, Any]:
    """A specification: cities by days, coloured by ``share`` (0 to 1). Rows: ``city``, ``day``, ``share``."""
    return {
        "data": {"values": rows},
        "title": {"text": title, "anchor": "start", "fontSize": 12},
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
                "scale": {"domain": [0, 0.5, 1], "range": ["#d9480f", "#fff4e6", "#0b7285"]},
                "legend": {"format": ".0%"} if has_legend else None,
            },
        },
    }
