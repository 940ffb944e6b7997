"""The page of an event: what happened, what the prices said, and whether that can be trusted."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect

from kalshi.settings import DecisionTime, SeriesSettings, load_settings
from kalshi.ui.clock import in_words
from kalshi.ui.event_prices import POINTS, Period
from kalshi.ui.forecast import Bracket, centres, expected, measured, probabilities, quote
from tests.ui.planted import Planted

EVENT = "KXHIGHNY-26SEP20"
OPENS = datetime(2026, 9, 19, 14, tzinfo=UTC).replace(tzinfo=None)
CLOSES = OPENS + timedelta(hours=39)
BRACKETS = {"T70": (None, 70, "69° or below"), "B70.5": (70, 71, "70° to 71°"), "T71": (71, None, "72° or above")}
WINNER = "70° to 71°"


@pytest.fixture
def event(planted: Planted) -> Planted:
    """New York's event of 20 September, settled at 71 °F, with an hour of candles after its open."""
    plant_event(planted)
    return planted


def plant_event(planted: Planted) -> None:
    planted.series("KXHIGHNY")
    for day in (19, 20, 21):
        planted.event(f"KXHIGHNY-26SEP{day}", title=f"High of {day} Sep", event_date=date(2026, 9, day))
    for name, (floor, cap, words) in BRACKETS.items():
        planted.market(
            f"{EVENT}-{name}",
            yes_sub_title=words,
            floor_strike=floor,
            cap_strike=cap,
            status="finalized",
            result="yes" if words == WINNER else "no",
            settlement_value=1 if words == WINNER else 0,
            settlement_ts_utc=CLOSES + timedelta(hours=6),
            expiration_value="71.00",
            open_time_utc=OPENS,
            close_time_utc=CLOSES,
            volume=100,
        )
    for decision, at in (("day_before_10", OPENS), ("day_10", OPENS + timedelta(days=1))):
        planted.rows("kalshi_decision_time", [{"event_ticker": EVENT, "decision": decision, "decided_at_utc": at}])
    for name, bid in (("T70", "0.10"), ("B70.5", "0.50"), ("T71", "0.30")):
        quotes = [(bid, str(Decimal(bid) + Decimal("0.02")))] * 60
        planted.candles(f"{EVENT}-{name}", OPENS, quotes)


def page_of(client: TestClient, address: str = EVENT) -> str:
    answer = client.get(f"event/{address}")
    assert answer.status_code == 200
    return str(answer.text)


