"""Rendering of a page: its template, its tables and charts, and each table as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
import sqlalchemy as sa
from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from kalshi.cells import Cell, Heading, Table, Unit, cell
from kalshi.reports.charts import CONFIG
from kalshi.reports.files import TEMPLATES as REPORTS
from kalshi.ui.static_files import address_of
from kalshi.warehouse import copies
from kalshi.warehouse.exchanges import is_synthetic

FOLDER = Path(__file__).parent
TEMPLATES = REPORTS.overlay(
    loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(FOLDER / "templates"), REPORTS.loader])  # type: ignore[list-item]
)
TEMPLATES.globals["CHARTS"] = CONFIG
MENU = {
    "": "Overview",
    "markets": "Markets",
    "coverage": "Coverage",
    "quality": "Quality",
    "calibration": "Calibration",
    "gaps": "Gaps",
    "portfolio": "Portfolio",
    "reports": "Reports",
}
"""Paths below the pages' root, and their names."""
CSV = "csv"
"""The parameter of a page's address that asks for one of its tables instead, by name."""


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite chart, drawn in the browser as wide as space allows, between two widths in pixels."""

    specification: Mapping[str, Any]
    narrowest: int = 0
    widest: int = 1600


@dataclass(frozen=True)
class Column:
    """A column of a page's table: its heading, and what its numbers mean."""

    heading: str | Heading
    unit: Unit = ""


Columns = Mapping[str, str | Column]


def table(
    records: Sequence[Mapping[str, Any]],
    columns: Columns,
    *,
    totals: Mapping[str, Any] | None = None,
    **others: Any,
) -> Table:
    """The records as a table; ``columns``: by field, its heading; ``totals``: the record of a last row, if there is
    more than one above it; ``others``: as in :class:`kalshi.cells.Table`."""
    known = {name: column if isinstance(column, Column) else Column(column) for name, column in columns.items()}

    def cells(record: Mapping[str, Any]) -> list[Cell]:
        return [cell(record.get(name), column.unit) for name, column in known.items()]

    about = {"title": "", "intro": "", **others}
    if totals and len(records) > 1:
        about["totals"] = cells({next(iter(known)): "total", **totals})
    return Table(headers=[column.heading for column in known.values()], rows=list(map(cells, records)), **about)


def summed(records: Sequence[Mapping[str, Any]], *fields: str) -> dict[str, Any]:
    """The sums of these fields, what isn't known left out: the totals of a table."""
    return {name: sum(record[name] for record in records if record[name] is not None) for name in fields}


def render(
    request: Request,
    template: str,
    connection: sa.Connection | None = None,
    status: int = 200,
    **context: Any,
) -> Response:
    """The page or, if its address asks for one, a table of it as CSV.

    ``base`` in its template is the root of all pages, ``current`` the path of this page below it,
    ``static("pages.js")`` the address of a file. ``connection``: to the warehouse whose data it shows; it knows whether
    that is synthetic.
    """
    if (name := request.query_params.get(CSV)) is not None:
        return csv_file(name, context)
    base = root(request)
    current = request.url.path.removeprefix(base).strip("/")
    context = {"is_synthetic": connection is not None and is_synthetic(connection), **context}
    context["read_from"] = connection.info.get(copies.NOTE) if connection is not None else None
    context |= {"base": base, "current": current, "menu": MENU, "csv": _csv_address(request)}
    context["static"] = partial(address_of, base)
    return HTMLResponse(TEMPLATES.get_template(template).render(context), status)


def _csv_address(request: Request) -> str:
    """The address of a table of this page, but for the table's name."""
    chosen = [(name, value) for name, value in request.query_params.multi_items() if name != CSV]
    return f"{request.url.path}?{urlencode([*chosen, (CSV, '')])}"


def csv_file(name: str, context: Mapping[str, Any]) -> Response:
    """A table of a page as CSV, with its values as they are in the warehouse."""
    found = next((each for each in _tables(context) if each.name == name), None)
    if found is None:
        return Response(f"This page has no table {name}.\n", 404, media_type="text/plain")
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(found.headers)
    writer.writerows([_plain(each) for each in row] for row in found.rows)
    headers = {"Content-Disposition": f'attachment; filename="kalshi_{quote(name)}.csv"'}
    return Response(file.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


def _tables(value: Any) -> Iterator[Table]:
    if isinstance(value, Table):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _tables(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tables(each)


def _plain(each: Cell) -> Any:
    return each.text if each.value is None else each.value


def root(request: Request) -> str:
    """The path at which Airflow serves the pages, such as /kalshi, without a trailing slash."""
    return str(request.scope["root_path"]).rstrip("/")


def address(request: Request, *parts: str, **params: Any) -> str:
    """The path of a page; its parts and parameters are percent-encoded."""
    path = "/".join([root(request), *(quote(part, safe="") for part in parts)])
    chosen = {name: value for name, value in params.items() if value not in (None, "")}
    return f"{path}?{urlencode(chosen)}" if chosen else path


def changed(request: Request, **params: Any) -> str:
    """This page's address with other values of these parameters; None and "" leave one out."""
    kept = {name: value for name, value in request.query_params.items() if name not in (*params, CSV)}
    chosen = {name: value for name, value in params.items() if value not in (None, "")}
    return f"{request.url.path}?{urlencode(kept | chosen)}"


@dataclass(frozen=True)
class Pager:
    """Which rows of a long table are shown, and the addresses of those before and after them, or ""."""

    first: int
    last: int
    total: int
    previous: str
    next: str


def pager(request: Request, param: str, number: int, size: int, total: int, place: str = "") -> Pager:
    """The rows of page ``number`` (from 1), which the parameter ``param`` of the address chooses; ``place``: the id of
    the element that the links lead to."""
    last = min(number * size, total)
    pages = range(1, -(-total // size) + 1)

    def link(page: int) -> str:
        return changed(request, **{param: page if page > 1 else None}) + (place and f"#{place}")

    before = min(number - 1, len(pages))  # from beyond the end back to the last page
    return Pager(
        first=min((number - 1) * size + 1, total),
        last=last,
        total=total,
        previous=link(before) if before in pages else "",
        next=link(number + 1) if number + 1 in pages else "",
    )
