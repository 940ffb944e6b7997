"""Rendering of a page: its template, tables and charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse

from kalshi.reports.files import TEMPLATES as REPORTS

FOLDER = Path(__file__).parent
TEMPLATES = REPORTS.overlay(
    loader=jinja2.ChoiceLoader([jinja2.FileSystemLoader(FOLDER / "templates"), REPORTS.loader])  # type: ignore[list-item]
)
PAGES = {"": "Overview", "coverage": "Coverage", "gaps": "Gaps", "portfolio": "Portfolio", "reports": "Reports"}
"""The menu: paths below the pages' root, and their names."""


@dataclass(frozen=True)
class Link:
    """A table cell with a link, coloured by ``state`` if that is one of the states of ``table.html.jinja``."""

    text: str
    href: str
    state: str = ""


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite chart, drawn in the browser as wide as space allows, between two widths in pixels."""

    specification: Mapping[str, Any]
    narrowest: int = 0
    widest: int = 1600


def render(
    request: Request, template: str, status: int = 200, *, is_synthetic: bool = False, **context: Any
) -> HTMLResponse:
    """The page. ``base`` in its template is the root of all pages, ``current`` the path of this page below it.

    ``is_synthetic``: whether it shows synthetic data, and so needs the notice.
    """
    base = root(request)
    current = request.url.path.removeprefix(base).strip("/")
    context |= {"base": base, "current": current, "menu": PAGES, "is_synthetic": is_synthetic}
    html = TEMPLATES.get_template(template).render(context)
    return HTMLResponse(html, status)


def root(request: Request) -> str:
    """The path at which Airflow serves the pages, such as /kalshi, without a trailing slash."""
    return str(request.scope["root_path"]).rstrip("/")


def address(request: Request, *parts: str) -> str:
    """The path of a page; its parts are percent-encoded."""
    return "/".join([root(request), *(quote(part, safe="") for part in parts)])


def cell(value: Any) -> Any:
    """A value as a table shows it: times to the minute, numbers without trailing zeros."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value


def rows(records: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> list[list[Any]]:
    """The records as rows of cells, in the order of the columns."""
    return [[cell(record[name]) for name in columns] for record in records]