def table_of(client: TestClient, name: str, address: str = EVENT) -> list[dict[str, str]]:
    """A table of the page, as its CSV file has it."""
    answer = client.get(f"event/{address}{'&' if '?' in address else '?'}csv={name}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(answer.text.splitlines()))


def chart_of(page: str) -> dict[str, Any]:
    found = re.search(r'class="plotted"[^>]*></div>\s*<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found
    chart: dict[str, Any] = json.loads(found[1])
    return chart


def test_result_and_payment_come_from_the_catalog_until_the_settlements_are_read(
    client: TestClient, event: Planted
) -> None:
    rows = {row["bracket"]: row for row in table_of(client, "markets")}
    assert rows[WINNER]["result"] == "yes"
    assert Decimal(rows[WINNER]["paid"]) == 1
    assert rows[WINNER]["observed"] == "71.00"
    page = page_of(client)
    assert '<span class="winner">70° to 71°</span>' in page
    assert "<dt>observed</dt><dd>71 °F</dd>" in page
    assert "The result is known from the catalog, but when it settled isn&#39;t." in page
    assert "/run/kalshi_settlements_sync?series=KXHIGHNY" in page


def test_what_is_missing_leads_to_the_run_that_reads_it(client: TestClient, planted: Planted) -> None:
    planted.series("KXHIGHNY")
    planted.event(EVENT, event_date=date(2026, 9, 20))
    planted.market(f"{EVENT}-B1", status="active", open_time_utc=OPENS, close_time_utc=CLOSES, volume=5)
    page = page_of(client)
    days = "series=KXHIGHNY&amp;date_from=2026-09-19&amp;date_to=2026-09-21"
    for dag in ("kalshi_candles_backfill", "kalshi_trades_sync", "kalshi_data_quality"):
        assert f"/kalshi/run/{dag}?{days}" in page
    assert "No prices of this event are known yet" in page
    assert "vega.js" in page


def test_what_was_dropped_on_purpose_is_not_missing_until_its_days_are_read_again(
    client: TestClient, event: Planted
) -> None:
    month = {"table_name": "kalshi_candle_1m", "month": date(2026, 9, 1), "state": "dropped", "row_count": 180}
    event.rows("kalshi_dropped_month", [month])
    with event.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM kalshi_candle_1m")
    page = page_of(client)
    assert "Rows of 2026-09 in kalshi_candle_1m were dropped on purpose on 20" in page
    assert "No candles have been read." not in page
    event.rows(
        "kalshi_checkpoint",
        [
            {
                "job": "candles",
                "scope": "KXHIGHNY",
                "window_start_utc": datetime(2026, 9, 19),  # noqa: DTZ001  # as in the table
                "window_end_utc": datetime(2026, 9, 22),  # noqa: DTZ001
                "state": "COMPLETE",
            }
        ],
    )
    page = page_of(client)
    assert "dropped on purpose" not in page
    assert "No candles have been read." in page


def test_prices_say_a_distribution_and_an_expected_value_at_each_decision(client: TestClient, event: Planted) -> None:
    rows = {row["bracket"]: row for row in table_of(client, "probabilities")}
    shares = [float(rows[name]["day_before_10"]) for *_, name in BRACKETS.values()]
    assert shares == pytest.approx([0.11 / 0.93, 0.51 / 0.93, 0.31 / 0.93])
    assert sum(shares) == pytest.approx(1)
    told = next(row for row in table_of(client, "moments") if row["time"] == "day_before_10")
    assert float(told["expected value"]) == pytest.approx(70.5 + (0.31 - 0.11) / 0.93)
    assert told["quoted"] == "3 of 3"
    assert told["likeliest bracket"] == WINNER
    assert told["in words"] == "10:00 New York time on the day before the event = 14:00 UTC on 19 Sep 2026"
    assert Decimal(told["mean spread"].strip("$")) == Decimal("0.02")


def test_the_chart_marks_decisions_close_and_settlement_and_its_prices_reach_from_0_to_1(
    client: TestClient, event: Planted
) -> None:
    chart = chart_of(page_of(client))
    prices, spread, volume, value, shares = chart["vconcat"]
    marks = {row["label"] for layer in prices["layer"] for row in layer["data"].get("values", [])}
    assert marks == {"day_before_10", "day_10", "close", "settled"}
    assert prices["layer"][0]["encoding"]["y"]["scale"]["domain"] == [0, 1]
    assert prices["layer"][0]["encoding"]["x"]["title"] == "UTC"
    assert value["layer"][1]["data"]["values"][0] == {"value": 71.0, "told": "observed 71 °F"}
    assert shares["layer"][-1]["data"]["values"][0]["name"] == WINNER
    assert {view["layer"][0]["encoding"]["y"]["title"] for view in (spread, volume)} == {"spread", "contracts"}


def test_local_time_is_that_of_the_city_in_chart_and_tables(client: TestClient, event: Planted) -> None:
    event.trades(f"{EVENT}-B70.5", OPENS, ("0.51", "3", "yes"))
    assert table_of(client, "trades")[0]["time (UTC)"] == "2026-09-19 14:00:00"
    local = page_of(client, f"{EVENT}?zone=local")
    assert "2026-09-19 10:00:00" in local
    chart = chart_of(local)
    assert chart["vconcat"][0]["layer"][0]["encoding"]["x"]["title"] == "New York time"
    assert chart["datasets"]["moments"][0]["when"] == "19 Sep 10:00"
    assert f'href="/kalshi/event/{EVENT}?"' in local, "the way back to UTC"


def test_previous_and_next_event_are_those_of_the_days_before_and_after(client: TestClient, event: Planted) -> None:
    page = page_of(client)
    assert '<a href="/kalshi/event/KXHIGHNY-26SEP19">← previous event</a>' in page
    assert '<a href="/kalshi/event/KXHIGHNY-26SEP21">next event →</a>' in page
    assert "next event" not in page_of(client, "KXHIGHNY-26SEP21")


def test_the_tape_has_the_latest_trades_first_and_pages_through_all(client: TestClient, event: Planted) -> None:
    event.trades(f"{EVENT}-B70.5", OPENS, *[("0.50", "1000", "yes")] * 60)
    event.trades(f"{EVENT}-T70", OPENS + timedelta(hours=2), ("0.125", "0.37", "no"), is_block_trade=True)
    page = page_of(client)
    assert "1 to 50 of 61 trades" in page
    tape = page[page.index('id="trades"') :]
    first = re.sub(r"<[^>]+>", "|", tape[tape.index("<tbody>") : tape.index("</tr>", tape.index("<tbody>"))])
    assert re.findall(r"[^|\s][^|]*", first) == [
        *("2026-09-19 16:00:00", "69° or below", "NO", "$0.125", "0.37", "$0.32", "block"),
    ]
    assert '<span class="no">NO</span>' in tape
    assert '<span class="yes">YES</span>' in tape
    assert "51 to 61 of 61 trades" in page_of(client, f"{EVENT}?trades=2")
    assert f"/kalshi/event/{EVENT}?trades=2#trades" in page
    assert len(table_of(client, "trades")) == 61
    assert "go back" in page_of(client, f"{EVENT}?trades=9")


def test_the_tape_can_be_of_one_bracket(client: TestClient, event: Planted) -> None:
    event.trades(f"{EVENT}-B70.5", OPENS, *[("0.50", "1000", "yes")] * 60)
    event.trades(f"{EVENT}-T70", OPENS + timedelta(hours=2), ("0.125", "0.37", "no"))
    page = page_of(client, f"{EVENT}?zone=local&trades=2&market={EVENT}-T70")
    assert f'<option value="{EVENT}-T70" selected>69° or below</option>' in page
    assert '<input type="hidden" name="zone" value="local">' in page
    assert 'name="trades"' not in page, "another bracket begins at its first page"
    assert "1 to 50 of 60 trades" in page_of(client, f"{EVENT}?market={EVENT}-B70.5")
    assert f"/kalshi/event/{EVENT}?market={EVENT}-B70.5&amp;trades=2#trades" in page_of(
        client, f"{EVENT}?market={EVENT}-B70.5"
    )
    assert [row["bracket"] for row in table_of(client, "trades", f"{EVENT}?market={EVENT}-T70")] == ["69° or below"]
    assert "No trades of this bracket are stored." in page_of(client, f"{EVENT}?market={EVENT}-T71")


def test_the_page_of_an_event_refreshes_itself_until_it_is_over(client: TestClient, planted: Planted) -> None:
    now = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0)
    planted.series("KXHIGHNY")
    for name, closes in (("KXHIGHNY-NOW", now + timedelta(hours=9)), ("KXHIGHNY-PAST", now - timedelta(hours=9))):
        planted.event(name)
        planted.market(f"{name}-B1", open_time_utc=now - timedelta(hours=30), close_time_utc=closes)
    assert '<main data-refresh="60">' in page_of(client, "KXHIGHNY-NOW")
    assert "data-refresh" not in page_of(client, "KXHIGHNY-PAST")


def test_an_open_event_is_drawn_from_its_snapshots(client: TestClient, planted: Planted) -> None:
    now = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0)
    planted.series("KXHIGHNY")
    planted.event("KXHIGHNY-NOW", event_date=now.date())
    for number, bid in ((1, "0.20"), (2, "0.70")):
        life = {"open_time_utc": now - timedelta(hours=3), "close_time_utc": now + timedelta(hours=9)}
        planted.market(f"KXHIGHNY-NOW-B{number}", floor_strike=number * 2, cap_strike=number * 2 + 1, **life)
        planted.snapshots(f"KXHIGHNY-NOW-B{number}", now - timedelta(minutes=30), [(bid, str(float(bid) + 0.02))] * 25)
    page = page_of(client, "KXHIGHNY-NOW")
    assert "from kalshi_price_snapshot" in page
    assert "largest trades" not in page, "none is stored"
    quotes = chart_of(page)["datasets"]["quotes"]
    assert {row["bid"] for row in quotes if row["bracket"] == 1} == {0.7}
    latest = next(row for row in table_of(client, "moments", "KXHIGHNY-NOW") if row["time"] == "latest")
    assert latest["quoted"] == "2 of 2"


