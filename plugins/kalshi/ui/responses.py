"""Pages that say that something can't be shown."""

from __future__ import annotations

from fastapi import Request, Response

from kalshi.ui.rendering import render


def problem(request: Request, status: int, title: str, message: str) -> Response:
    """A page with one sentence: what is wrong, and what to do."""
    return render(request, "problem.html.jinja", status=status, title=title, message=message)


def not_found(request: Request, message: str) -> Response:
    return problem(request, 404, "Not found", message)
