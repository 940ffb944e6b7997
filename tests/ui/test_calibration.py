"""The calibration page, against figures worked out by hand, on MariaDB and on a real MySQL."""

from __future__ import annotations

import csv
import html
import io
from datetime import date
from math import log
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from tests.ui.planted_days import add_event, add_quote, add_series

NY, DEN = "KXHIGHNY", "KXHIGHDEN"
AUGUST, SEPTEMBER = date(2026, 8, 30), date(2026, 9, 2)
ASKED = {"date_from": "2026-08-01", "date_to": "2026-09-30", "decision": "day_10"}


@pytest.fixture
def pages(client: TestClient, warehouse_on_both: sa.Engine, warehouse_uri_on_both: str, monkeypatch: Any) -> TestClient:
    """Two events of New York and one of Denver. At ``day_10`` New York's cost 0.70 (won), 0.30 and, in September, 0.40
    and 0.50 (won); Denver's only quote is 0.10, and lost."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri_on_both)
    engine = warehouse_on_both
    for series in (NY, DEN):
        add_series(engine, series)
    won, lost = add_event(engine, NY, AUGUST, "yn")
    add_quote(engine, NY, AUGUST, won, "0.10", "0.12", is_latest=False)  # an earlier run read another quote
    add_quote(engine, NY, AUGUST, won, "0.68", "0.72", run_id=2)
    add_quote(engine, NY, AUGUST, lost, "0.29", "0.31")
    lost, won, scalar, wide = add_event(engine, NY, SEPTEMBER, "ny-y")
    add_quote(engine, NY, SEPTEMBER, lost, "0.38", "0.42")
    add_quote(engine, NY, SEPTEMBER, won, "0.49", "0.51")
    add_quote(engine, NY, SEPTEMBER, scalar, "0.49", "0.51")
    add_quote(engine, NY, SEPTEMBER, wide, "0.10", "0.80")
    override = '{"fee_type_override": null, "fee_multiplier_override": "2"}'
    lost, unquoted = add_event(engine, DEN, AUGUST, "ny", raw_json=override)
    add_quote(engine, DEN, AUGUST, lost, "0.09", "0.11")
    add_quote(engine, DEN, AUGUST, unquoted, None, None)
    return client


def rows(pages: TestClient, name: str, **params: str) -> list[dict[str, str]]:
    """A table of the page, by its CSV file."""
    answer = pages.get("calibration", params={**ASKED, "csv": name, **params})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_scores_are_those_of_the_latest_quotes_of_markets_that_settled_yes_or_no(pages: TestClient) -> None:
    denver, new_york = rows(pages, "series")
    assert (new_york["series"], new_york["city"], new_york["events"], new_york["markets"]) == (NY, "New York", "2", "4")
    assert float(new_york["mean price"]) == pytest.approx((0.7 + 0.3 + 0.4 + 0.5) / 4)
    assert float(new_york["share that won"]) == 0.5
    assert float(new_york["Brier score"]) == pytest.approx((0.3**2 + 0.3**2 + 0.4**2 + 0.5**2) / 4)
    assert float(new_york["always the base rate"]) == 0.25
    losses = [-log(each) for each in (0.7, 0.7, 0.6, 0.5)]
    assert float(new_york["log loss"]) == pytest.approx(sum(losses) / 4)
    assert (denver["markets"], denver["sample"]) == ("1", "few")


def test_months_are_apart_and_a_series_and_days_can_be_chosen(pages: TestClient) -> None:
    assert [(row["month"], row["markets"]) for row in rows(pages, "months")] == [("2026-08", "3"), ("2026-09", "2")]
    assert [row["markets"] for row in rows(pages, "months", series=NY)] == ["2", "2"]
    assert [row["markets"] for row in rows(pages, "months", date_from="2026-09-01")] == ["2"]


def test_the_reliability_curve_and_its_markets_lead_to_the_events(pages: TestClient) -> None:
    curve = {row["price"]: row for row in rows(pages, "curve")}
    assert list(curve) == ["10 to 20¢", "30 to 40¢", "40 to 50¢", "50 to 60¢", "70 to 80¢"]
    assert (curve["70 to 80¢"]["markets"], curve["70 to 80¢"]["won"]) == ("1", "1")
    (behind,) = rows(pages, "markets", bin="8")
    assert (behind["event"], behind["bid"], behind["ask"]) == ("KXHIGHNY-26AUG30", "0.680000", "0.720000")
    page = pages.get("calibration", params={**ASKED, "bin": "8"}).text
    assert 'href="/kalshi/event/KXHIGHNY-26AUG30"' in page
    assert "from $0.70 to $0.80" in page


def test_a_wider_spread_lets_the_wide_quote_in_and_bids_sort_it_by_its_bid(pages: TestClient) -> None:
    curve = {row["price"]: row["markets"] for row in rows(pages, "curve", spread="0.7", price="bid")}
    assert curve["10 to 20¢"] == "1"
    assert sum(map(int, curve.values())) == 6


def test_buying_at_the_ask_pays_the_fee_of_the_series_or_of_the_event_that_overrides_it(pages: TestClient) -> None:
    bought = {row["ask"]: row for row in rows(pages, "purchases")}
    # Denver: 0.07 * 2 * 0.11 * 0.89 = 0.0137, rounded up to 0.02. New York at 0.72: 0.07 * 0.72 * 0.28 = 0.0141.
    assert float(bought["10 to 20¢"]["earned per contract, before fees"]) == pytest.approx(-0.11)
    assert float(bought["10 to 20¢"]["fee per contract"]) == pytest.approx(0.02)
    assert float(bought["70 to 80¢"]["earned per contract, after fees"]) == pytest.approx(1 - 0.72 - 0.02)


def test_the_page_says_in_words_what_the_figures_are_and_that_they_are_few(pages: TestClient) -> None:
    page = " ".join(pages.get("calibration", params=ASKED).text.split())
    assert "3 settled events with 5 markets that had a quote at 10:00 local time on the day itself" in page
    assert "40.0 % won. Brier score 0.1200" in page
    assert "Few events" in page
    assert "too few to say" in page


def test_without_a_settled_market_the_page_says_where_quotes_and_results_come_from(pages: TestClient) -> None:
    page = html.unescape(pages.get("calibration", params={**ASKED, "decision": "day_before_10"}).text)
    assert "No settled market has a known quote at this decision" in page
    assert "/kalshi/run/kalshi_data_quality?date_from=2026-08-01" in page
    assert pages.get("calibration").status_code == 200


@pytest.mark.parametrize(
    ("question", "status", "said"),
    [
        ("decision=noon", 400, "There is no noon: choose one of day_before_10, day_10, open"),
        ("date_from=2026-09-02&date_to=2026-09-01", 400, "comes after the last one"),
        ("date_from=0001-01-01", 400, "0001-01-01 is too early: choose 1900-01-01 or a later day"),
        ("bin=12", 422, "The parameter bin must be"),
        ("price=last", 422, "mid"),
        ("spread=2", 422, "The parameter spread must be 1 or less"),
    ],
)
def test_a_bad_question_is_answered_with_what_is_wrong(
    pages: TestClient, question: str, status: int, said: str
) -> None:
    answer = pages.get(f"calibration?{question}")
    assert answer.status_code == status
    assert said in answer.text