def test_snapshots_continue_the_candles_of_an_open_event(client: TestClient, planted: Planted) -> None:
    now = datetime.now(UTC).replace(tzinfo=None, second=0, microsecond=0)
    planted.series("KXHIGHNY")
    planted.event("KXHIGHNY-NOW", event_date=now.date())
    life = {"open_time_utc": now - timedelta(hours=3), "close_time_utc": now + timedelta(hours=9)}
    planted.market("KXHIGHNY-NOW-B1", **life)
    planted.candles("KXHIGHNY-NOW-B1", now - timedelta(hours=2), [("0.30", "0.34")] * 60)
    planted.snapshots("KXHIGHNY-NOW-B1", now - timedelta(minutes=90), [("0.60", "0.64")] * 80)
    bids = [row["bid"] for row in chart_of(page_of(client, "KXHIGHNY-NOW"))["datasets"]["quotes"]]
    assert bids[0] == 0.3
    assert bids[-1] == 0.6
    assert bids.count(0.3) == 60, "candles count where both are known"


def test_gaps_coverage_and_proof_are_in_one_table(client: TestClient, event: Planted) -> None:
    event.rows(
        "kalshi_coverage",
        [
            {
                "market_ticker": f"{EVENT}-T70",
                "utc_day": date(2026, 9, 19),
                "event_ticker": EVENT,
                "series_ticker": "KXHIGHNY",
                "event_date": date(2026, 9, 20),
                "expected_minutes": 600,
                "present_minutes": 60,
                "missing_minutes": 540,
                "quoted_minutes": 75,
                "longest_gap_minutes": 540,
                "candles": 60,
                "empty_books": 0,
            }
        ],
    )
    event.rows(
        "kalshi_reconciliation",
        [
            {
                "market_ticker": f"{EVENT}-T70",
                "series_ticker": "KXHIGHNY",
                "exchange_volume": 100,
                "trade_volume": 90,
                "block_trade_volume": 0,
                "candle_volume": 100,
                "trades": 9,
                "candles": 60,
                "trades_verdict": "short",
                "candles_verdict": "proven",
                "trades_reason": "10 contracts fewer",
                "readings": 0,
                "checked_at_utc": CLOSES,
            }
        ],
    )
    gap = {"scope": "KXHIGHNY", "since_utc": CLOSES, "attempts": 0, "reason": "no run came"}
    times = {"window_start_utc": OPENS, "window_end_utc": OPENS + timedelta(hours=1)}
    later = {"window_start_utc": CLOSES + timedelta(days=9), "window_end_utc": CLOSES + timedelta(days=10)}
    event.rows(
        "kalshi_gap",
        [
            {"job": "candles", "market_ticker": f"{EVENT}-T70", "number": 1, **gap, **times},
            {"job": "trades", "market_ticker": "", "number": 2, **gap, **times},
            {"job": "trades", "market_ticker": "", "number": 3, **gap, **later},
        ],
    )
    rows = {row["bracket"]: row for row in table_of(client, "coverage")}
    row = rows["69° or below"]
    assert (row["minutes open"], row["with candle"], row["quote known"]) == ("600", "60", "75")
    assert (row["trades"], row["candles"]) == ("short", "proven")
    assert row["missing"] == (
        "candles from 2026-09-19 14:00 to 2026-09-19 15:00: no run came; "
        "trades from 2026-09-19 14:00 to 2026-09-19 15:00: no run came; 10 contracts fewer"
    )
    assert rows[WINNER]["missing"].startswith("trades from"), "a gap of the series concerns all its markets"


