"""The coverage page: every day that was asked for has a cell, on MariaDB and on a real MySQL."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from kalshi.settings import load_settings
from kalshi.ui.covered import Covered, Decided, missing, state
from tests.ui.planted_days import add_coverage, add_event, add_proof, add_quote, add_series, event_of, insert

NY, CHI, DEN = "KXHIGHNY", "KXHIGHCHI", "KXHIGHDEN"
FIRST = date(2026, 9, 1)
UNREAD, UNCHECKED, SHORT, WHOLE = (FIRST + timedelta(days=n) for n in range(4))
ASKED = {"date_from": "2026-09-01", "date_to": "2026-09-05"}


class CellSeen(NamedTuple):
    """A cell as a person meets it: its colour, its text, what it says in full, and where it leads."""

    kind: str
    text: str
    about: str
    href: str


@pytest.fixture
def pages(client: TestClient, warehouse_on_both: sa.Engine, warehouse_uri_on_both: str, monkeypatch: Any) -> TestClient:
    """Four days of New York: not read; read, but not checked; a quarter of its minutes quoted; all of them, proven."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri_on_both)
    engine = warehouse_on_both
    for series in (NY, CHI):
        add_series(engine, series, category="Climate and Weather")
    add_window(engine, "catalog", NY, date(1970, 1, 1), FIRST)
    add_window(engine, "candles", NY, UNCHECKED + timedelta(days=1), WHOLE + timedelta(days=2))
    for day in (UNREAD, UNCHECKED):
        add_event(engine, NY, day)
    for ticker in add_event(engine, NY, SHORT):  # of its two whole days, half a day was checked
        add_coverage(engine, NY, SHORT, ticker, expected_minutes=720, quoted_minutes=720)
    for ticker, ask in zip(add_event(engine, NY, WHOLE), ("0.40", "0.90"), strict=True):
        for after in range(2):
            add_coverage(engine, NY, WHOLE, ticker, utc_day=WHOLE + timedelta(days=after))
        add_quote(engine, NY, WHOLE, ticker, "0.38", ask)
        add_proof(engine, NY, ticker)
    return client


def add_window(engine: sa.Engine, job: str, series: str, first: date, last: date) -> None:
    window = {"window_start_utc": first, "window_end_utc": last, "state": "COMPLETE", "run_id": 1}
    insert(engine, "kalshi_checkpoint", job=job, scope=series, **window)


def cells(pages: TestClient, **params: str) -> dict[str, list[CellSeen]]:
    """The grid, by series."""
    answer = pages.get("coverage", params={**ASKED, **params})
    assert answer.status_code == 200, answer.text
    grid = answer.text.split('class="wide grid"')[1].split("</table>")[0]
    found = {}
    for row in grid.split('<th scope="row">')[1:]:
        series = re.findall(r"KX\w+", row)[0]
        seen = re.findall(r'<td class="(\w+)"><(?:a href="([^"]*)"|span) title="([^"]*)"[^>]*>([^<]*)<', row)
        assert len(seen) == row.count("<td")
        found[series] = [
            CellSeen(kind, *(html.unescape(each) for each in (text, about, href))) for kind, href, about, text in seen
        ]
    return found


def rows(pages: TestClient, name: str, **params: str) -> list[dict[str, str]]:
    answer = pages.get("coverage", params={**ASKED, "csv": name, **params})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_every_series_has_a_cell_for_every_day_whether_or_not_anything_was_read(pages: TestClient) -> None:
    found = cells(pages)
    assert list(found) == load_settings().series_tickers
    assert {len(row) for row in found.values()} == {5}
    assert found[NY][4].about == "KXHIGHNY, 05 Sep 2026: The exchange has no event on this day."
    assert {cell.about.split(": ")[1] for cell in found[DEN]} == {"Not read"}
    assert found[DEN][0].href == "/kalshi/run/kalshi_catalog_sync?series=KXHIGHDEN"


