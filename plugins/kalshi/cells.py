"""Tables as people read them: every value is formatted by its type and unit, here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

Unit = Literal["", "$", "price", "share", "contracts", "°F", "s", "day", "plain", "score"]
"""What a number means. ``$``: dollars to the cent; ``price``: dollars to the tenth of a cent where there is one;
``share``: 0 to 1, shown in percent; ``s``: seconds; ``day``: only the day of a time; ``plain``: no thousands
separators; ``score``: four decimals."""
BADGES = ("success", "pass", "warning", "warn", "running", "failed", "fail", "abandoned", "error", "info")
"""The words that are shown as a coloured badge."""
MARKS = ("yes", "no", "winner")
"""What else stands out: the side of an outcome, and the bracket that paid."""
MINUS = "\N{MINUS SIGN}"
POINT_SPACE, DIGIT_SPACE = "\N{PUNCTUATION SPACE}", "\N{FIGURE SPACE}"
"""As wide as a point and as a digit."""
DECIMALS = re.compile(r"(\.\d+)?$")
"""At the end of a number without a unit behind it."""


TALLEST = 20
"""Pixels of the tallest bar in a cell."""


@dataclass(frozen=True)
class Bar:
    """A number among others of its kind, oldest first: what it is, and whether it is a bad one."""

    value: float
    label: str
    is_bad: bool = False
    height: int = 1


@dataclass(frozen=True)
class Bars:
    """Numbers as small bars in one cell."""

    bars: Sequence[Bar]


@dataclass(frozen=True)
class Cell:
    """A value in a table. ``is_number``: aligned to the right; ``badge``: its colour, one of ``BADGES`` or ``MARKS``;
    ``href``: where a click leads; ``is_loss``: a negative amount of money; ``value``: as CSV has it; ``bars``: drawn in
    its place."""

    text: str
    value: Any = None
    is_number: bool = False
    is_loss: bool = False
    badge: str = ""
    href: str = ""
    bars: Sequence[Bar] = ()


@dataclass(frozen=True)
class Link:
    """A value that leads somewhere, as a badge of this colour if ``badge`` is given."""

    value: Any
    href: str
    badge: str = ""


@dataclass(frozen=True)
class Heading:
    """The heading of a column by which the server sorts: ``href`` leads to the table sorted by it, ``order`` is
    ascending or descending if it is sorted by it now."""

    text: str
    href: str
    order: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Table:
    """A table with its title and the sentences above it. ``name``: of its CSV file; without one it has none;
    ``query``: the SQL that gives these rows; ``empty``: what to say if it has none; ``totals``: a last row below the
    others, which stays there when they are sorted and isn't in the CSV file."""

    title: str
    intro: str
    headers: Sequence[str | Heading]
    rows: Sequence[Sequence[Cell]]
    name: str = ""
    query: str = ""
    empty: str = ""
    totals: Sequence[Cell] = ()
    numbers: frozenset[int] = field(init=False)
    """The columns of numbers, to be aligned to the right."""

    def __post_init__(self) -> None:
        rows = [*self.rows, self.totals] if self.totals else self.rows
        columns = [_aligned(cells) for cells in zip(*rows, strict=True)]
        aligned = list(zip(*columns, strict=True))
        object.__setattr__(self, "rows", aligned[: len(self.rows)])
        object.__setattr__(self, "totals", aligned[-1] if self.totals else ())
        object.__setattr__(self, "numbers", frozenset(n for n, cells in enumerate(columns) if _is_numeric(cells)))


def _is_numeric(cells: Sequence[Cell]) -> bool:
    """Whether a column holds numbers, and nothing else besides empty cells."""
    return all(cell.is_number or not cell.text for cell in cells) and any(cell.text for cell in cells)


def _aligned(cells: Sequence[Cell]) -> Sequence[Cell]:
    """A column of numbers, widened on the right so that the decimal points stand below each other."""
    if not _is_numeric(cells):
        return cells
    decimals = [len(DECIMALS.search(cell.text)[0]) for cell in cells]  # type: ignore[index]  # it matches any text
    widest = max(decimals)
    return [_padded(cell, found, widest) if cell.text else cell for cell, found in zip(cells, decimals, strict=True)]


def _padded(cell: Cell, decimals: int, widest: int) -> Cell:
    point = POINT_SPACE if widest and not decimals else ""
    return replace(cell, text=cell.text + point + DIGIT_SPACE * (widest - decimals - len(point)))


def table(
    title: str,
    headers: Sequence[str | Heading],
    rows: Sequence[Sequence[Any]],
    *,
    units: Sequence[Unit] = (),
    intro: str = "",
    name: str = "",
    query: str = "",
    empty: str = "",
) -> Table:
    """A table of these values; ``units``: those of its columns, in order."""
    none: list[Unit] = [""]
    known = [*units, *none * (len(headers) - len(units))]
    cells = [[cell(value, unit) for value, unit in zip(row, known, strict=True)] for row in rows]
    return Table(title, intro, headers, cells, name, query, empty)


def cell(value: Any, unit: Unit = "") -> Cell:
    """The value as a person reads it. None is an empty cell; a list shows its length."""
    if isinstance(value, Cell):
        return value
    if isinstance(value, Link):
        shown = cell(value.value, unit)
        return Cell(shown.text, shown.value, shown.is_number, shown.is_loss, value.badge or shown.badge, value.href)
    if isinstance(value, Bars):
        return Cell("", " ".join(_bare(bar.value) for bar in value.bars), bars=_scaled(value.bars))
    if value is None or value == "":
        return Cell("", value)
    if isinstance(value, list):
        return cell(len(value))
    if isinstance(value, bool):
        return Cell("yes" if value else "no", value)
    if isinstance(value, int | float | Decimal):
        text = number(value, unit)
        return Cell(text, value, is_number=True, is_loss=unit in ("$", "price") and value < 0)
    if isinstance(value, date):  # and datetime
        return Cell(moment(value, unit), value)
    text = str(value)
    return Cell(text, value, badge=text if text in BADGES else "")


def _scaled(bars: Sequence[Bar]) -> list[Bar]:
    """The bars with their heights; the smallest number that isn't zero can still be seen."""
    most = max((bar.value for bar in bars), default=0) or 1
    return [replace(bar, height=1 + round((TALLEST - 1) * bar.value / most) + (bar.value > 0)) for bar in bars]


def moment(value: date, unit: Unit = "") -> str:
    """A time to the minute, or its day."""
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) and unit != "day" else f"{value:%Y-%m-%d}"


def number(value: float | Decimal, unit: Unit = "") -> str:
    """A number with its unit, thousands separated, a real minus sign."""
    format_number: Callable[[Any], str] = FORMATS.get(unit, _bare)
    text = format_number(abs(value))
    return f"{MINUS}{text}" if value < 0 and any(digit in text for digit in "123456789") else text


def _bare(value: float | Decimal) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}"
    return _trimmed(f"{value:,f}")


def _price(value: float | Decimal) -> str:
    whole, _, decimals = f"{value:.4f}".partition(".")
    return f"${whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


FORMATS: dict[Unit, Callable[[Any], str]] = {
    "$": lambda value: f"${value:,.2f}",
    "price": _price,
    "share": lambda value: f"{100 * float(value):.1f} %",
    "contracts": lambda value: _trimmed(f"{value:,.2f}"),
    "s": lambda value: f"{value:,.1f} s",
    "score": lambda value: f"{value:.4f}",
    "°F": lambda value: f"{_trimmed(f'{value:.2f}')} °F",
    "plain": lambda value: _trimmed(f"{value:f}") if isinstance(value, Decimal) else str(value),
}
