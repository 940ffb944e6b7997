"""The markets page: finding an event among all that the catalog holds."""

from __future__ import annotations

import csv
import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from tests.ui.planted import Planted


@pytest.fixture
def catalog(planted: Planted) -> Planted:
    plant(planted)
    return planted


def plant(planted: Planted) -> None:
    """Two settled events and an open one of New York, a closed one of Denver, one without a day or a city."""
    planted.series("KXHIGHNY", category="Climate and Weather")
    planted.series("KXHIGHDEN", category="Climate and Weather")
    planted.series("KXRATE", category="Economics")
    for day, status in ((18, "finalized"), (19, "finalized"), (20, "active")):
        planted.event(
            f"KXHIGHNY-26SEP{day}", title=f"Highest temperature in NYC on {day}", event_date=date(2026, 9, day)
        )
        closes = f"2026-09-{day + 1} 05:00"
        for number in (1, 2):
            is_winner = status == "finalized" and number == 2
            planted.market(
                f"KXHIGHNY-26SEP{day}-B{number}",
                status=status,
                yes_sub_title=f"7{number}° to 8{number}°",
                close_time_utc=closes,
                volume=day * 10,
                result="yes" if is_winner else None,
                expiration_value="82.00" if status == "finalized" else None,
            )
    planted.event("KXHIGHDEN-26SEP20", title="Highest temperature in Denver", event_date=date(2026, 9, 20))
    planted.market("KXHIGHDEN-26SEP20-B1", status="closed", close_time_utc="2026-09-21 07:00", volume="0.25")
    planted.event("KXRATE-26DEC", title="Fed 100%_rate")
    planted.market("KXRATE-26DEC-T1", status="initialized", close_time_utc="2026-12-09 19:00")


def events(client: TestClient, question: str = "") -> list[str]:
    """The events of the page, in its order."""
    answer = client.get(f"markets?{question}")
    assert answer.status_code == 200
    return re.findall(r'<tr>\s*<td[^>]*><a href="[^"]*/event/[^"]*">([^<]*)</a>', answer.text)


ALL = ["KXRATE-26DEC", "KXHIGHDEN-26SEP20", "KXHIGHNY-26SEP20", "KXHIGHNY-26SEP19", "KXHIGHNY-26SEP18"]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("", ALL),
        ("text=kxhighny-26sep1", ALL[3:]),
        ("text=KXHIGHNY-26SEP19-B2", ALL[3:4]),
        ("text=SEP19", []),
        ("text=new+york", ALL[2:]),
        ("text=TEMPERATURE+in+denver", ALL[1:2]),
        ("text=%25_", ALL[:1]),
        ("text=_", ALL[:1]),
        ("series=kxhighden", ALL[1:2]),
        ("category=Economics", ALL[:1]),
        ("state=open", ALL[2:3]),
        ("state=closed", ALL[1:2]),
        ("state=settled", ALL[3:]),
        ("state=upcoming", ALL[:1]),
        ("first=2026-09-19&last=2026-09-20", ALL[1:4]),
        ("first=2026-12-09", ALL[:1]),
        ("sort=volume&series=KXHIGHNY", ALL[2:]),
        ("sort=volume&dir=asc", [ALL[1], ALL[4], ALL[3], ALL[2], ALL[0]]),
        ("sort=closes_at_utc&dir=asc", [ALL[4], ALL[3], ALL[2], ALL[1], ALL[0]]),
        ("text=';+DROP+TABLE+kalshi_event;--", []),
    ],
)
def test_events_are_found_by_ticker_title_city_and_every_filter(
    client: TestClient, catalog: Planted, question: str, found: list[str]
) -> None:
    assert events(client, question) == found


def test_the_page_is_the_same_on_mariadb_and_on_mysql(client: TestClient, planted_on_both: Planted) -> None:
    plant(planted_on_both)
    assert events(client) == ALL
    assert events(client, "text=new+york&state=settled&sort=volume&category=Climate+and+Weather") == ALL[3:]


def test_a_row_says_what_the_event_settled_at_and_leads_to_it(client: TestClient, catalog: Planted) -> None:
    page = client.get("markets?text=KXHIGHNY-26SEP19").text
    assert 'href="/kalshi/event/KXHIGHNY-26SEP19"' in page
    for said in ("72° to 82°", "82 °F", "settled", "380", "2026-09-20 05:00", "New York"):
        assert f">{said}</" in page, said


def test_a_heading_sorts_on_the_server_and_keeps_the_filters(client: TestClient, catalog: Planted) -> None:
    page = client.get("markets?series=KXHIGHNY&sort=volume&dir=desc&page=1").text
    assert 'aria-sort="descending"><a href="/kalshi/markets?series=KXHIGHNY&amp;sort=volume&amp;dir=asc">' in page


def test_fifty_events_are_on_a_page_and_the_file_has_all(client: TestClient, catalog: Planted) -> None:
    for number in range(120):
        planted = date(2020, 1, 1) + timedelta(days=number)
        catalog.event(f"KXHIGHDEN-{number:03}", event_date=planted)
        catalog.market(f"KXHIGHDEN-{number:03}-B1")
    assert len(events(client, "series=KXHIGHDEN")) == 50
    assert "1 to 50 of 121 events" in client.get("markets?series=KXHIGHDEN").text
    assert events(client, "series=KXHIGHDEN&page=3")[-1] == "KXHIGHDEN-000"
    last = client.get("markets?series=KXHIGHDEN&page=3").text
    assert "101 to 121 of 121 events" in last
    assert 'rel="next"' not in last
    assert "There are no more events" in client.get("markets?series=KXHIGHDEN&page=4").text
    file = list(csv.reader(client.get("markets?series=KXHIGHDEN&csv=events").text.splitlines()))
    assert file[0][0] == "event"
    assert len(file) == 122


def test_nothing_found_and_nothing_read_are_told_apart(client: TestClient, catalog: Planted) -> None:
    assert "No event matches" in client.get("markets?text=nothing").text
    with catalog.engine.begin() as connection:
        for table in ("kalshi_market", "kalshi_event", "kalshi_series"):
            connection.execute(sa.text(f"DELETE FROM {table}"))
    assert "/run/kalshi_catalog_sync" in client.get("markets").text


def test_bad_questions_are_refused_with_a_reason(client: TestClient, catalog: Planted) -> None:
    answer = client.get("markets?first=2026-09-20&last=2026-09-01")
    assert answer.status_code == 400
    assert "exchange the two days" in answer.text
    for question in ("sort=raw_json", "dir=sideways", "page=0", "first=yesterday"):
        assert client.get(f"markets?{question}").status_code in (400, 422)


def test_words_of_the_exchange_stay_text(client: TestClient, catalog: Planted) -> None:
    catalog.event("KXRATE-X", title="<img src=x onerror=alert(1)>")
    catalog.market("KXRATE-X-1")
    assert "<img" not in client.get("markets").text
