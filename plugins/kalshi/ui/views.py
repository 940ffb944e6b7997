"""How a page looks: its template, its tables and its charts."""

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
PAGES = {"": "Overview", "coverage": "Coverage", "portfolio": "Portfolio", "reports": "Reports"}
"""The menu: addresses below that of the pages, and their names."""


@dataclass(frozen=True)
class Link:
    """A cell that leads somewhere."""

    text: str
    href: str


@dataclass(frozen=True)
class Chart:
    """A chart in Vega-Lite's words, drawn in the browser as wide as there is room, between two widths in pixels."""

    specification: Mapping[str, Any]
    narrowest: int = 0
    widest: int = 1600


def render(
    request: Request, template: str, status: int = 200, *, is_synthetic: bool = False, **context: Any
) -> HTMLResponse:
    """The page. ``base`` in its template is the address of the pages, ``here`` that of the page below it.

    ``is_synthetic``: whether it shows data that is made up, which it then says.
    """
    base = root(request)
    here = request.url.path.removeprefix(base).strip("/")
    context |= {"base": base, "here": here, "menu": PAGES, "is_synthetic": is_synthetic}
    html = TEMPLATES.get_template(template).render(context)
    return HTMLResponse(html, status)


def root(request: Request) -> str:
    """Where Airflow serves the pages, such as /kalshi; no slash at its end."""
    return str(request.scope["root_path"]).rstrip("/")


def address(request: Request, *parts: str) -> str:
    """The address of a page; what the parts hold is quoted."""
    return "/".join([root(request), *(quote(part, safe="") for part in parts)])


def cell(value: Any) -> Any:
    """What a table shows: times to the minute, numbers without trailing zeros."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value


def rows(things: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> list[list[Any]]:
    """The things as rows of cells, in the order of the columns."""
    return [[cell(thing[name]) for name in columns] for thing in things]