def test_a_series_without_city_day_and_exclusive_brackets_works_with_many_strikes(
    client: TestClient, planted: Planted
) -> None:
    planted.series("KXINDEX")
    planted.event("KXINDEX-WIDE", mutually_exclusive=0)
    planted.event("KXINDEX-OTHER")
    planted.market("KXINDEX-OTHER-1", close_time_utc=CLOSES + timedelta(days=1))
    for number in range(120):
        market = f"KXINDEX-WIDE-{number:03}"
        planted.market(
            market,
            yes_sub_title=f"above {number}.5",
            floor_strike=number + 0.5,
            status="finalized",
            result="scalar" if number == 7 else "no",
            settlement_value="0.375",
            expiration_value="Jane's Party",
            open_time_utc=OPENS,
            close_time_utc=CLOSES,
            volume=Decimal(number) / 4,
        )
        if number > 100:
            planted.candles(market, OPENS, [("0.001", "0.0125")] * 5)
    page = page_of(client, "KXINDEX-WIDE")
    assert "Only the 10 most traded of 120 markets are drawn" in page
    assert len(table_of(client, "markets", "KXINDEX-WIDE")) == 120
    assert "above 7.5 pays $0.375" in page
    assert "<dd>Jane&#39;s Party</dd>" in page
    assert "aren&#39;t a distribution" not in page
    assert "aren't a distribution" in page
    assert "KXINDEX-OTHER" in page
    assert chart_of(page)["datasets"]["moments"][0]["b9"] == "$0.001 / $0.0125"
    assert len(chart_of(page)["vconcat"]) == 3


