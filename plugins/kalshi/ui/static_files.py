"""The style and the scripts of the pages, at addresses that change whenever they do, so that browsers may keep them."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import vl_convert

from kalshi.reports.files import TEMPLATES

FOLDER = Path(__file__).parent / "static"
TYPES = {
    "pages.css": "text/css",
    "pages.js": "text/javascript",
    "forms.js": "text/javascript",
    "vega.js": "text/javascript",
}


@cache
def content(name: str) -> str:
    """The content of a file. The chart library (Vega, Vega-Lite and Vega-Embed) comes from the package that draws the
    reports' charts; bundling it takes two seconds."""
    if name == "vega.js":
        library: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
        return library
    shared = TEMPLATES.get_template("style.css").render() if name == "pages.css" else ""
    return shared + (FOLDER / name).read_text(encoding="utf-8")


@cache
def version_of(name: str) -> str:
    """What tells this content from any other."""
    return version("vl-convert-python") if name == "vega.js" else sha256(content(name).encode()).hexdigest()[:12]


def address_of(base: str, name: str) -> str:
    """The address of a file; ``base``: the root of the pages."""
    return f"{base}/static/{name}?v={version_of(name)}"
