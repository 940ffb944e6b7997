"""The forms that trigger the DAGs, and the buttons of their tasks, in Airflow's own pages."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Page, expect

from kalshi.operators.common import report_address
from tests.support.airflow_cli import PROJECT
from tests.ui.site import SECONDS, Site

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
    assert "This field is required" not in form.inner_text()


def test_the_sources_of_candles_are_picked_from_a_list(page: Page, site: Site) -> None:
    open_form(page, site, "kalshi_candles_backfill")
    form = page.get_by_role("dialog")
    form.locator("#element_sources").click()
    page.get_by_role("option", name="trades: built from public trades").click()
    chosen = form.locator("#element_sources").inner_text()
    assert "api_event: the exchange's own candles" in chosen
    assert "trades: built from public trades" in chosen


def test_every_task_has_a_button_to_the_report_of_its_run_and_the_log_prints_its_address(
    page: Page, site: Site
) -> None:
    headers = {"Authorization": f"Bearer {site.token('admin')}"}
    dag = f"{site.url}/api/v2/dags/kalshi_catalog_sync"
    runs = f"{dag}/dagRuns"
    requests.patch(dag, headers=headers, json={"is_paused": False}, timeout=60)
    asked = {"logical_date": None, "conf": {"series": ["KXHIGHNY"]}}
    answer = requests.post(runs, headers=headers, json=asked, timeout=60)
    assert answer.status_code == 200, answer.text
    run = answer.json()["dag_run_id"]
    assert site.finished_run("kalshi_catalog_sync", quote(run))["state"] == "success"
    address = report_address(site.url, "kalshi_catalog_sync", run)
    for task, index in (("plan", -1), ("sync_catalog", 0), ("report", -1)):
        links = f"{runs}/{quote(run)}/taskInstances/{task}/links?map_index={index}"
        assert requests.get(links, headers=headers, timeout=60).json()["extra_links"] == {"Report": address}
    log = requests.get(f"{runs}/{quote(run)}/taskInstances/report/logs/1", headers=headers, timeout=60).text
    assert f"The report: {address}" in log
    assert str(site.reports) not in log

    page.goto(address)
    frame = page.frame_locator("iframe[title=Kalshi]").frame_locator("iframe.report")
    frame.get_by_role("heading", name="Kalshi catalog").wait_for()