def test_many_series_are_shown_page_by_page(pages: TestClient, warehouse_on_both: sa.Engine) -> None:
    others = [f"KXMANY{number:02d}" for number in range(30)]
    for series in others:
        add_series(warehouse_on_both, series)
    known = len(others) + len(load_settings().series_tickers)
    found = [*cells(pages), *cells(pages, page="2")]
    assert sorted(found) == sorted({*others, *load_settings().series_tickers})
    first = pages.get("coverage", params=ASKED).text
    assert f"1 to 25 of {known} series, the worst first" in first
    assert re.findall(r'rel="(next|prev)"', first) == ["next"]
    second = pages.get("coverage", params={**ASKED, "page": "2"}).text
    assert f"26 to {known} of {known} series" in second
    assert re.findall(r'rel="(next|prev)"', second) == ["prev"]


def test_a_cell_says_by_colour_and_words_how_much_is_known_and_leads_to_what_comes_next(pages: TestClient) -> None:
    unread, unchecked, short, whole, _ = cells(pages)[NY]
    assert (unread.kind, unread.about) == (
        "unread",
        "KXHIGHNY, 01 Sep 2026: Not read: its prices were never asked for.",
    )
    days = "series=KXHIGHNY&date_from=2026-08-31&date_to=2026-09-02"
    assert unread.href == f"/kalshi/run/kalshi_candles_backfill?{days}"
    assert unchecked.kind == "unchecked"
    assert "no quality run has checked it" in unchecked.about
    assert unchecked.href == f"/kalshi/event/{event_of(NY, UNCHECKED)}"
    assert (short.kind, short.text) == ("q1", "25"), "of the minutes of the event, not of those that were checked"
    assert "A quote was known in 1,440 of 5,760 minutes, of which 1,440 were checked" in short.about
    assert (whole.kind, whole.text, whole.href) == ("q4", "100", f"/kalshi/event/{event_of(NY, WHOLE)}")
    assert "100.0 %, covered" in whole.about


def test_a_day_whose_candles_were_dropped_says_so_and_asks_for_no_backfill(
    pages: TestClient, warehouse_on_both: sa.Engine
) -> None:
    for month in (date(2026, 8, 1), date(2026, 9, 1)):  # the event opened in August
        dropped_month = {"month": month, "state": "dropped", "row_count": 7, "run_id": 1}
        insert(warehouse_on_both, "kalshi_dropped_month", table_name="kalshi_candle_1m", **dropped_month)
    for show in ("quotes", "proof", "trades"):
        dropped, unchecked, *_ = cells(pages, show=show)[NY]
        assert dropped.about.endswith("Of a month that kalshi_retention dropped on purpose; not read since."), show
        assert "kalshi_candles_backfill" not in dropped.href
        assert "dropped" not in unchecked.about, "it was read again"


def test_what_is_missing_is_listed_day_by_day_with_the_run_that_fills_it(pages: TestClient) -> None:
    found = [
        (row["what is missing"], row["from"], row["to"], row["what to do"]) for row in rows(pages, "todo", series=NY)
    ]
    assert found == [
        ("not read", "2026-09-01", "2026-09-01", "read these days"),
        ("not checked", "2026-09-02", "2026-09-02", "check these days"),
    ]
    page = html.unescape(pages.get("coverage", params={**ASKED, "series": NY}).text)
    assert "/kalshi/run/kalshi_data_quality?series=KXHIGHNY&date_from=2026-09-01&date_to=2026-09-03" in page


def test_the_same_cells_tell_of_proof_trades_decisions_and_gaps(
    pages: TestClient, warehouse_on_both: sa.Engine
) -> None:
    proof = cells(pages, show="proof")[NY]
    assert [cell.kind for cell in proof] == ["unread", "unchecked", "unchecked", "q4", "none"]
    assert "2 of 2 settled markets are proven" in proof[3].about
    assert "14 in all" in cells(pages, show="trades")[NY][3].about
    decided = cells(pages, show="day_10")[NY][3]
    assert "A quote was known in 2 of 2 markets; the spread of 1 could be filled." in decided.about
    assert "A quote was known in 0 of 2 markets" in cells(pages, show="open")[NY][3].about
    window = {"window_start_utc": date(2026, 9, 5), "window_end_utc": date(2026, 9, 6)}
    insert(warehouse_on_both, "kalshi_gap", job="trades", scope=NY, reason="no run came", **window)
    of_market = {"market_ticker": f"{event_of(NY, WHOLE)}-B0", "window_start_utc": date(2026, 9, 2)}
    insert(
        warehouse_on_both,
        "kalshi_gap",
        **{"job": "candles", "scope": NY, "reason": "not there", "window_end_utc": date(2026, 9, 3), **of_market},
    )
    gaps = cells(pages, show="gaps")[NY]
    assert [cell.text for cell in gaps] == ["✕", "0", "0", "1", "1"], "a market's gap is on the day of its event"
    assert "candles of KXHIGHNY-26SEP04-B0 (not there)" in gaps[3].about


