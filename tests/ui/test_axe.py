"""What people with disabilities would stumble over, found by axe-core on every page, in light and dark."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from kalshi.ui.rendering import MENU
from tests.ui.addresses import EXAMPLES
from tests.ui.site import Site

FILES = ("/files/", "/static/")
PAGES = sorted({f"/{path}" for path in MENU} | {page for page in EXAMPLES.values() if not page.startswith(FILES)})
GRAVE = ("serious", "critical")


EVERYTHING: dict[str, Any] = {"resultTypes": ["violations"]}
COLORS = {**EVERYTHING, "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""In the dark only colors differ."""


@pytest.mark.parametrize(("scheme", "options"), [("light", EVERYTHING), ("dark", COLORS)])
def test_axe_finds_nothing_grave_on_any_page(
    page: Page, site: Site, scheme: Literal["light", "dark"], options: dict[str, Any]
) -> None:
    page.emulate_media(color_scheme=scheme)
    found = []
    for address in PAGES:
        page.goto(f"{site.url}/kalshi{address}")
        if page.locator(".plotted").count():
            page.wait_for_selector("body[data-drawn]")
        for violation in Axe().run(page, options=options).response["violations"]:
            if violation["impact"] in GRAVE:
                places = [node["html"][:120] for node in violation["nodes"][:3]]
                found.append((address, violation["id"], violation["help"], places))
    assert not found