def test_a_page_stays_small_however_long_the_event_traded(client: TestClient, event: Planted) -> None:
    name = "<img src=x onerror=alert(1)> and so on" * 3
    for number in range(7):
        market = f"{EVENT}-X{number}"
        event.market(market, yes_sub_title=f"{number} {name}", open_time_utc=OPENS, close_time_utc=CLOSES, volume=500)
        event.candles(market, OPENS, [("0.25", "0.3")])
        event.candles(market, CLOSES - timedelta(hours=1), [("0.25", "0.3")])
    page = page_of(client)
    assert len(page) < 500_000
    assert "<img" not in page
    lines = chart_of(page)["datasets"]["quotes"]
    assert max(sum(row["bracket"] == number for row in lines) for number in range(10)) <= POINTS


def test_the_page_is_the_same_on_mariadb_and_on_mysql(client: TestClient, planted_on_both: Planted) -> None:
    plant_event(planted_on_both)
    for name in ("T70", "B70.5"):
        planted_on_both.rows(
            "kalshi_candle_1m_dense",
            [
                {
                    "market_ticker": f"{EVENT}-{name}",
                    "bucket_start_utc": OPENS + timedelta(minutes=number),
                    "is_synthetic": 0,
                    "has_trade": 0,
                    "yes_bid_close": "0.4",
                    "yes_ask_close": "0.5",
                    "volume": 0,
                }
                for number in range(30)
            ],
        )
    planted_on_both.snapshots(f"{EVENT}-T70", OPENS, [("0.10", "0.12")] * 3)
    planted_on_both.trades(f"{EVENT}-T70", OPENS, ("0.11", "2", "yes"))
    page = page_of(client, f"{EVENT}?zone=local&at=2026-09-19T14:20&trades=1")
    assert "from kalshi_candle_1m_dense" in page
    assert {row["bid"] for row in chart_of(page)["datasets"]["quotes"]} == {0.4, None}
    assert [row["time"] for row in table_of(client, "moments", f"{EVENT}?at=2026-09-19T14:20")] == [
        *("day_before_10", "day_10", "close", "chosen"),
    ]


@pytest.mark.parametrize("at", ["yesterday", "2026-13-01"])
def test_a_moment_that_is_none_is_refused(client: TestClient, event: Planted, at: str) -> None:
    assert client.get(f"event/{EVENT}?at={at}").status_code in (400, 422)


def test_the_crosshair_reads_all_brackets_and_a_click_shows_the_distribution_then(
    client: TestClient, event: Planted, browser: Browser
) -> None:
    event.candles(f"{EVENT}-B70.5", OPENS + timedelta(hours=1), [("0.90", "0.92")])
    page = browser.new_page(viewport={"width": 1000, "height": 1400})
    said = served(page, client)
    page.goto(f"http://testserver/kalshi/event/{EVENT}")
    page.wait_for_selector("body[data-drawn]")
    box = page.locator(".plotted svg").bounding_box()
    assert box
    page.mouse.move(box["x"] + 80, box["y"] + 250)
    page.mouse.move(box["x"] + 82, box["y"] + 250)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    for words in ("70° to 71°", "$0.50 / $0.52", "$0.10 / $0.12", "19 Sep 14:"):
        assert words in tooltip.inner_text()
    assert page.locator(".plotted svg").get_by_text("54.8%").count() == 1
    page.mouse.click(box["x"] + 500, box["y"] + 250)
    expect(page.locator(".plotted svg").get_by_text("68.4%")).to_be_visible()
    expect(page.locator(".plotted svg").get_by_text("19 Sep 15:00", exact=True)).to_have_count(1)
    assert said == []
    page.close()