def test_a_market_whose_trades_are_short_is_not_proven(pages: TestClient, warehouse_on_both: sa.Engine) -> None:
    tickers = [f"{event_of(NY, SHORT)}-B{number}" for number in range(2)]
    add_proof(warehouse_on_both, NY, tickers[0])
    add_proof(warehouse_on_both, NY, tickers[1], "short", trades=0)
    seen = cells(pages, show="proof")[NY][2]
    assert (seen.kind, seen.text) == ("q2", "50")
    assert "50.0 %, not proven" in seen.about


def test_only_the_latest_look_at_a_market_counts(pages: TestClient, warehouse_on_both: sa.Engine) -> None:
    ticker = f"{event_of(NY, SHORT)}-B0"
    with warehouse_on_both.begin() as connection:
        connection.execute(
            sa.text("UPDATE kalshi_coverage SET is_latest = FALSE WHERE market_ticker = :t"), {"t": ticker}
        )
    add_coverage(warehouse_on_both, NY, SHORT, ticker, run_id=2, expected_minutes=720, quoted_minutes=0)
    assert cells(pages)[NY][2].text == "12"


def test_years_are_shown_by_month_and_a_month_leads_to_its_days(pages: TestClient) -> None:
    year = cells(pages, series=NY, date_from="2025-10-01", date_to="2026-09-30")[NY]
    assert len(year) == 12
    assert [cell.kind for cell in year[:11]] == 11 * ["none"]
    assert year[11].text == "31"
    assert "2 of 4 events were never checked" in year[11].about
    assert "by=day" in year[11].href
    assert "date_from=2026-09-01&date_to=2026-09-30" in year[11].href
    answer = pages.get(year[11].href.removeprefix("/kalshi/"))
    assert answer.status_code == 200
    assert event_of(NY, WHOLE) in answer.text


def test_the_questions_of_a_backtest_are_answered_over_all_days_read_or_not(pages: TestClient) -> None:
    (answers,) = rows(pages, "questions", series=NY)
    assert answers["events"] == "4"
    assert answers["checked"] == "partly: 2 of 4 (50.0 %)"
    assert answers["day_before_10: quotes known"] == "no: 0 of 8"
    assert answers["day_10: quotes known"] == "partly: 2 of 8 (25.0 %)"
    assert answers["day_10: spreads fillable"] == "partly: 1 of 8 (12.5 %)"
    assert answers["trades > 0"] == "partly: 2 of 8 (25.0 %)"
    assert answers["proven"] == "partly: 2 of 8 (25.0 %)"
    page = html.unescape(pages.get("coverage", params={**ASKED, "series": NY}).text)
    assert "show=day_10#events" in page, "each answer leads to the events behind it"


def test_the_events_with_the_fewest_quotes_come_first_and_those_without_a_figure_last(pages: TestClient) -> None:
    found = [(row["event"], row["state"]) for row in rows(pages, "events", series=NY)]
    days = [(SHORT, "short"), (WHOLE, "covered"), (UNREAD, "not read"), (UNCHECKED, "not checked")]
    assert found == [(event_of(NY, day), word) for day, word in days]


