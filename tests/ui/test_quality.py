"""The pages of data quality: rules, series, rows; and who may say that a broken rule is known."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import requests
import sqlalchemy as sa
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from kalshi.__main__ import main
from kalshi.ui.app import app
from kalshi.ui.quality import may_acknowledge
from tests.ui.rows import RULE, SERIES, insert, record, result, run
from tests.ui.site import Site

TODAY = datetime.now(UTC).date()
MARKET = "KXHIGHNY-26SEP20-B65.5"
OURS = {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}


class Ada:
    """A user of Airflow."""

    def get_name(self) -> str:
        return "ada"


@pytest.fixture
def checked(warehouse: sa.Engine, warehouse_uri: str, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    """Two quality runs of two series: a rule that New York breaks since the second, and one that always holds."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri)
    for number, dag_run, minutes in ((1, "manual__1", 60), (3, "manual__2", 10)):
        for offset, series in enumerate(SERIES):
            record(warehouse, run(number + offset, "quality", series, minutes=minutes, dag_run_id=dag_run))
    insert(warehouse, "kalshi_series", {"series_ticker": "KXHIGHNY", "run_id": 1})
    event = {"event_ticker": "KXHIGHNY-26SEP20", "series_ticker": "KXHIGHNY", "run_id": 1}
    insert(warehouse, "kalshi_event", event)
    insert(warehouse, "kalshi_market", {"market_ticker": MARKET, **event})
    samples = json.dumps([{"market_ticker": MARKET, "yes_ask_high": "1.2", "note": "<b>"}])
    insert(
        warehouse,
        "kalshi_quality_result",
        result(1, SERIES[0]),
        result(2, SERIES[1]),
        result(3, SERIES[0], state="failed", samples=samples),
        result(4, SERIES[1]),
        *(result(number, SERIES[1 - number % 2], "event_one_yes", about="One YES.") for number in (1, 2, 3, 4)),
    )
    return warehouse


@pytest.fixture
def user(client: TestClient) -> Iterator[TestClient]:
    """Somebody who may run data quality."""
    app.dependency_overrides |= {get_user: Ada, may_acknowledge: lambda: None}
    yield client
    app.dependency_overrides.pop(get_user)
    app.dependency_overrides.pop(may_acknowledge)


def sent(client: TestClient, headers: dict[str, str] = OURS, **others: Any) -> httpx.Response:
    body = {"reason": "the exchange is down", "until": str(TODAY), "series": "", **others}
    answer: httpx.Response = client.post(f"quality/{RULE}", json=body, headers=headers)
    return answer


def stored(engine: sa.Engine) -> list[Any]:
    with engine.connect() as connection:
        columns = "check_name, series_ticker, reason, CAST(until_day AS CHAR), acknowledged_by"
        return list(connection.execute(sa.text(f"SELECT {columns} FROM kalshi_quality_acknowledgement")).all())


def rules(client: TestClient, **chosen: str) -> list[str]:
    answer = client.get("quality", params={"csv": "rules", **chosen})
    return [line.split(",")[0] for line in answer.text.splitlines()[1:]]


def test_rules_are_listed_once_the_broken_ones_first(client: TestClient, checked: sa.Engine) -> None:
    assert rules(client) == [RULE, "event_one_yes"]
    page = client.get("quality").text
    assert "1 of 2" in page, "one of two series breaks it"
    assert "Candle prices are between 0 and 1 dollar." in page


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"state": "failed"}, [RULE]),
        ({"state": "passed"}, [RULE, "event_one_yes"]),
        ({"series": SERIES[1], "state": "failed"}, []),
        ({"severity": "warning"}, []),
        ({"state": "acknowledged"}, []),
    ],
)
def test_the_list_is_narrowed_by_severity_series_and_state(
    client: TestClient, checked: sa.Engine, chosen: dict[str, str], expected: list[str]
) -> None:
    assert rules(client, **chosen) == expected


