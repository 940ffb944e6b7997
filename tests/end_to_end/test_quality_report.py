"""The report of the quality run as a person sees it: in a browser, offline, wide and narrow, light and dark."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page

from kalshi.exchange import Exchange
from kalshi.reports.quality import QUALITY
from tests.support.quality import DAY, SEP_20, SERIES, check, fill, plant

RUN = "manual__2026-09-21T01:00:00+00:00"


@pytest.fixture
def report_page(warehouse: sa.Engine, exchange: Exchange, tmp_path: Path) -> Path:
    """The page of a run that met a price of 1.2 and a market whose title is markup."""
    fill(exchange, warehouse, SEP_20 - DAY, SEP_20 + DAY)
    plant(
        warehouse,
        "UPDATE kalshi_candle_1m SET yes_ask_high = 1.2 WHERE bucket_start_utc > '2026-09-20 15:00' LIMIT 1",
        "INSERT INTO kalshi_candle_1m (market_ticker, bucket_start_utc, source, period_minutes, volume, run_id) "
        "VALUES ('KXHIGHNY-<b>NOBODY', '2026-09-20 15:00', 'trades', 1, 0, 1)",
    )
    check(warehouse, SEP_20 - DAY, SEP_20 + DAY, dag_run_id=RUN)
    with warehouse.connect() as connection:
        return QUALITY.write(QUALITY.build(connection, RUN, [SERIES]), tmp_path)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 420])
def test_the_page_says_what_is_wrong_and_shows_the_rows(report_page: Path, page: Page, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(report_page.as_uri())
    assert page.locator("h1").inner_text().split() == ["Kalshi", "data", "quality", "failed"]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    fault = page.locator("details.fault", has_text="candle_prices_in_range")
    assert fault.locator("td", has_text="1.200000").is_visible(), "the first errors are open"
    box = page.locator(".plot svg").bounding_box()
    assert box
    assert box["width"] > 250
    assert page.locator(".plot svg text:has-text('New York')").count() == 3, "a heat map for each decision time"
    assert page.locator("td b").count() == 0, "words of the database are text and never markup"
    assert page.locator("td", has_text="<b>NOBODY").count() == 1
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 25, 30)")


def test_data_docs_open_from_the_page_and_show_the_same_rows(report_page: Path, page: Page) -> None:
    page.goto(report_page.as_uri())
    page.locator("details.fault", has_text="candle_prices_in_range").locator("a").click()
    assert page.url.endswith("data_docs/KXHIGHNY/kalshi_candle_1m.html")
    assert page.locator("td", has_text="1.200000").count() >= 1
    assert page.locator("text=Success Percent").is_visible()
