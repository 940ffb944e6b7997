"""What a request that changes something must prove: that it comes from these pages, not from a form of another site
which the user's browser sends with their cookie."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from airflow.configuration import conf
from fastapi import Depends, HTTPException, Request

LONGEST_BODY = 10_000


def from_these_pages(request: Request) -> None:
    """Refuse a request that another site may have made, and anything but JSON, which no form can send.

    A browser says in ``Sec-Fetch-Site`` where a request comes from, and over plain HTTP in ``Origin``; a page can't
    change either.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "Send JSON (Content-Type: application/json).")
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site not in (None, "same-origin") or (origin is None and site is None):
        raise HTTPException(403, "Only these pages may send this: open the page in Airflow and use its form.")
    if origin is not None and urlsplit(origin).netloc not in _own_names(request):
        raise HTTPException(403, "Only these pages may send this: open the page in Airflow and use its form.")


def _own_names(request: Request) -> set[str]:
    """The names of this server: that of the request, and the configured one, if a proxy changes the former."""
    configured = urlsplit(conf.get("api", "base_url", fallback="")).netloc
    return {request.headers.get("host", ""), configured} - {""}


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            raise HTTPException(413, f"More than {LONGEST_BODY:,} bytes.")
    return body


SentJson = Annotated[bytes, Depends(_body)]
"""The body of a request, at most ``LONGEST_BODY`` bytes."""
