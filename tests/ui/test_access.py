"""Who can see the pages: only users with an Airflow login and a role."""

from __future__ import annotations

import http.client
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from starlette.routing import Route

from kalshi.ui.app import app
from tests.ui.addresses import EXAMPLES
from tests.ui.site import SECRET, Site

WRITING = {("/quality/{check}", "POST")}
"""The only route that changes something; tests/ui/test_quality.py says who may use it, and from where."""


def test_every_route_has_an_example_and_only_one_takes_more_than_questions() -> None:
    assert all(isinstance(route, Route) for route in app.routes), "a mounted app would answer without a login"
    routes = [route for route in app.routes if isinstance(route, Route)]
    assert {route.path for route in routes} == set(EXAMPLES)
    taken = {(route.path, method) for route in routes for method in route.methods or ()}
    assert {(path, method) for path, method in taken if method not in ("GET", "HEAD")} == WRITING


@pytest.mark.parametrize("address", EXAMPLES.values())
def test_a_strangers_script_gets_401_and_no_data(site: Site, address: str) -> None:
    url = f"{site.url}/kalshi{address}"
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Cookie": "_token=x.y.z"}):
        answer = requests.get(url, headers=headers, timeout=60, allow_redirects=False)
        assert answer.status_code in (401, 403)
        assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize("address", EXAMPLES.values())
def test_a_strangers_browser_is_sent_to_the_login_with_the_way_back(site: Site, address: str) -> None:
    headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    answer = requests.get(f"{site.url}/kalshi{address}", headers=headers, timeout=60, allow_redirects=False)
    assert answer.status_code == 307
    target = urlsplit(answer.headers["Location"])
    assert target.path == "/api/v2/auth/login"
    assert parse_qs(target.query) == {"next": [f"/kalshi{address}"]}
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", EXAMPLES.values())
def test_a_viewer_gets_the_page_with_the_token_or_the_cookie(site: Site, address: str) -> None:
    token = site.token("viewer")
    for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"_token={token}"}):
        answer = requests.get(f"{site.url}/kalshi{address}", headers=headers, timeout=60)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", EXAMPLES.values())
def test_a_user_without_a_role_is_refused(site: Site, address: str) -> None:
    claims = jwt.decode(site.token("viewer"), options={"verify_signature": False})
    token = jwt.encode({**claims, "role": None}, SECRET, algorithm="HS512")
    answer = requests.get(f"{site.url}/kalshi{address}", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    assert answer.status_code == 403
    assert set(answer.json()) == {"detail"}
    page = requests.get(
        f"{site.url}/kalshi{address}", headers={"Accept": "text/html", "Authorization": f"Bearer {token}"}, timeout=60
    )
    assert page.status_code == 403
    assert "lacks the permission to see plugins" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "../airflow.log",
        "%2e%2e/airflow.log",
        "..%2fairflow.log",
        "%2e%2e%2fairflow.log",
        "%252e%252e%252fairflow.log",
        "..%5cairflow.log",
        "kalshi_data_quality/../../airflow.log",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "//etc/passwd",
        "kalshi_data_quality%00/latest/report.json",
    ],
)
def test_no_address_leads_out_of_the_reports_folder(site: Site, path: str) -> None:
    assert (site.reports.parent / "airflow.log").exists()
    address = urlsplit(site.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)  # sends it as it is
    connection.request("GET", f"/kalshi/files/{path}", headers={"Authorization": f"Bearer {site.token('viewer')}"})
    answer = connection.getresponse()
    assert answer.status == 404
    assert b"There is no report file" in answer.read()
    connection.close()


def test_airflows_own_listing_of_the_plugin_names_the_menu_entry(site: Site) -> None:
    headers = {"Authorization": f"Bearer {site.token('admin')}"}
    plugins = requests.get(f"{site.url}/api/v2/plugins", headers=headers, timeout=60).json()["plugins"]
    (mine,) = (plugin for plugin in plugins if plugin["name"] == "kalshi")
    assert [(view["name"], view["href"]) for view in mine["external_views"]] == [("Kalshi", "/kalshi/")]
