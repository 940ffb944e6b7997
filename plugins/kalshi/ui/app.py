"""The routes of the pages. Each requires an Airflow login and the permission to see plugins."""

from __future__ import annotations

from functools import cache

import vl_convert
from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, Request, Response
from starlette.middleware.base import RequestResponseEndpoint

from kalshi.ui import calibration, coverage, event, gaps, overview, portfolio, reports
from kalshi.ui.rendering import FOLDER, TEMPLATES
from kalshi.ui.responses import not_found, problem
from kalshi.ui.warehouse import WarehouseUnavailable

STATIC = {"pages.css": "text/css", "pages.js": "text/javascript", "vega.js": "text/javascript"}
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)

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
def warehouse_unavailable(request: Request, error: Exception) -> Response:
    return problem(request, 503, "No warehouse", str(error))


for page in (overview, coverage, calibration, gaps, event, portfolio, reports):
    app.include_router(page.router)


@app.get("/static/{name}")
def send_static(request: Request, name: str) -> Response:
    """Style and scripts. The chart library comes from the package that draws the reports' charts."""
    if name not in STATIC:
        return not_found(request, f"There is no file {name}.")
    headers = {"Cache-Control": "private, max-age=3600"}
    return Response(_static(name), media_type=STATIC[name], headers=headers)


@cache
def _static(name: str) -> str:
    """The content of a file. Bundling the chart library (Vega, Vega-Lite and Vega-Embed) takes two seconds."""
    if name == "vega.js":
        library: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
        return library
    shared = TEMPLATES.get_template("style.css").render() if name == "pages.css" else ""
    return shared + (FOLDER / "static" / name).read_text(encoding="utf-8")
