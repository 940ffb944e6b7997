"""Airflow with the pages, and the pages alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, BrowserContext, Page, expect

from kalshi.settings import load_settings
from scripts.pages_client import logged_in
from scripts.private_server import PrivateServer
from tests.support.api_key import make_key
from tests.ui.planted import Planted
from tests.ui.site import SECONDS, USERS, Site
from tests.ui.site import site as running_site


@pytest.fixture(scope="session")
def site(mariadb: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running Airflow over a filled warehouse; see ``site.py``."""
    folder = tmp_path_factory.mktemp("site")
    with running_site(folder, mariadb.database("test_ui"), make_key("ed25519", folder)) as running:
        yield running


@pytest.fixture
def planted(warehouse: sa.Engine, warehouse_uri: str, monkeypatch: pytest.MonkeyPatch) -> Planted:
    """The pages' warehouse, with what a test plants in it."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri)
    return Planted(warehouse)


@pytest.fixture
def planted_on_both(
    warehouse_on_both: sa.Engine, warehouse_uri_on_both: str, monkeypatch: pytest.MonkeyPatch
) -> Planted:
    """The same on MariaDB and on a real MySQL."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri_on_both)
    return Planted(warehouse_on_both)


@pytest.fixture
def reports_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that the pages alone serve reports from."""
    folder = tmp_path / "reports"
    folder.mkdir()
    monkeypatch.setenv("KALSHI_REPORTS_FOLDER", str(folder))
    load_settings.cache_clear()
    yield folder
    load_settings.cache_clear()


@pytest.fixture
def client(reports_folder: Path) -> Iterator[TestClient]:
    """The pages without Airflow around them, for a user who is logged in."""
    with logged_in() as client:
        yield client


@pytest.fixture(scope="session")
def login(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """A browser in which admin has logged in by the form."""
    expect.set_options(timeout=SECONDS)
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    page.goto(f"{site.url}/plugin/kalshi")
    page.wait_for_url("**/auth/login**")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", USERS["admin"])
    page.click("button[type=submit]")
    page.wait_for_url("**/plugin/kalshi**")
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(login: BrowserContext, site: Site) -> Iterator[Page]:
    """A page on which any error, and any request to another machine, fails the test."""
    faults: list[str] = []
    page = login.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on(
        "request",
        lambda request: None if request.url.startswith((site.url, "data:", "blob:")) else faults.append(request.url),
    )
    yield page
    page.close()
    assert not faults