def test_many_series_come_in_pages_the_worst_first(pages: TestClient, warehouse_on_both: sa.Engine) -> None:
    for number in range(60):
        add_series(warehouse_on_both, f"KXMANY{number:02d}", category="Many")
    for number, quoted in ((58, 1440), (59, 100)):
        (ticker,) = add_event(warehouse_on_both, f"KXMANY{number}", WHOLE, "y")
        add_coverage(warehouse_on_both, f"KXMANY{number}", WHOLE, ticker, quoted_minutes=quoted)
    first = list(cells(pages, category="Many"))
    assert (len(first), first[:3]) == (25, ["KXMANY59", "KXMANY58", "KXMANY00"])
    assert len(cells(pages, category="Many", page="3")) == 10
    assert "page=2" in pages.get("coverage", params={**ASKED, "category": "Many"}).text


def test_bookmarks_of_days_and_until_still_work(pages: TestClient) -> None:
    found = cells(pages, date_from="", date_to="", until="2026-09-04", days="4")
    assert [cell.kind for cell in found[NY]] == ["unread", "unchecked", "q1", "q4"]


def test_without_days_the_latest_event_up_to_today_is_the_last(pages: TestClient, warehouse_on_both: sa.Engine) -> None:
    today = datetime.now(UTC).date()
    add_event(warehouse_on_both, NY, today, "--")
    add_event(warehouse_on_both, NY, today + timedelta(days=3), "--")
    found = cells(pages, date_from="", date_to="")[NY]
    assert len(found) == 60
    assert f"{today:%d %b %Y}" in found[-1].about
    assert found[-1].kind == "open"


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("date_from=2026-09-02&date_to=2026-09-01", "comes after the last one, 2026-09-01: exchange them"),
        ("date_from=2020-01-01&date_to=2026-09-01&by=day", "show them by month"),
        ("show=colours", "show=colours: choose one of quotes, proof, gaps, trades, day_before_10, day_10, open"),
    ],
)
def test_a_bad_question_is_answered_with_what_to_do(pages: TestClient, question: str, said: str) -> None:
    answer = pages.get(f"coverage?{question}")
    assert answer.status_code == 400
    assert said in answer.text


def test_the_largest_grid_stays_below_half_a_megabyte(pages: TestClient, warehouse_on_both: sa.Engine) -> None:
    for number in range(30):
        add_series(warehouse_on_both, f"KXMANY{number:02d}", category="Many")
    answer = pages.get("coverage", params={"category": "Many", "date_to": "2026-09-05", "days": "92"})
    assert answer.status_code == 200
    assert len(answer.content) < 500_000


KNOWN = Covered(events=1, markets=2, minutes=100, checked=1, checked_minutes=100, quoted=79)


def test_below_four_fifths_of_its_minutes_a_day_is_short() -> None:
    assert state("quotes", KNOWN, None).word == "short"
    assert state("quotes", KNOWN + Covered(quoted=1), None).word == "covered"


def test_why_there_is_no_figure() -> None:
    unknown = Covered(events=1, markets=2, minutes=100)
    why = {"is_read": False, "is_listed": True, "is_over": True, "is_dropped": False}
    assert missing(None, **why).word == "no event"  # type: ignore[union-attr]
    assert missing(None, **{**why, "is_listed": False}).todo == "kalshi_catalog_sync"  # type: ignore[union-attr]
    assert missing(unknown, **why).todo == "kalshi_candles_backfill"  # type: ignore[union-attr]
    assert missing(unknown, **{**why, "is_over": False}).word == "still open"  # type: ignore[union-attr]
    assert missing(unknown, **{**why, "is_read": True}).todo == "kalshi_data_quality"  # type: ignore[union-attr]
    dropped = {**why, "is_dropped": True}
    assert missing(unknown, **{**dropped, "is_over": False}).word == "still open"  # type: ignore[union-attr]
    assert missing(unknown, **dropped).word == "dropped"  # type: ignore[union-attr]
    assert missing(unknown, **{**dropped, "is_read": True}).word == "not checked", "read again since"  # type: ignore[union-attr]
    assert missing(KNOWN, **why) is missing(KNOWN, **dropped) is None


def test_two_events_of_a_day_share_its_cell() -> None:
    both = Covered(events=1, event="A", quoted=1, decisions={"x": Decided(2, 1, 0)}) + Covered(
        events=1, event="B", quoted=2, decisions={"x": Decided(1, 1, 1)}
    )
    assert (both.events, both.event, both.quoted, both.decisions) == (2, "", 3, {"x": Decided(3, 2, 1)})
