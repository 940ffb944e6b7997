"""The pages as a person sees them: inside Airflow, in a browser, without a network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Frame, Page, expect

from kalshi.cells import number
from kalshi.operators.common import in_airflow
from kalshi.reports.files import folder_name
from tests.ui.site import CRUEL, CRUEL_EVENT, EVENT, RUN, SECONDS, SERIES, TRADED, Site

REPORT = f"reports/kalshi_data_quality/{folder_name(RUN)}"
PAGES = {
    "overview": "",
    "markets": "markets?text=new+york",
    "coverage": "coverage",
    "quality": "quality",
    "rule": "quality/candle_prices_in_range",
    "months": "coverage?days=400&show=proof",
    "calibration": "calibration?decision=day_10",
    "gaps": "gaps",
    "event": f"event/{EVENT}",
    "portfolio": "portfolio",
    "traded market": f"portfolio/{TRADED}",
    "reports": "reports",
    "report": REPORT,
}


def framed(page: Page) -> Frame:
    """The pages, within Airflow's."""
    frame = page.query_selector("iframe[title=Kalshi]")
    content = frame.content_frame() if frame else None
    assert content
    return content


def open_alone(page: Page, site: Site, address: str) -> None:
    page.goto(f"{site.url}/kalshi/{address}")
    if page.locator(".plotted").count():
        page.wait_for_selector("body[data-drawn]")


def test_the_catalog_sync_is_triggered_by_its_form_for_two_series_and_succeeds(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/dags/kalshi_catalog_sync")
    page.get_by_test_id("trigger-dag-button").click()
    form = page.get_by_role("dialog")
    form.locator("#element_series").fill("\n".join(SERIES))
    form.get_by_test_id("trigger-dag-submit").click()
    expect(form).to_be_hidden(timeout=SECONDS)
    page.goto(f"{site.url}/dags/kalshi_catalog_sync/runs?run_type=manual")
    address = page.locator("tbody a[href*='/runs/manual__']").first.get_attribute("href")
    assert address
    found = site.finished_run("kalshi_catalog_sync", address.rpartition("/")[2])
    assert (found["conf"]["series"], found["state"]) == ([*SERIES], "success")
    with site.engine.connect() as connection:
        statement = "SELECT scope, state FROM kalshi_sync_run WHERE dag_run_id = :run AND scope <> '(plan)'"
        read = connection.execute(sa.text(statement), {"run": found["dag_run_id"]}).all()
    assert sorted(read) == [(series, "success") for series in sorted(SERIES)]


def test_the_address_that_a_log_prints_opens_the_report_inside_airflow(page: Page, site: Site) -> None:
    page.goto(in_airflow(site.url, REPORT))
    page.wait_for_selector("iframe[title=Kalshi]")
    report = page.frame_locator("iframe[title=Kalshi]").frame_locator("iframe.report")
    report.get_by_role("heading", name="Kalshi data quality").wait_for()


def test_the_menu_leads_to_every_page_and_a_year_to_its_months_days_and_events(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.get_by_role("link", name="Kalshi", exact=True).click()
    page.wait_for_selector("iframe[title=Kalshi]")
    pages = framed(page)
    pages.wait_for_selector("section.status.red h1:has-text('problem')")
    expect(pages.locator("li.red:has-text('candle_prices_in_range')")).to_contain_text("is broken: KXHIGHNY")
    for name in ("Markets", "Portfolio", "Reports", "Gaps", "Quality", "Calibration", "Coverage"):
        pages.get_by_role("link", name=name, exact=True).click()
        pages.wait_for_selector(f"h1:has-text('{name}')")
        expect(pages.locator("nav a[aria-current]")).to_have_text(name)
    pages.locator("input[name=date_from]").fill("2025-10-01")
    pages.locator("select[name=by]").select_option("month")
    pages.get_by_role("button", name="Show").click()
    pages.wait_for_selector("h2:text-is('Months')")
    pages.locator(".grid tr:has-text('New York') td:last-child a").click()
    pages.wait_for_selector("h2:text-is('Events')")
    assert pages.locator(".grid tr:has-text('New York') td.unread").count() >= 10, "days that no run has read"
    pages.locator(f".grid a[href$='/event/{EVENT}']").click()
    pages.wait_for_selector("h1:has-text('Highest temperature in New York City')")
    assert page.url.endswith(f"/event/{EVENT}"), "Airflow's own address says where one is"
    pages.wait_for_selector("body[data-drawn]")
    assert pages.locator(".plotted .mark-line path").count() >= 6
    assert "yes" in pages.locator("h2:has-text('Brackets') ~ div.wide").first.inner_text()


def test_a_failed_expectation_is_opened_with_its_rows_and_its_data_docs(page: Page, site: Site) -> None:
    open_alone(page, site, "")
    page.locator("li.red:has-text('candle_prices_in_range') a").click()
    page.wait_for_url("**/quality/candle_prices_in_range")
    expect(page.locator("td:has-text('1.2000')").first).to_be_visible()
    page.locator("tr:has-text('KXHIGHNY') a:has-text('open')").first.click()
    page.wait_for_selector("iframe.report")
    report = page.frame_locator("iframe.report")
    broken = report.locator("details.fault:has-text('candle_prices_in_range')")
    expect(broken).to_contain_text("KXHIGHNY: 2 of")
    expect(broken).to_contain_text("1.200000")
    broken.get_by_role("link").click()
    expect(report.locator("body")).to_contain_text("candle_prices_in_range")
    expect(report.locator("body")).to_contain_text("Candle prices are between 0 and 1 dollar")


def test_words_of_the_exchange_are_text_and_never_markup(page: Page, site: Site) -> None:
    open_alone(page, site, "coverage?series=KXHIGHDEN&days=9")
    page.get_by_role("link", name=CRUEL_EVENT).click()
    page.wait_for_url("**/event/**")
    page.wait_for_selector("body[data-drawn]")
    assert page.locator("h1").inner_text() == CRUEL
    assert page.locator("img").count() == 0
    expect(page.locator(".plotted .role-legend-label text")).to_have_text(re.compile("^<img src=x on"))
    assert page.title() == f"{CRUEL_EVENT} – Kalshi"  # noqa: RUF001


def test_the_overview_counts_gaps_by_job_and_leads_to_them(page: Page, site: Site) -> None:
    open_alone(page, site, "")
    counted = page.locator("h2:has-text('Gaps') ~ div.wide").first
    expect(counted.locator("tr:has-text('settlements') span.pass")).to_have_text("0")
    expect(counted.locator("tr:has(td:text-is('trades')) span.warn")).to_have_text("2")
    counted.locator("tr:has(td:text-is('trades')) a").click()
    page.wait_for_url("**/gaps?job=trades")
    missing = page.locator("h2:has-text('Missing') ~ div.wide").first.locator("tbody tr")
    assert [row.split("\t")[:6] for row in missing.all_inner_texts()] == [
        ["trades", "KXHIGHNY", "all", "2026-09-17 00:00", "2026-09-18 00:00", "2026-09-22 14:00"],
        ["trades", CRUEL, "unknown", "2026-09-16 00:00", "2026-09-17 00:00", "2026-09-21 09:00"],
    ], "the newest first, and no gaps of other jobs"
    assert missing.nth(1).locator("td").nth(7).inner_text() == CRUEL
    assert missing.first.locator("td").nth(8).inner_text().startswith("No scheduled run read this")
    accepted = page.locator("h2:has-text('Accepted') ~ div.wide tbody tr")
    assert accepted.locator("td").last.inner_text() == f"because {CRUEL}"
    assert "python -m kalshi gaps accept --job JOB" in page.locator("pre").inner_text()
    assert page.locator("img").count() == 0
    page.locator("select").select_option("")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("td:text-is('candles')")).to_have_count(1)


def test_the_event_of_a_series_without_dense_minutes_is_drawn_from_its_candles(page: Page, site: Site) -> None:
    open_alone(page, site, f"event/{EVENT}")
    assert "from kalshi_candle_1m_dense" in page.locator("main").inner_text()
    open_alone(page, site, f"event/{EVENT.replace('NY', 'DEN')}")
    assert "from kalshi_candle_1m, since" in page.locator("main").inner_text()


def test_the_figures_are_those_of_the_warehouse(page: Page, site: Site) -> None:
    open_alone(page, site, "portfolio")
    assert "Our figures and the exchange's agree" in page.locator("main").inner_text()
    with site.engine.connect() as connection:
        earned = connection.execute(
            sa.text(
                "SELECT SUM(realized_pnl - fees) FROM kalshi_pnl_market "
                "WHERE subaccount = 0 AND series_ticker = 'KXHIGHNY'"
            )
        ).scalar_one()
        known = connection.execute(
            sa.text(
                "SELECT ROUND(100 * SUM(quoted_minutes) / SUM(expected_minutes), 1) FROM kalshi_coverage "
                "WHERE event_ticker = :event"
            ),
            {"event": EVENT},
        ).scalar_one()
    assert page.locator("tr:has-text('KXHIGHNY') td:nth-child(5)").first.inner_text() == number(earned, "$")
    open_alone(page, site, "coverage?series=KXHIGHNY&days=10")
    assert f"{known} %" in page.locator(f"tr:has-text('{EVENT}')").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 420])