def test_a_rule_says_since_when_it_is_broken_and_shows_rows_that_lead_to_their_event(
    client: TestClient, checked: sa.Engine
) -> None:
    with checked.connect() as connection:
        (since,) = connection.execute(
            sa.text("SELECT DATE_FORMAT(updated_at_utc, '%Y-%m-%d %H:%i') FROM kalshi_quality_result WHERE run_id = 3")
        ).first() or ("",)
    page = client.get(f"quality/{RULE}").text
    assert f"Broken in KXHIGHNY since {since} UTC" in page
    assert f'href="/kalshi/event/KXHIGHNY-26SEP20">{MARKET}</a>' in page
    assert "&lt;b&gt;" in page
    assert "check again" in page


def test_the_query_of_a_rule_runs_as_it_is_shown(client: TestClient, checked: sa.Engine) -> None:
    page = client.get(f"quality/{RULE}").text
    shown = page.split('<pre tabindex="0">')[1].split("</pre>")[0].replace("&#39;", "'").replace("&gt;", ">")
    assert ":markets" not in shown
    assert "bucket_start_utc >= '2026-09-20 00:00:00'" in shown
    minutes = ("expected", "present", "missing", "quoted")
    counts = {f"{name}_minutes": 0 for name in (*minutes, "longest_gap")} | {"candles": 0, "empty_books": 0}
    about = {"market_ticker": MARKET, "run_id": 3}
    of_event = {"event_ticker": "KXHIGHNY-26SEP20", "series_ticker": "KXHIGHNY", "utc_day": "2026-09-20"}
    insert(checked, "kalshi_coverage", {**about, **of_event, **counts})
    for day in (19, 20):
        candle = {"bucket_start_utc": f"2026-09-{day} 10:00", "source": "api_event", "period_minutes": 1}
        insert(checked, "kalshi_candle_1m", {**about, **candle})
    with checked.connect() as connection:
        assert connection.exec_driver_sql(shown).all() == [(MARKET,)], "one candle lies in the window"


def test_a_rule_that_nothing_checked_is_not_found(client: TestClient, checked: sa.Engine) -> None:
    answer = client.get("quality/%3Cb%3Eno_such_rule")
    assert answer.status_code == 404
    assert "checked no rule &lt;b&gt;no_such_rule" in answer.text


def test_an_acknowledged_rule_is_shown_apart_with_its_reason_and_who_said_so(
    user: TestClient, checked: sa.Engine
) -> None:
    answer = sent(user, reason=" bad <b> day ", series="KXHIGHNY")
    assert answer.json() == {"detail": f"Acknowledged until {TODAY} (UTC)."}
    assert stored(checked) == [(RULE, "KXHIGHNY", "bad <b> day", str(TODAY), "ada")]
    for page in ("quality", f"quality/{RULE}", ""):
        assert "bad &lt;b&gt; day" in user.get(page).text
        assert ">ada<" in user.get(page).text
    assert rules(user, state="acknowledged") == [RULE]
    assert rules(user, state="failed") == []
    assert f"Rule {RULE} is broken" not in user.get("").text


def test_a_break_of_another_series_still_counts(user: TestClient, checked: sa.Engine) -> None:
    sent(user, series="KXHIGHCHI")
    assert f"Rule {RULE} is broken: KXHIGHNY" in user.get("").text


def test_after_its_last_day_the_rule_counts_again(user: TestClient, checked: sa.Engine) -> None:
    sent(user)
    with checked.begin() as connection:
        connection.execute(sa.text("UPDATE kalshi_quality_acknowledgement SET until_day = UTC_DATE() - INTERVAL 1 DAY"))
    assert f"Rule {RULE} is broken" in user.get("").text
    assert rules(user, state="acknowledged") == []


