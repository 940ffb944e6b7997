"""What this project adds to Airflow itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from kalshi.timetables import DayOfDate

PAGES = "/kalshi"
Message = MutableMapping[str, Any]


async def pages(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """The pages, imported at the first request, because all of Airflow's processes load this plugin."""
    from kalshi.ui.app import app

    await app(scope, receive, send)


class KalshiPlugin(AirflowPlugin):
    """Found through the package's entry point, or in Airflow's plugins folder."""

    name = "kalshi"
    timetables: list[Any] = [DayOfDate]  # noqa: RUF012  # as Airflow's own class declares it
    fastapi_apps: list[Any] = [{"app": pages, "url_prefix": PAGES, "name": "Kalshi"}]  # noqa: RUF012
    external_views: list[Any] = [  # noqa: RUF012
        {
            "name": "Kalshi",
            # If Airflow is served below a path, it adds that path only to its own addresses.
            "href": urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/") + PAGES + "/",
            "destination": "nav",
            "url_route": "kalshi",
            "nav_top_level": True,
        }
    ]