def served(page: Page, client: TestClient) -> list[str]:
    """Answer the page's requests by the pages; the list collects what its console says."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))

    def answer(route: Any) -> None:
        found = client.get(route.request.url.replace("http://testserver/kalshi/", ""))
        route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

    page.route("**/*", answer)
    return said


def test_an_event_without_trades_or_quotes_is_drawn_without_a_warning(
    client: TestClient, planted: Planted, browser: Browser
) -> None:
    planted.series("KXHIGHNY")
    planted.event(EVENT, event_date=date(2026, 9, 20))
    planted.market(f"{EVENT}-B1", open_time_utc=OPENS, close_time_utc=CLOSES)
    planted.candles(f"{EVENT}-B1", OPENS, [("0", "1")], volume=0)
    page = browser.new_page(viewport={"width": 420, "height": 900})
    said = served(page, client)
    page.goto(f"http://testserver/kalshi/event/{EVENT}")
    page.wait_for_selector("body[data-drawn]")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert said == []
    page.close()


def bracket(market: str, floor: str | None, cap: str | None) -> Bracket:
    return Bracket(market, market, floor and Decimal(floor), cap and Decimal(cap))  # type: ignore[arg-type]


def test_an_open_ended_bracket_lies_one_step_beyond_its_neighbour() -> None:
    closed = [bracket("a", "70", "71"), bracket("b", "72", "73")]
    known = centres([bracket("low", None, "70"), *closed, bracket("high", "73", None)])
    assert known == {"low": 68.5, "a": 70.5, "b": 72.5, "high": 74.5}


def test_ladders_and_events_without_strikes_have_no_expected_value() -> None:
    assert centres([bracket("a", "1", None), bracket("b", "2", None)]) == {}
    assert centres([bracket("a", None, None), bracket("b", "1", "2")]) == {}
    assert expected({}, {"a": 1.0}) is None
    assert expected({"a": 1.0}, {}) is None


def test_empty_books_and_too_few_quotes_say_nothing() -> None:
    assert quote(Decimal(0), Decimal(1)) is None
    assert quote(None, Decimal(1)) is None
    assert probabilities({"a": quote(Decimal("0.1"), Decimal("0.2")), "b": None}) == {}
    assert probabilities({"a": quote(Decimal("0.6"), Decimal("0.8")), "b": None}) == {"a": 1.0}


def test_what_was_measured_is_a_number_words_or_unknown() -> None:
    assert measured(["84.00", None, "84.00"]) == Decimal(84)
    assert measured(["84.00", "85.00"]) == ""
    assert measured(["Jane's Party"]) == "Jane's Party"
    assert measured(["NaN"]) == "NaN"
    assert measured([None]) == ""


def test_a_period_is_divided_into_at_most_the_points_of_a_line() -> None:
    for minutes in (0, 1, 299, 300, 301, 2340, 10_080):
        moments = Period(OPENS, OPENS + timedelta(minutes=minutes)).moments
        assert len(moments) <= POINTS
        assert (moments[0], moments[-1]) == (OPENS, OPENS + timedelta(minutes=minutes))
        assert moments == sorted(set(moments))


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (0, "on the event's own day"),
        (-1, "on the day before the event"),
        (-3, "3 days before the event"),
        (1, "on the day after the event"),
    ],
)
def test_a_decision_time_is_told_in_words(day: int, words: str) -> None:
    city = SeriesSettings(ticker="X", city="Denver", time_zone="America/Denver", station="CLIDEN")
    decision = DecisionTime(name="x", day=day, time=load_settings().decision_times[0].time)
    told = in_words(decision, datetime(2026, 9, 19, 16, tzinfo=UTC), city)
    assert told == f"10:00 Denver time {words} = 16:00 UTC on 19 Sep 2026"