def test_every_page_fits_the_screen_in_light_and_dark(
    page: Page, site: Site, tmp_path: Path, width: int, scheme: str
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for name, address in {**PAGES, "run": "run/kalshi_trades_sync?series=KXHIGHNY"}.items():
        open_alone(page, site, address)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(20, 25, 30)" if scheme == "dark" else "rgb(255, 255, 255)")
        for plot in page.locator(".plotted svg").all():
            box = plot.bounding_box()
            assert box
            assert box["width"] >= 200
            assert box["height"] >= 40
        page.screenshot(path=tmp_path / f"{name}-{scheme}-{width}.png", full_page=True)


def test_every_page_says_that_data_of_the_sandbox_is_synthetic(page: Page, site: Site) -> None:
    for name, address in PAGES.items():
        open_alone(page, site, address)
        place = page.frame_locator("iframe.report") if name == "report" else page
        expect(place.locator("p.synthetic")).to_contain_text("Synthetic data")
    page.goto(f"{site.url}/kalshi/files/{REPORT.removeprefix('reports/')}/data_docs/KXHIGHNY/kalshi_candle_1m.html")
    expect(page.locator("p.synthetic")).to_be_visible()


def test_data_of_a_real_exchange_carries_no_such_notice(page: Page, site: Site) -> None:
    with site.engine.begin() as connection:
        connection.execute(sa.text("UPDATE kalshi_exchange SET is_synthetic = FALSE"))
    open_alone(page, site, "")
    assert page.locator("p.synthetic").count() == 0
    with site.engine.begin() as connection:
        connection.execute(sa.text("UPDATE kalshi_exchange SET is_synthetic = TRUE"))


def test_the_pages_follow_the_theme_that_was_chosen_in_airflow(page: Page, site: Site) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{site.url}/plugin/kalshi")
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    page.wait_for_selector("iframe[title=Kalshi]")
    framed(page).wait_for_selector("html[data-theme=dark]")
    page.evaluate("localStorage.removeItem('theme')")
