"""The gaps page: what is missing, what that means, and what fills it."""

from __future__ import annotations

import csv
import html
import io
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from tests.ui.planted_days import add_event, add_series, event_of, insert

NY = "KXHIGHNY"
DAY = date(2026, 9, 20)


@pytest.fixture
def pages(client: TestClient, warehouse: sa.Engine, warehouse_uri: str, monkeypatch: Any) -> TestClient:
    """A day of trades that no run read, a market without candles, and one that a person accepted."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri)
    add_series(warehouse, NY)
    tickers = add_event(warehouse, NY, DAY)
    window = {"scope": NY, "window_start_utc": DAY, "window_end_utc": date(2026, 9, 22)}
    insert(warehouse, "kalshi_gap", job="trades", reason="no run came", since_utc=date(2026, 9, 23), **window)
    for ticker, accepted in zip(tickers, (None, "never traded"), strict=True):
        why = {"reason": "neither tier knows the market's candles", "accepted_reason": accepted}
        insert(warehouse, "kalshi_gap", job="candles", market_ticker=ticker, since_utc=DAY, **why, **window)
    insert(
        warehouse, "kalshi_gap", job="portfolio", reason="a fault of its own", since_utc=DAY, **{**window, "scope": "0"}
    )
    return client


def test_each_gap_says_what_it_means_and_leads_to_the_run_that_fills_it(pages: TestClient) -> None:
    found = list(csv.DictReader(io.StringIO(pages.get("gaps?csv=gaps").text)))
    meanings = {row["job"]: row["what it means"] for row in found}
    assert meanings["trades"] == "No scheduled run read this: Airflow was off, or its runs failed before they began."
    assert meanings["candles"].startswith("The exchange has it neither among its live nor its historical data.")
    assert meanings["portfolio"] == "", "a reason in the exchange's or the server's own words stands alone"
    page = html.unescape(pages.get("gaps").text)
    days = "series=KXHIGHNY&date_from=2026-09-20&date_to=2026-09-21"
    assert f'href="/kalshi/run/kalshi_trades_sync?{days}"' in page
    assert f'href="/kalshi/run/kalshi_candles_backfill?{days}"' in page


def test_a_gap_of_a_market_leads_to_its_event_accepted_or_not(pages: TestClient) -> None:
    page = pages.get("gaps?job=candles").text
    for part in page.split("<h2>")[1:]:
        assert f'<a href="/kalshi/event/{event_of(NY, DAY)}">' in part
    assert "never traded" in page
