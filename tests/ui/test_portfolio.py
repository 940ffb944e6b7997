"""The portfolio page and the pages behind its markets: figures, days, drill-down, from fills worked by hand."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect

from kalshi.cells import number
from kalshi.ui.portfolio import running
from kalshi.warehouse.portfolio import match_fills
from tests.ui.site import SECONDS, Site

DAY = timedelta(days=1)
TODAY = datetime.now(UTC).date()
MONDAY = TODAY - TODAY.weekday() * DAY
LAST_WEEK = MONDAY - 3 * DAY
NY, MIAMI = "KXHIGHNY-26SEP20-B70.5", "KXHIGHMIA-26SEP20-B88.5"


def add(connection: sa.Connection, table: str, **values: Any) -> None:
    columns, names = ", ".join(values), ", ".join(f":{name}" for name in values)
    connection.execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({names})"), values)


def fill(
    connection: sa.Connection, number: int, market: str, outcome: str, yes_price: str, day: date, **more: Any
) -> None:
    price = Decimal(yes_price) if outcome == "yes" else 1 - Decimal(yes_price)
    quantity = Decimal(more.pop("quantity", "10"))
    values = {
        "fill_id": f"fill-{number}",
        "market_ticker": market,
        "subaccount": 0,
        "action": "buy",
        "side": outcome,
        "outcome": outcome,
        "quantity": quantity,
        "price": price,
        "yes_price": yes_price,
        "no_price": 1 - Decimal(yes_price),
        "total_cost": quantity * price,
        "fee_cost": "0.25",
        "is_taker": True,
        "executed_at_utc": datetime.combine(day, datetime.min.time()) + timedelta(seconds=number),
        "run_id": 1,
        **more,
    }
    add(connection, "kalshi_fill", **values)


@pytest.fixture
def account(
    warehouse_on_both: sa.Engine, warehouse_uri_on_both: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[sa.Engine]:
    """Two markets. New York: 10 YES at 40 ¢, closed this week at 65 ¢ (+$2.50). Miami: 10 YES at 30 ¢ closed last week
    at 20 ¢ (-$1.00), and 4 NO at 40 ¢ still open, which would sell at 50 ¢."""
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri_on_both)
    with warehouse_on_both.begin() as connection:
        for market in (NY, MIAMI):
            series, event = market.split("-")[0], market.rpartition("-")[0]
            add(connection, "kalshi_series", series_ticker=series, run_id=1)
            add(connection, "kalshi_event", event_ticker=event, series_ticker=series, title="Highest", run_id=1)
            about = {"yes_sub_title": "70° to 71°", "status": "active", "yes_bid": "0.4", "yes_ask": "0.5", "run_id": 1}
            add(connection, "kalshi_market", market_ticker=market, event_ticker=event, series_ticker=series, **about)
        fill(connection, 1, MIAMI, "yes", "0.30", LAST_WEEK)
        fill(connection, 2, MIAMI, "no", "0.20", LAST_WEEK)
        fill(connection, 3, NY, "yes", "0.40", LAST_WEEK)
        fill(connection, 4, NY, "no", "0.65", MONDAY, is_taker=False)
        fill(connection, 5, MIAMI, "no", "0.60", MONDAY, quantity="4", fee_cost="0.10")
        match_fills(connection, 1)
        for day, cash in ((LAST_WEEK, 90), (MONDAY, 95)):
            values = {"balance_date": day, "subaccount": 0, "balance": cash, "portfolio_value": 2}
            add(connection, "kalshi_balance", **values, exchange_updated_at_utc=day, run_id=1)
    yield warehouse_on_both


def rows_of(client: TestClient, table: str, address: str = "/portfolio") -> list[dict[str, str]]:
    answer = client.get(f"{address}{'&' if '?' in address else '?'}csv={table}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def tiles_of(page: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>(.*?)</dt>\s*<dd class=\"value[^>]*>(.*?)</dd>", page))


def test_the_tiles_say_where_the_account_stands(account: sa.Engine, client: TestClient) -> None:
    tiles = tiles_of(client.get("/portfolio").text)
    expected = {"Equity": "$97.00", "Cash": "$95.00", "Exposure": "$1.60", "Unrealised": "$0.40", "Fees": "$1.10"}
    assert tiles.items() >= expected.items()
    assert tiles["Earned"] == "$0.40"
    assert tiles["Realised today"] == ("$2.15" if TODAY == MONDAY else "$0.00")


def test_this_week_by_city_after_fees_is_a_click_on_the_page(account: sa.Engine, client: TestClient) -> None:
    page = client.get("/portfolio").text
    (week,) = re.findall(r'<a href="([^"]*)">This week</a>', page)
    address = week.replace("&amp;", "&").removeprefix("/kalshi")
    rows = rows_of(client, "series", address)
    assert [(row["city"], row["series"], Decimal(row["after fees"])) for row in rows] == [
        ("New York", "KXHIGHNY", Decimal("2.25")),
        ("Miami", "KXHIGHMIA", Decimal("-0.10")),
    ]
    chosen = client.get(address).text
    assert 'aria-current="true">This week</a>' in chosen
    (total,) = re.findall(r"<tfoot>.*?total.*?</tfoot>", chosen.split("Over time")[0], re.DOTALL)
    assert re.findall(r"\$[\d.]+", total)[:3] == ["$2.50", "$0.35", "$2.15"]


def test_days_and_series_and_subaccounts_narrow_every_figure(account: sa.Engine, client: TestClient) -> None:
    address = f"/portfolio?date_from={LAST_WEEK}&date_to={LAST_WEEK}"
    assert tiles_of(client.get(address).text)["Earned"] == number(Decimal("-1.75"), "$")
    assert tiles_of(client.get(f"{address}&series=KXHIGHNY").text)["Earned"] == number(Decimal("-0.25"), "$")
    assert {row["market"] for row in rows_of(client, "markets", f"{address}&series=KXHIGHMIA")} == {MIAMI}
    assert rows_of(client, "positions", "/portfolio?series=KXHIGHMIA")
    assert "No open positions." in client.get("/portfolio?series=KXHIGHNY").text
    assert tiles_of(client.get("/portfolio?subaccount=3").text)["Earned"] == "$0.00"
    for days in ("", f"?date_from={LAST_WEEK - 9 * DAY}&date_to={LAST_WEEK - 8 * DAY}"):
        page = client.get(f"/portfolio{days}").text
        assert re.findall(r"<option>(KX[A-Z]+)</option>", page) == ["KXHIGHMIA", "KXHIGHNY"], days


def test_drawdown_is_the_distance_from_the_highest_sum_so_far_which_begins_at_zero() -> None:
    nets = {date(2026, 9, d): Decimal(net) for d, net in ((1, -2), (2, 5), (3, -1), (4, -3), (6, 9))}
    zero = Decimal(0)
    days = running([{"day": day, "realized": net, "fees": zero, "net": net} for day, net in nets.items()])
    assert [(row["total"], row["drawdown"]) for row in days] == [(-2, -2), (3, 0), (2, -1), (-1, -4), (8, 0)]


def test_the_sql_under_a_table_gives_its_rows(account: sa.Engine, client: TestClient) -> None:
    page = client.get("/portfolio").text
    statements = re.findall(r"<summary>SQL</summary>.*?<pre[^>]*>(.*?)</pre>", page, re.DOTALL)
    by_table = dict(zip(("series", "positions", "markets", "differences"), statements, strict=True))
    for table, field in (("series", "after fees"), ("positions", "unrealised"), ("markets", "after fees")):
        statement = by_table[table].replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">")
        with account.connect() as connection:
            found = [dict(row) for row in connection.exec_driver_sql(statement.replace("%", "%%")).mappings()]
        amounts = [row.get("net", row.get("unrealized")) for row in found]
        assert amounts == [Decimal(row[field]) for row in rows_of(client, table)], table
        assert amounts


def test_an_open_position_leads_to_its_event_and_to_its_fills(account: sa.Engine, client: TestClient) -> None:
    (row,) = rows_of(client, "positions")
    assert (row["market"], row["side held"], Decimal(row["contracts"])) == (MIAMI, "no", Decimal(4))
    assert (Decimal(row["paid"]), Decimal(row["bid"]), Decimal(row["value"])) == (
        Decimal("0.4"),
        Decimal("0.5"),
        Decimal(2),
    )
    page = client.get("/portfolio").text
    assert f'href="/kalshi/event/{MIAMI.rpartition("-")[0]}"' in page
    assert f'href="/kalshi/portfolio/{MIAMI}"' in page


def test_behind_a_market_are_its_fills_and_its_lots_first_in_first_out(account: sa.Engine, client: TestClient) -> None:
    address = f"/portfolio/{MIAMI}"
    assert [row["fill"] for row in rows_of(client, "fills", address)] == ["fill-1", "fill-2", "fill-5"]
    (closed,) = rows_of(client, "closed_lots", address)
    assert (Decimal(closed["contracts"]), Decimal(closed["realised"])) == (Decimal(10), Decimal(-1))
    (lot,) = rows_of(client, "open_lots", address)
    assert (lot["fill"], Decimal(lot["contracts left"]), Decimal(lot["cost"])) == ("fill-5", Decimal(4), Decimal("1.6"))
    (pnl,) = rows_of(client, "pnl", address)
    assert (Decimal(pnl["realised"]), Decimal(pnl["fees"]), Decimal(pnl["after fees"])) == (
        Decimal(-1),
        Decimal("0.6"),
        Decimal("-1.6"),
    )
    assert [row["order"] for row in rows_of(client, "fills", f"/portfolio/{NY}")] == ["taker", "maker"]


def test_a_settlement_shows_what_it_paid(account: sa.Engine, client: TestClient) -> None:
    with account.begin() as connection:
        add(
            connection,
            "kalshi_portfolio_settlement",
            market_ticker=MIAMI,
            settled_at_utc=datetime.combine(MONDAY, datetime.min.time()),
            subaccount=0,
            event_ticker=MIAMI.rpartition("-")[0],
            result="no",
            yes_count=0,
            yes_total_cost=0,
            no_count=4,
            no_total_cost="1.6",
            revenue=4,
            fee_cost="0.6",
            run_id=1,
        )
    (row,) = rows_of(client, "settlements", f"/portfolio/{MIAMI}")
    assert (row["result"], Decimal(row["revenue"])) == ("no", Decimal(4))
    (pnl,) = rows_of(client, "pnl", f"/portfolio/{MIAMI}")
    assert Decimal(pnl["by settlement"]) == Decimal("2.4")
    assert rows_of(client, "positions") == []


def test_a_difference_from_the_exchange_is_shown_and_leads_to_the_fills(account: sa.Engine, client: TestClient) -> None:
    assert "Our figures and the exchange's agree" not in client.get("/portfolio").text  # it lists no such position
    with account.begin() as connection:
        add(
            connection,
            "kalshi_exchange_position",
            market_ticker=MIAMI,
            subaccount=0,
            list="unsettled",
            quantity=-5,
            exposure="1.6",
            realized_pnl=-1,
            fees_paid="0.6",
            run_id=1,
        )
    (row,) = rows_of(client, "differences")
    assert (row["market"], row["differs in"], Decimal(row["contracts: ours"])) == (MIAMI, "quantity", Decimal(-4))
    with account.begin() as connection:
        connection.execute(sa.text("UPDATE kalshi_exchange_position SET quantity = -4"))
    assert "Our figures and the exchange's agree" in client.get("/portfolio").text


def test_the_days_are_paged_the_latest_first_with_sums_over_all(account: sa.Engine, client: TestClient) -> None:
    first = LAST_WEEK - 200 * DAY
    with account.begin() as connection:
        for number in range(150):
            fill(connection, 100 + number, NY, "yes", "0.40", first + number * DAY, quantity="1", fee_cost="0.01")
        match_fills(connection, 1)
    page = client.get("/portfolio").text
    assert "1 to 100 of 152 days" in page
    days = re.findall(r"<td[^>]*>(\d{4}-\d{2}-\d{2})</td>", page.split('id="days"')[1].split("</details>")[0])
    assert (len(days), days[0]) == (100, str(MONDAY))
    assert "$2.60" in page.split('id="days"')[1].split("</details>")[0]  # all fees: $1.10 and 150 cents
    (following,) = re.findall(r'<a href="([^"]*)" rel="next">', page)
    rest = client.get(following.replace("&amp;", "&").removeprefix("/kalshi").partition("#")[0]).text
    assert "101 to 152 of 152 days" in rest
    assert '<details id="days" open>' in rest
    assert [row["day (UTC)"] for row in rows_of(client, "days")][::151] == [str(MONDAY), str(first)]


def test_equity_is_drawn_only_from_balances_of_several_days(account: sa.Engine, client: TestClient) -> None:
    assert "<h3>Equity</h3>" in client.get("/portfolio").text
    with account.begin() as connection:
        connection.execute(sa.text("DELETE FROM kalshi_balance ORDER BY balance_date LIMIT 1"))
    page = client.get("/portfolio").text
    assert "<h3>Equity</h3>" not in page
    assert "Equity is drawn once balances of several days are known" in page


def test_a_market_that_was_never_traded_is_not_found(account: sa.Engine, client: TestClient) -> None:
    answer = client.get("/portfolio/KXNEVER-26SEP20-T1")
    assert answer.status_code == 404
    assert "No fill of a market KXNEVER-26SEP20-T1 is known" in answer.text


def test_an_account_without_fills_says_what_to_do(
    warehouse_uri: str, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_KALSHI_WAREHOUSE", warehouse_uri)
    assert "set an API key in the connection kalshi_default" in client.get("/portfolio").text


def test_a_range_the_wrong_way_round_is_refused_in_words(account: sa.Engine, client: TestClient) -> None:
    answer = client.get("/portfolio?date_from=2026-09-21&date_to=2026-09-20")
    assert answer.status_code == 400
    assert "date_from (2026-09-21) is after date_to (2026-09-20): swap them." in answer.text


def test_what_this_week_earned_by_city_after_fees_is_three_clicks_from_the_login(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.get_by_role("link", name="Kalshi", exact=True).click()
    pages = page.frame_locator("iframe[title=Kalshi]")
    pages.get_by_role("link", name="Portfolio", exact=True).click()
    pages.get_by_role("link", name="This week").click()
    expect(pages.get_by_role("link", name="This week")).to_have_attribute("aria-current", "true", timeout=SECONDS)
    expect(pages.get_by_role("heading", name="Earned by series, after fees")).to_be_visible()
    expect(pages.locator("input[name=date_from]")).to_have_value(str(MONDAY))
