"""The catalog report as a person sees it: in a browser, offline, on a wide and a narrow screen."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page

from kalshi.exchange import Exchange, RequestRefused
from kalshi.reports.catalog import CATALOG
from kalshi.sync.catalog import CatalogRequest, sync_catalog

RUN = "manual__2026-09-22T15:00:00+00:00"
SERIES = ["KXHIGHNY", "KXHIGHDEN", "KXSANDBOXWIDE", "KX<b>NOSUCH"]


@pytest.fixture
def report_page(warehouse: sa.Engine, exchange: Exchange, tmp_path: Path) -> Path:
    """The page of a run with two good series, one that hit its page cap and one that doesn't exist."""
    cutoff = exchange.historical_cutoff().markets_settled
    for ticker in SERIES[:2]:
        sync_catalog(exchange, warehouse, CatalogRequest(ticker, cutoff, dag_run_id=RUN))
    sync_catalog(exchange, warehouse, CatalogRequest(SERIES[2], cutoff, max_pages=1, dag_run_id=RUN))
    with pytest.raises(RequestRefused):
        sync_catalog(exchange, warehouse, CatalogRequest(SERIES[3], cutoff, dag_run_id=RUN))
    with warehouse.begin() as connection:
        connection.execute(sa.text("DELETE FROM kalshi_market WHERE event_ticker = 'KXHIGHDEN-26AUG10'"))
        connection.execute(sa.text("DELETE FROM kalshi_decision_time WHERE event_ticker = 'KXHIGHDEN-26AUG10'"))
        connection.execute(sa.text("DELETE FROM kalshi_event WHERE event_ticker = 'KXHIGHDEN-26AUG10'"))
        report = CATALOG.build(connection, RUN, SERIES)
    return CATALOG.write(report, tmp_path)


def cells(page: Page, heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by their first cell."""
    table = page.locator(f"h2:has-text('{heading}') ~ div.wide").first.locator("tbody tr")
    rows = [row.locator("td").all_inner_texts() for row in table.all()]
    return {row[0]: row[1:] for row in rows}


def test_the_page_says_what_each_series_did_and_what_is_held(report_page: Path, page: Page) -> None:
    page.goto(report_page.as_uri())
    assert page.locator("h1").inner_text() == "Kalshi catalog failed"
    did = cells(page, "What this run did")
    assert [row[0] for row in did.values()] == ["success", "success", "warning", "failed"]
    assert did["KXSANDBOXWIDE"][1] == "1,000"
    held = cells(page, "What the warehouse holds")
    assert held["KXHIGHNY"][-1] == "0"
    assert held["KXHIGHDEN"][-1] == "1", "the deleted day is missing"
    notes = page.locator("h2:has-text('Errors and warnings') + ul").inner_text()
    assert "raise max_pages" in notes
    assert "HTTP 404" in notes


def test_words_of_the_exchange_are_text_and_never_markup(report_page: Path, page: Page) -> None:
    page.goto(report_page.as_uri())
    assert "KX<b>NOSUCH" in cells(page, "What this run did")
    assert page.locator("td b").count() == 0


@pytest.mark.parametrize("width", [1280, 420])
def test_the_page_fits_the_screen_and_its_plot_is_drawn(report_page: Path, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(report_page.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    box = page.locator("svg").bounding_box()
    assert box
    assert box["width"] > 250
    assert page.locator("svg text:has-text('KXHIGHDEN')").count() == 1


def test_every_run_keeps_its_report_and_latest_is_the_newest(report_page: Path) -> None:
    folder = report_page.parent
    assert sorted(file.name for file in folder.iterdir()) == ["index.html", "plot.png", "report.json"]
    assert (folder.parent / "latest").resolve() == folder
