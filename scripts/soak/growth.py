"""Whether a measure grows: the criterion, the table and the chart."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

Points = Sequence[tuple[float, float]]
"""Minutes since the start and the value at that time, in time order."""


@dataclass(frozen=True)
class Allowance:
    """How much a measure may grow in the second half: the larger of a share of its median and a number of units."""

    share: float
    units: float

    def of(self, points: Points) -> float:
        return max(self.share * abs(statistics.median(value for _, value in points)), self.units)


def growth(points: Points) -> float:
    """How much a measure rises over its second half, by its trend there.

    The first half is left out: processes load code and fill caches. The trend is the median of the slopes between
    all pairs of points (Theil and Sen), so a peak doesn't count and a steady rise does.
    """
    half = (points[0][0] + points[-1][0]) / 2
    late = [point for point in points if point[0] >= half]
    slopes = [(b - a) / (then - now) for (now, a), (then, b) in itertools.combinations(late, 2) if then > now]
    return statistics.median(slopes) * (late[-1][0] - late[0][0]) if slopes else 0.0


@dataclass(frozen=True)
class Verdict:
    """One measure over the whole soak, in its own unit; ``allowed`` None: shown only."""

    name: str
    first_quarter: float
    last_quarter: float
    peak: float
    grew: float
    allowed: float | None

    @property
    def is_well(self) -> bool:
        return self.allowed is None or self.grew <= self.allowed


def judge(name: str, points: Points, allowance: Allowance | None) -> Verdict:
    """Medians of the first and last quarter of the points, the maximum, and the growth next to what is allowed."""
    quarter = max(1, len(points) // 4)
    values = [value for _, value in points]
    first, last = statistics.median(values[:quarter]), statistics.median(values[-quarter:])
    return Verdict(name, first, last, max(values), growth(points), allowance.of(points) if allowance else None)


def table(verdicts: Sequence[Verdict]) -> str:
    """The verdicts as an aligned table."""
    cells = [
        [
            v.name,
            *(f"{value:,.1f}" for value in (v.first_quarter, v.last_quarter, v.peak)),
            f"{v.grew:+,.1f}",
            "" if v.allowed is None else f"{v.allowed:,.1f}",
            "" if v.allowed is None else "ok" if v.is_well else "GROWS",
        ]
        for v in verdicts
    ]
    headers = ["measure", "first quarter", "last quarter", "peak", "growth, 2nd half", "allowed", ""]
    return tabulate(cells, headers=headers, disable_numparse=True, colalign=("left", *["right"] * 5, "left"))


def draw(panels: Mapping[str, Mapping[str, Points]], file: Path) -> None:
    """Draw a PNG: the ``panels`` one below the other, a line per measure, over simulated minutes."""
    import altair as alt

    charts: list[dict[str, Any]] = [
        {
            "title": {"text": title, "anchor": "start", "fontSize": 12},
            "data": {
                "values": [
                    {"minute": minute, "value": value, "what": name}
                    for name, points in lines.items()
                    for minute, value in points
                ]
            },
            "mark": {"type": "line", "interpolate": "step-after"},
            "width": 640,
            "height": 150,
            "encoding": {
                "x": {"field": "minute", "type": "quantitative", "title": "simulated minutes"},
                "y": {"field": "value", "type": "quantitative", "title": None},
                "color": {"field": "what", "type": "nominal", "title": None, "sort": list(lines)},
            },
        }
        for title, lines in panels.items()
    ]
    specification = {"vconcat": charts, "resolve": {"scale": {"color": "independent"}}}
    alt.VConcatChart.from_dict(specification).save(file, scale_factor=1.2)
