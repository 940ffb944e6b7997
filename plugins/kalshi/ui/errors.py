"""What a page answers when it can't answer: to people with a page or the login, to scripts with JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from kalshi.plugin import PAGES
from kalshi.ui.parameters import complaint
from kalshi.ui.rendering import root
from kalshi.ui.responses import not_found, problem
from kalshi.ui.warehouse import WarehouseUnavailable

LOGIN = "/api/v2/auth/login"
"""Where Airflow sends a browser to its login, whichever it uses; ``next``: where to come back to."""
NO_ACCESS = (
    "Your user may not see these pages, because its role lacks the permission to see plugins. Ask an administrator of "
    "this Airflow for a role that has it."
)


def handle_errors(app: FastAPI) -> None:
    """Let the app answer every error in words."""
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, wrong_parameters)
    app.add_exception_handler(OverflowError, out_of_range)
    app.add_exception_handler(WarehouseUnavailable, warehouse_unavailable)


async def refused(request: Request, error: Any) -> Response:
    """No login, no permission, no such address. A script gets JSON, as from the rest of Airflow."""
    if not is_for_a_person(request):
        return await http_exception_handler(request, error)
    if error.status_code == 401:
        return RedirectResponse(_login(request), 307)
    if error.status_code == 403:
        return problem(request, 403, "No access", NO_ACCESS)
    if error.status_code == 404:
        return not_found(request, f"There is no page {request.url.path.removeprefix(root(request))}.")
    return problem(request, error.status_code, "Not possible", f"{error.detail}.")


async def wrong_parameters(request: Request, error: Any) -> Response:
    return problem(request, 422, "Not understood", " ".join(complaint(each) for each in error.errors()))


async def out_of_range(request: Request, error: Exception) -> Response:
    return problem(request, 400, "No such days", "A day in the address is too early or too late: choose another one.")


async def warehouse_unavailable(request: Request, error: Exception) -> Response:
    return problem(request, 503, "No warehouse", str(error))


def is_for_a_person(request: Request) -> bool:
    """Whether a browser asks for a page; scripts, and the files of a page, don't ask for HTML."""
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")


def _login(request: Request) -> str:
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"{root(request).removesuffix(PAGES)}{LOGIN}?{urlencode({'next': here})}"
