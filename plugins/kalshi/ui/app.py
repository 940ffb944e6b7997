"""The routes of the pages. Each requires an Airflow login and the permission to see plugins."""

from __future__ import annotations

from datetime import date
from functools import cache
from textwrap import shorten
from typing import Annotated, Any

import vl_convert
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from pydantic import BeforeValidator
from starlette.middleware.base import RequestResponseEndpoint

from kalshi.settings import load_settings
from kalshi.ui.coverage import EARLIEST, Selection, coverage
from kalshi.ui.event import event_page
from kalshi.ui.gaps import gap_lists
from kalshi.ui.overview import overview
from kalshi.ui.portfolio import portfolio
from kalshi.ui.rendering import FOLDER, TEMPLATES, Link, address, cell, render
from kalshi.ui.report_files import TYPES, report_file, reports
from kalshi.ui.warehouse import WarehouseUnavailable, reading
from kalshi.warehouse.exchanges import is_synthetic

REPORTS_LISTED = 25
"""Per DAG; a list of one DAG shows all of them."""
LONGEST_LIST = 60
"""Characters of the names to check; the report lists all of them."""
STATIC = {"pages.css": "text/css", "pages.js": "text/javascript", "vega.js": "text/javascript"}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'self'; "
    "sandbox allow-same-origin"
)
"""A report embeds its style and has no scripts."""
OptionalDay = Annotated[date | None, BeforeValidator(lambda value: value or None)]

app = FastAPI(
    title="Kalshi",
    dependencies=[Depends(requires_access_view(AccessView.PLUGINS))],
    openapi_url=None,  # these would be served without a login
    docs_url=None,
    redoc_url=None,
)


@app.middleware("http")
async def set_security_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Block anything from other machines, and caching by proxies."""
    response = await call_next(request)
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


@app.exception_handler(WarehouseUnavailable)
def warehouse_unavailable(request: Request, error: Exception) -> HTMLResponse:
    return render(request, "problem.html.jinja", 503, title="No warehouse", message=str(error))


@app.get("/")
def show_overview(request: Request) -> HTMLResponse:
    with reading() as connection:
        found = overview(connection, request, load_settings().reports.path)
        return render(request, "overview.html.jinja", is_synthetic=is_synthetic(connection), **found)


@app.get("/coverage")
def show_coverage(
    request: Request,
    series: Annotated[str, Query(max_length=120)] = "",
    days: Annotated[int, Query(ge=1, le=366)] = 60,
    until: OptionalDay = None,
) -> HTMLResponse:
    if until and until < EARLIEST:
        message = f"The day {until} is too early: choose {EARLIEST} or a later day."
        return render(request, "problem.html.jinja", 400, title="No such days", message=message)
    with reading() as connection:
        found = coverage(connection, request, Selection(series, days, until))
        return render(request, "coverage.html.jinja", is_synthetic=is_synthetic(connection), **found)


@app.get("/gaps")
def show_gaps(request: Request, job: Annotated[str, Query(max_length=64)] = "") -> HTMLResponse:
    with reading() as connection:
        found, synthetic = gap_lists(connection, job), is_synthetic(connection)
    return render(request, "gaps.html.jinja", is_synthetic=synthetic, **found)


@app.get("/event/{event_ticker:path}")
def show_event(request: Request, event_ticker: str) -> HTMLResponse:
    with reading() as connection:
        found, synthetic = event_page(connection, event_ticker), is_synthetic(connection)
    if found is None:
        return _not_found(request, f"The warehouse has no event {event_ticker}; kalshi_catalog_sync reads events.")
    return render(request, "event.html.jinja", is_synthetic=synthetic, **found)


@app.get("/portfolio")
def show_portfolio(request: Request) -> HTMLResponse:
    with reading() as connection:
        return render(request, "portfolio.html.jinja", is_synthetic=is_synthetic(connection), **portfolio(connection))


@app.get("/reports")
def list_reports(request: Request, dag: str = "") -> HTMLResponse:
    found = reports(load_settings().reports.path, REPORTS_LISTED if not dag else 1_000)
    chosen = {name: listed for name, listed in found.items() if listed and dag in ("", name)}
    return render(
        request,
        "reports.html.jinja",
        is_synthetic=any(report["is_synthetic"] for listed in chosen.values() for report in listed),
        dags={name: [_row(request, report) for report in listed] for name, listed in chosen.items()},
        known=[name for name, listed in found.items() if listed],
        most=REPORTS_LISTED,
        dag=dag,
    )


def _row(request: Request, report: dict[str, Any]) -> list[Any]:
    """A row in the list of reports."""
    began = report["began_at"] or report["written_at"]
    return [
        Link(cell(began), address(request, "reports", report["dag"], report["run"])),
        report["verdict"],
        report["cause"],
        report["took"],
        shorten(", ".join(report["to_look_at"]), LONGEST_LIST, placeholder=" …"),
    ]


@app.get("/reports/{dag}/{run}")
def show_report(request: Request, dag: str, run: str) -> HTMLResponse:
    folder = load_settings().reports.path
    if report_file(folder, f"{dag}/{run}/index.html") is None:
        return _not_found(request, f"There is no report {dag}/{run}.")
    return render(
        request, "report.html.jinja", dag=dag, run=run, file=address(request, "files", dag, run, "index.html")
    )


@app.get("/files/{path:path}")
def send_report_file(request: Request, path: str) -> Response:
    file = report_file(load_settings().reports.path, path)
    if file is None:
        return _not_found(request, f"There is no report file {path}.")
    return FileResponse(file, media_type=TYPES[file.suffix], headers={"Content-Security-Policy": REPORT_POLICY})


@app.get("/static/{name}")
def send_static(request: Request, name: str) -> Response:
    """Style and scripts. The chart library comes from the package that draws the reports' charts."""
    if name not in STATIC:
        return _not_found(request, f"There is no file {name}.")
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(_static(name), media_type=STATIC[name], headers=headers)


def _not_found(request: Request, message: str) -> HTMLResponse:
    return render(request, "problem.html.jinja", 404, title="Not found", message=message)


@cache
def _static(name: str) -> str:
    """The content of a file. Bundling the chart library (Vega, Vega-Lite and Vega-Embed) takes two seconds."""
    if name == "vega.js":
        library: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
        return library
    shared = TEMPLATES.get_template("style.css").render() if name == "pages.css" else ""
    return shared + (FOLDER / "static" / name).read_text(encoding="utf-8")