def test_a_new_word_replaces_the_earlier_one(user: TestClient, checked: sa.Engine) -> None:
    sent(user)
    sent(user, reason="longer than thought", until=str(TODAY + timedelta(days=3)))
    assert [row[2:4] for row in stored(checked)] == [("longer than thought", str(TODAY + timedelta(days=3)))]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"reason": "  "}, "the reason is empty"),
        ({"reason": "x" * 1001}, "1,001 characters"),
        ({"until": str(TODAY - timedelta(days=1))}, f"choose {TODAY} (UTC) or a later day"),
        ({"until": "soon"}, "can't be stored"),
        ({"until": ""}, "can't be stored"),
        ({"series": "KXNOSUCH"}, "No quality run has checked the rule"),
        ({"who": "me"}, "can't be stored"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason(
    user: TestClient, checked: sa.Engine, changed: dict[str, Any], words: str
) -> None:
    answer = sent(user, **changed)
    assert answer.status_code == 400
    assert words in answer.json()["detail"]
    assert stored(checked) == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_request_that_another_site_may_have_made_is_refused(
    user: TestClient, checked: sa.Engine, headers: dict[str, str]
) -> None:
    answer = sent(user, headers)
    assert answer.status_code == 403
    assert "Only these pages may send this" in answer.json()["detail"]
    assert stored(checked) == []


def test_a_form_of_a_page_is_refused_because_it_cannot_send_json(user: TestClient, checked: sa.Engine) -> None:
    body = json.dumps({"reason": "r", "until": str(TODAY)})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        answer = user.post(f"quality/{RULE}", content=body, headers={**OURS, "Content-Type": kind})
        assert answer.status_code == 415
    assert stored(checked) == []


def test_a_browser_without_fetch_headers_is_known_by_its_origin(user: TestClient, checked: sa.Engine) -> None:
    assert sent(user, {"Origin": "http://testserver"}).status_code == 200


def test_a_huge_body_is_refused(user: TestClient, checked: sa.Engine) -> None:
    assert sent(user, reason="x" * 20_000).status_code == 413


def test_strangers_and_viewers_may_not_acknowledge(site: Site) -> None:
    url, body = f"{site.url}/kalshi/quality/{RULE}", {"reason": "mine", "until": str(TODAY)}
    headers = {"Origin": site.url}
    assert requests.post(url, json=body, headers=headers, timeout=60).status_code == 401
    answers = {}
    for name in ("viewer", "admin"):
        cookies = {"_token": site.token(name)}
        answers[name] = requests.post(url, json=body, headers=headers, cookies=cookies, timeout=60).status_code
    assert answers == {"viewer": 403, "admin": 200}
    with site.engine.begin() as connection:
        by = connection.execute(sa.text("SELECT acknowledged_by FROM kalshi_quality_acknowledgement")).scalars().all()
        connection.execute(sa.text("DELETE FROM kalshi_quality_acknowledgement"))
    assert by == ["admin"]


def test_the_form_on_a_rules_page_acknowledges_it(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/kalshi/quality/{RULE}")
    form = page.locator("form")
    form.get_by_label("series").select_option("KXHIGHNY")
    form.get_by_label("last day (UTC)").fill(str(TODAY))
    form.get_by_label("reason").fill("known since Sunday")
    form.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("output")).to_have_text(f"Acknowledged until {TODAY} (UTC).")
    expect(page.locator("td:text-is('known since Sunday')")).to_be_visible()
    with site.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM kalshi_quality_acknowledgement"))


def test_the_command_acknowledges_too(
    checked: sa.Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["kalshi", "quality", "acknowledge", "--rule", RULE, "--until", str(TODAY), "--reason", "known"]
    monkeypatch.setattr(sys, "argv", command)
    main()
    assert capsys.readouterr().out == f"Acknowledged {RULE} in every series until {TODAY} (UTC).\n"
    assert [row[:3] for row in stored(checked)] == [(RULE, "", "known")]
    monkeypatch.setattr(sys, "argv", [*command, "--rule", "no_such_rule"])
    with pytest.raises(SystemExit, match="No quality run has checked the rule no_such_rule"):
        main()
