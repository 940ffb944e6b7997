"""The routes of the pages. Each requires an Airflow login and the permission to see plugins."""

from __future__ import annotations

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, Request, Response
from starlette.middleware.base import RequestResponseEndpoint

from kalshi.ui import (
    calibration,
    coverage,
    event,
    gaps,
    markets,
    overview,
    portfolio,
    portfolio_market,
    quality,
    reports,
    run_form,
)
from kalshi.ui.errors import handle_errors
from kalshi.ui.responses import not_found
from kalshi.ui.static_files import TYPES, content, version_of

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


handle_errors(app)
for page in (
    overview,
    markets,
    coverage,
    quality,
    calibration,
    gaps,
    event,
    portfolio,
    portfolio_market,
    reports,
    run_form,
):
    app.include_router(page.router)


@app.get("/static/{name}")
def send_static(request: Request, name: str, v: str = "") -> Response:
    """Style and scripts. ``v``: the version that the address names; only that one may be kept."""
    if name not in TYPES:
        return not_found(request, f"There is no file {name}.")
    kept = "max-age=31536000, immutable" if v == version_of(name) else "no-cache"
    return Response(content(name), media_type=TYPES[name], headers={"Cache-Control": f"private, {kept}"})
