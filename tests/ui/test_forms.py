"""The forms that trigger the DAGs, and the buttons of their tasks, in Airflow's own pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.airflow_cli import PROJECT
from tests.ui.conftest import SECONDS
from tests.ui.site import Site

DAGS = sorted(path.stem for path in (PROJECT / "dags").glob("*.py"))


def open_form(page: Page, site: Site, dag: str) -> None:
    page.goto(f"{site.url}/dags/{dag}")
    page.get_by_test_id("trigger-dag-button").click()
    page.get_by_role("dialog").get_by_test_id("trigger-dag-submit").wait_for(timeout=SECONDS)


@pytest.mark.parametrize("dag", DAGS)
def test_a_form_opens_without_an_error_and_can_be_sent_as_it_is(
    page: Page, site: Site, dag: str, tmp_path: Path
) -> None:
    open_form(page, site, dag)
    form = page.get_by_role("dialog")
    expect(form.get_by_test_id("trigger-dag-submit")).to_be_enabled()
    form.screenshot(path=tmp_path / f"{dag}.png")
    assert form.locator("[data-invalid]").count() == 0
    assert "required" not in form.inner_text().lower().replace("both days are required", "")


def test_the_sources_of_candles_are_picked_from_a_list(page: Page, site: Site) -> None:
    open_form(page, site, "kalshi_candles_backfill")
    form = page.get_by_role("dialog")
    form.locator("#element_sources").click()
    page.get_by_role("option", name="trades: built from public trades").click()
    chosen = form.locator("#element_sources").inner_text()
    assert "api_event: the exchange's own candles" in chosen
    assert "trades: built from public trades" in chosen
