"""The reports as people read them: on paper, and Great Expectations' pages beside them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from kalshi.reports.files import folder_name
from tests.ui.site import RUN, Site

PAPER = 1047
"""The width of A4 across without its margins, in pixels."""


@pytest.mark.parametrize("dag", ["kalshi_data_quality", "kalshi_portfolio_sync"])
def test_a_report_fits_on_paper(page: Page, site: Site, dag: str) -> None:
    page.set_viewport_size({"width": PAPER, "height": 740})
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(f"{site.url}/kalshi/files/{dag}/{folder_name(RUN)}/index.html")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", "on dark paper"


def test_data_docs_say_what_they_are_about_and_lead_back(page: Page, site: Site) -> None:
    report = f"{site.url}/kalshi/files/kalshi_data_quality/{folder_name(RUN)}"
    page.goto(f"{report}/data_docs/KXHIGHNY/kalshi_candle_1m.html")
    words = page.locator("body").inner_text()
    assert "Data asset: kalshi_candle_1m" in words
    expect(page.locator("tr:has-text('Run Name')").last).to_contain_text(RUN)
    assert "__none__" not in words
    assert "Failed" in words, "prices above a dollar are an error"
    broken = page.locator("tr:has-text('candle_prices_in_range')").first
    expect(broken.locator("span.error")).to_have_text("error")
    sizes = page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) > page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    page.get_by_role("link", name="Back to the report").click()
    page.wait_for_url(f"{report}/index.html")


def test_a_table_without_errors_has_not_failed_because_of_an_info(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/kalshi/files/kalshi_data_quality/{folder_name(RUN)}/data_docs/KXHIGHNY/kalshi_market.html")
    assert page.locator("span.error").count() == 0
    expect(page.locator("body")).to_contain_text("Status:  Succeeded")
