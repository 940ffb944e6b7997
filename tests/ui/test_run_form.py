"""The form that runs a DAG: filled in by the page that leads to it, started with the user's own session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect

from kalshi.settings import DAGS
from kalshi.ui.app import app
from tests.ui.site import SECONDS, Site

FORM = "run/kalshi_catalog_sync?series=KXHIGHDEN&max_pages=2&include_historical=false"


@pytest.fixture
def viewer(browser: Browser, site: Site) -> Iterator[Page]:
    """A page of a user who may see DAGs and start none."""
    context = browser.new_context()
    context.set_default_timeout(SECONDS)
    context.add_cookies([{"name": "_token", "value": site.token("viewer"), "url": site.url}])
    yield context.new_page()
    context.close()


def test_only_our_own_dags_have_a_form(client: TestClient) -> None:
    for file in DAGS.glob("kalshi_*.py"):
        assert f'data-runs="/api/v2/dags/{file.stem}"' in client.get(f"run/{file.stem}").text
    answer = client.get("run/example_bash_operator")
    assert answer.status_code == 404
    assert "choose one of kalshi_candles_backfill" in answer.text


def test_below_a_path_the_form_asks_the_airflow_at_that_path(client: TestClient) -> None:
    airflow = FastAPI(root_path="/below")
    airflow.mount("/kalshi", app)
    page = TestClient(airflow).get("/below/kalshi/run/kalshi_trades_sync").text
    assert 'data-runs="/below/api/v2/dags/kalshi_trades_sync" data-shows="/below/dags/kalshi_trades_sync"' in page


def test_the_form_is_filled_in_and_starts_a_run_from_within_airflow(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/plugin/kalshi/kalshi/{FORM}")
    form = page.frame_locator("iframe[title=Kalshi]").locator("form.run")
    expect(form.get_by_label("Series", exact=True)).to_have_value("KXHIGHDEN")
    expect(form.get_by_label("Page cap", exact=True)).to_have_value("2")
    expect(form.get_by_label("Historical tier", exact=True)).not_to_be_checked()
    expect(form.get_by_label("Reread everything", exact=True)).not_to_be_checked()
    form.get_by_role("button", name="Run").click()
    started = form.locator("output a").first
    expect(started).to_contain_text("manual__", timeout=SECONDS)
    run = started.inner_text()
    found = site.finished_run("kalshi_catalog_sync", run)
    expected = {"series": ["KXHIGHDEN"], "max_pages": 2, "include_historical": False, "full": False}
    assert found["conf"] == expected
    assert found["triggering_user_name"] == "admin"
    expect(form.locator("output")).to_have_text(f"Done: {run} · its report · overview")
    report = form.get_by_role("link", name="its report").get_attribute("href")
    started.click()
    page.wait_for_url(f"{site.url}/dags/kalshi_catalog_sync/runs/**")
    expect(page.get_by_text("Success").first).to_be_visible(timeout=SECONDS)
    with site.engine.connect() as connection:
        statement = "SELECT scope FROM kalshi_sync_run WHERE dag_run_id = :run AND scope <> '(plan)'"
        assert connection.execute(sa.text(statement), {"run": run}).scalars().all() == ["KXHIGHDEN"]
    page.goto(f"{site.url}{report}")
    expect(page.frame_locator("iframe.report").get_by_text("KXHIGHDEN").first).to_be_visible()


def test_airflow_refuses_a_viewer_and_the_form_says_so(viewer: Page, site: Site) -> None:
    viewer.goto(f"{site.url}/kalshi/{FORM}")
    viewer.get_by_role("button", name="Run").click()
    expect(viewer.locator("output")).to_contain_text("Your role may not")
    expect(viewer.locator("output")).to_contain_text("this DAG: ask an administrator of Airflow.")


def test_what_a_dag_does_not_take_is_refused_in_words(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/kalshi/run/kalshi_candles_backfill?series=no+such&date_from=2026-09-01&colour=red")
    output = page.locator("output")
    expect(output).to_have_text("This DAG has no param colour: left out.")
    expect(page.get_by_role("listbox", name="Sources")).to_have_values(["api_event"])
    assert page.get_by_label("Last day", exact=True).input_value() == "", "none was given"
    assert page.get_by_label("First day", exact=True).input_value() == "2026-09-01"
