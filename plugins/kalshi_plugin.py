"""The Airflow plugin: the timetable, the pages and their menu entry."""

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
    """The pages, imported at the first request because Airflow's other processes load this plugin too."""
    from kalshi.ui.app import app

    await app(scope, receive, send)


class KalshiPlugin(AirflowPlugin):
    """Airflow finds it in its plugins folder."""

    name = "kalshi"
    timetables: list[Any] = [DayOfDate]  # noqa: RUF012  # as Airflow's own class declares it
    fastapi_apps: list[Any] = [{"app": pages, "url_prefix": PAGES, "name": "Kalshi"}]  # noqa: RUF012
    external_views: list[Any] = [  # noqa: RUF012
        {
            "name": "Kalshi",
            # Airflow may be served below a path, which it adds only to its own links.
            "href": urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/") + PAGES + "/",
            "destination": "nav",
            "url_route": "kalshi",
            "nav_top_level": True,
        }
    ]
