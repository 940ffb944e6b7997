"""What the pages answer when something is wrong with the address or the login, and how their files are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
import requests
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from playwright.sync_api import Browser

from kalshi.ui.app import app
from tests.ui.addresses import EXAMPLES
from tests.ui.site import EVENT, USERS, Site

SECONDS = 60_000
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PARAMETERS = [
    (EXAMPLES[route.path].partition("?")[0], field.alias)
    for route in app.routes
    if isinstance(route, APIRoute)
    for field in route.dependant.query_params
]
"""Every parameter of every page, with an address of that page."""
HOSTILE = ("0001-01-01", "9999-12-31", "-1", "9" * 40, "1e999", "%00", "NaN", "'; DROP TABLE x", "☃", "[]")


@pytest.fixture
def pages(client: TestClient, warehouse_uri: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The pages over an empty warehouse."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri)
    yield client


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/coverage?days=0", "The parameter days must be 1 or more; it is “0”."),
        ("/coverage?days=many", "The parameter days must be a whole number; it is “many”."),
        ("/coverage?until=yesterday", "The parameter until must be a day such as 2026-09-20; it is “yesterday”."),
        ("/portfolio?date_from=2026-13-01", "The parameter date_from must be a day such as 2026-09-20"),
        ("/portfolio?date_to=0001-01-01", "The parameter date_to must be 1900-01-01 or later; it is “0001-01-01”."),
        ("/portfolio?date_to=9999-12-31", "The parameter date_to must be 2999-12-31 or earlier"),
        (f"/gaps?job={'x' * 99}", "The parameter job must be at most 64 characters long"),
        ("/coverage?days=0&series=" + "X" * 200, "The parameter series must be at most 120 characters long"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_it_must_be(pages: TestClient, address: str, words: str) -> None:
    answer = pages.get(address, headers=BROWSER)
    assert answer.status_code == 422
    assert "text/html" in answer.headers["Content-Type"]
    assert words in answer.text


@pytest.mark.parametrize(("address", "parameter"), PARAMETERS)
def test_no_value_of_a_parameter_breaks_a_page(pages: TestClient, address: str, parameter: str) -> None:
    for value in HOSTILE:
        answer = pages.get(f"{address}?{parameter}={value}", headers=BROWSER)  # a page that raises fails the test
        assert answer.status_code in (200, 400, 404, 422), value
        assert "application/json" not in answer.headers["Content-Type"]


def test_an_address_without_a_page_says_so_to_people_and_scripts(pages: TestClient) -> None:
    page = pages.get("/nowhere", headers=BROWSER)
    assert page.status_code == 404
    assert "There is no page /nowhere." in page.text
    assert pages.get("/nowhere").json() == {"detail": "Not Found"}


def test_files_are_kept_for_good_under_the_address_that_names_their_version(pages: TestClient) -> None:
    page = pages.get("/calibration").text
    addresses = re.findall(r'"/kalshi(/static/[^"]+)"', page)
    assert len(addresses) == 3
    for address in addresses:
        assert "immutable" in pages.get(address).headers["Cache-Control"]
        other = pages.get(f"{address.partition('?')[0]}?v=other")
        assert other.status_code == 200
        assert "immutable" not in other.headers["Cache-Control"]


def test_pages_and_files_come_compressed(site: Site) -> None:
    headers = {"Authorization": f"Bearer {site.token('viewer')}", "Accept-Encoding": "gzip"}
    for address in ("/", f"/event/{EVENT}", "/static/vega.js", "/static/pages.css"):
        answer = requests.get(f"{site.url}/kalshi{address}", headers=headers, timeout=60)
        assert answer.headers["Content-Encoding"] == "gzip", address


def test_a_bookmark_leads_through_the_login_back_to_its_page(browser: Browser, site: Site) -> None:
    bookmark = f"{site.url}/kalshi/coverage?series=KXHIGHNY&days=10"
    context = browser.new_context()
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    page.goto(bookmark)
    page.wait_for_url("**/auth/login**")
    page.fill("input[name=username]", "viewer")
    page.fill("input[name=password]", USERS["viewer"])
    page.click("button[type=submit]")
    page.wait_for_url(bookmark)
    assert page.locator("[name=series]").input_value() == "KXHIGHNY"
    context.close()


def test_the_days_of_a_form_that_chose_none_are_not_an_error(pages: TestClient) -> None:
    assert pages.get("/portfolio?date_from=&date_to=&series=&subaccount=").status_code == 200
    assert pages.get(f"/coverage?until={date(2026, 9, 20)}&series=").status_code == 200
