"""The settlements sync against the sandbox: complete, incremental, and a known result is never lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Protocol

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.reports.settlements import SETTLEMENTS
from kalshi.sync.settlements import SettlementsReport, SettlementsRequest, sync_settlements
from tests.support.databases import count, select
from tests.support.exchange_server import ExchangeServer, quick_config

SETTLED_YESTERDAY = "KXHIGHNY-26SEP21"
"""The latest settled event at the sandbox's default time, 2026-09-22 15:00 UTC."""
ORPHANS = """
SELECT s.market_ticker FROM kalshi_settlement s
LEFT JOIN kalshi_market m ON m.market_ticker = s.market_ticker
LEFT JOIN kalshi_event e ON e.event_ticker = s.event_ticker
WHERE m.market_ticker IS NULL OR e.event_ticker IS NULL
"""


class Settle(Protocol):
    def __call__(self, series: str = ..., **others: Any) -> SettlementsReport: ...


def settling(exchange: Exchange, engine: sa.Engine) -> Settle:
    def settle(series: str = "KXHIGHNY", **others: Any) -> SettlementsReport:
        request = SettlementsRequest(series, exchange.historical_cutoff().markets_settled, **others)
        return sync_settlements(exchange, engine, request)

    return settle


@pytest.fixture
def settle(exchange: Exchange, warehouse: sa.Engine) -> Settle:
    return settling(exchange, warehouse)


@pytest.fixture
def settle_on_both(exchange: Exchange, warehouse_on_both: sa.Engine) -> Settle:
    return settling(exchange, warehouse_on_both)


def winner(engine: sa.Engine, event: str = SETTLED_YESTERDAY) -> str:
    (row,) = select(
        engine, f"SELECT market_ticker FROM kalshi_settlement WHERE event_ticker = '{event}' AND result = 'yes'"
    )
    return str(row["market_ticker"])


def loser(engine: sa.Engine, event: str = SETTLED_YESTERDAY) -> str:
    rows = select(
        engine, f"SELECT market_ticker FROM kalshi_settlement WHERE event_ticker = '{event}' AND result = 'no'"
    )
    return str(rows[0]["market_ticker"])


def settlement(engine: sa.Engine, ticker: str) -> dict[str, Any]:
    (row,) = select(
        engine,
        "SELECT result, settlement_value, settled_at_utc, settled_at_source FROM kalshi_settlement "
        f"WHERE market_ticker = '{ticker}'",
    )
    return row


def test_a_fresh_database_gets_every_settled_market_with_its_parents(
    settle_on_both: Settle, warehouse_on_both: sa.Engine
) -> None:
    report = settle_on_both()
    assert report.state == "success"
    days_settled = 30 + 31 + 30 + 31 + 31 + 21
    assert report.settled == report.newly_settled == 6 * days_settled
    assert count(warehouse_on_both, "kalshi_settlement") == 6 * days_settled
    assert select(warehouse_on_both, ORPHANS) == []
    assert report.without_result == report.events_without_one_yes == []


def test_the_second_run_changes_nothing_and_sends_far_fewer_requests(settle: Settle, warehouse: sa.Engine) -> None:
    first = settle()
    second = settle()
    assert (second.inserted, second.updated) == (0, 0)
    assert second.settled == first.settled
    assert second.markets < first.markets / 10
    full = settle(full=True)
    assert (full.inserted, full.updated) == (0, 0)
    assert full.pages > second.pages


@pytest.mark.parametrize("nothing", ["", None, "(missing)"])
def test_a_known_result_is_never_erased(
    settle_on_both: Settle, warehouse_on_both: sa.Engine, exchange_server: ExchangeServer, nothing: str | None
) -> None:
    settle_on_both()
    ticker = winner(warehouse_on_both)
    before = settlement(warehouse_on_both, ticker)
    gone = {"ticker": ticker, "result": nothing, "settlement_ts": nothing, "settlement_value_dollars": nothing}
    exchange_server.faults({"kind": "set_market", "value": gone, "times": 99})
    report = settle_on_both()
    assert settlement(warehouse_on_both, ticker) == before
    (market,) = select(warehouse_on_both, f"SELECT result FROM kalshi_market WHERE market_ticker = '{ticker}'")
    assert market["result"] == "yes"
    assert report.amended == 0
    assert report.state == "success", "a market whose result is known is no market without a result"


def test_an_amended_result_changes_and_is_recorded(
    settle_on_both: Settle, warehouse_on_both: sa.Engine, exchange_server: ExchangeServer
) -> None:
    settle_on_both()
    ticker = loser(warehouse_on_both)
    amended = {"ticker": ticker, "result": "yes", "settlement_value_dollars": "1.0000"}
    exchange_server.faults({"kind": "set_market", "value": amended, "times": 99})
    for amendments in (1, 0):
        report = settle_on_both()
        assert report.amended == amendments
    assert settlement(warehouse_on_both, ticker)["result"] == "yes"
    (change,) = select(warehouse_on_both, "SELECT * FROM kalshi_settlement_change")
    assert (change["market_ticker"], change["old_result"], change["new_result"]) == (ticker, "no", "yes")
    assert report.events_without_one_yes == [SETTLED_YESTERDAY]


def test_a_result_is_amended_although_another_market_settled_hours_later(
    settle: Settle, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    settle()
    amended, later = loser(warehouse), winner(warehouse)
    hours_later = settlement(warehouse, later)["settled_at_utc"] + timedelta(hours=12)
    latest = {"ticker": later, "settlement_ts": f"{hours_later.isoformat()}Z"}
    exchange_server.faults({"kind": "set_market", "value": latest, "times": 99})
    settle()
    changed = {"ticker": amended, "result": "yes", "settlement_value_dollars": "1.0000"}
    exchange_server.faults(*({"kind": "set_market", "value": value, "times": 99} for value in (latest, changed)))
    assert settle().amended == 1
    assert settlement(warehouse, amended)["result"] == "yes"


def test_a_settled_market_without_a_result_is_reported_and_not_stored(
    settle: Settle, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    ticker = (
        f"{SETTLED_YESTERDAY}-"
        + exchange_server.get("/markets", event_ticker=SETTLED_YESTERDAY)
        .json()["markets"][0]["ticker"]
        .rpartition("-")[2]
    )
    exchange_server.faults({"kind": "set_market", "value": {"ticker": ticker, "result": ""}, "times": 99})
    report = settle()
    assert report.state == "warning"
    assert report.without_result == [ticker]
    assert ticker in report.warnings[0]
    assert select(warehouse, f"SELECT 1 FROM kalshi_settlement WHERE market_ticker = '{ticker}'") == []


def test_a_proxy_stands_in_for_a_missing_time_until_the_real_one_comes(
    settle: Settle, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    ticker = exchange_server.get("/markets", event_ticker=SETTLED_YESTERDAY).json()["markets"][0]["ticker"]
    undated = {"kind": "set_market", "value": {"ticker": ticker, "settlement_ts": "(missing)"}, "times": 99}
    exchange_server.faults(undated)
    settle()
    assert settlement(warehouse, ticker)["settled_at_source"] == "updated_time"
    exchange_server.faults()
    settle()
    known = settlement(warehouse, ticker)
    assert known["settled_at_source"] == "settlement_ts"
    exchange_server.faults(undated)
    settle()
    assert settlement(warehouse, ticker) == known


def test_what_settles_later_comes_with_the_next_run(warehouse: sa.Engine, exchange: Exchange, settle: Settle) -> None:
    settle()
    with (
        ExchangeServer("--since=2026-04-01", "--requests-per-second=0", "--clock=2026-09-24T15:00+00:00") as later,
        Exchange(quick_config(later)) as exchange_later,
    ):
        report = settling(exchange_later, warehouse)()
    assert report.newly_settled == 12
    assert report.markets < 60


def test_odd_results_are_kept_as_they_are(settle: Settle, warehouse: sa.Engine) -> None:
    report = settle("KXSANDBOXODD")
    rows = {
        row["market_ticker"].rpartition("-")[2]: row
        for row in select(
            warehouse, "SELECT market_ticker, result, settlement_value, settled_at_source FROM kalshi_settlement"
        )
    }
    assert (rows["SCALAR"]["result"], str(rows["SCALAR"]["settlement_value"])) == ("scalar", "0.370000")
    assert rows["UNDATED"]["settled_at_source"] == "updated_time"
    assert "VOID" not in rows
    assert [ticker.rpartition("-")[2] for ticker in report.without_result] == ["VOID"]


def test_a_page_cap_leaves_the_window_open_for_the_next_run(
    long_exchange: ExchangeServer, warehouse: sa.Engine
) -> None:
    with Exchange(quick_config(long_exchange)) as exchange:
        settle = settling(exchange, warehouse)
        capped = settle(max_pages=1)
        whole = settle()
    assert capped.state == "warning"
    assert "raise max_pages" in capped.warnings[0]
    assert whole.state == "success"
    assert whole.settled > capped.settled


def test_two_runs_at_the_same_time_leave_the_rows_of_one(
    warehouse_on_both: sa.Engine, exchange_server: ExchangeServer
) -> None:
    def run(number: int) -> SettlementsReport:
        with Exchange(quick_config(exchange_server)) as exchange:
            return settling(exchange, warehouse_on_both)("KXHIGHDEN", dag_run_id=f"run {number}")

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(run, range(2)))
    assert [r.state for r in reports] == ["success", "success"]
    assert sum(r.newly_settled for r in reports) == count(warehouse_on_both, "kalshi_settlement")
    assert count(warehouse_on_both, "kalshi_settlement_change") == 0


@pytest.fixture
def settle_at(warehouse: sa.Engine) -> Callable[[str, str], SettlementsReport]:
    """``settle_at("2026-09-02T12:00", "KXHIGHMIA")``: one sync when the exchange's clock says so."""

    def settle(clock: str, series: str) -> SettlementsReport:
        options = ("--since=2026-08-01", "--requests-per-second=0", f"--clock={clock}+00:00")
        with ExchangeServer(*options) as server, Exchange(quick_config(server)) as exchange:
            return settling(exchange, warehouse)(series)

    return settle


def test_an_event_that_the_exchange_amends_ends_with_the_right_winner(
    settle_at: Callable[[str, str], SettlementsReport], warehouse: sa.Engine
) -> None:
    event = "KXHIGHMIA-26SEP01"
    settle_at("2026-09-02T12:00", "KXHIGHMIA")
    assert winner(warehouse, event) == f"{event}-B83.5"
    disputed = settle_at("2026-09-02T15:00", "KXHIGHMIA")
    assert (disputed.amended, winner(warehouse, event)) == (0, f"{event}-B83.5")
    settle_at("2026-09-02T18:00", "KXHIGHMIA")
    assert winner(warehouse, event) == f"{event}-B81.5"
    changes = select(warehouse, "SELECT market_ticker, old_result, new_result FROM kalshi_settlement_change ORDER BY 1")
    assert [tuple(change.values()) for change in changes] == [
        (f"{event}-B81.5", "no", "yes"),
        (f"{event}-B83.5", "yes", "no"),
    ]


def test_an_event_that_settles_days_late_is_overdue_until_it_does(
    settle_at: Callable[[str, str], SettlementsReport], warehouse: sa.Engine
) -> None:
    assert len(markets_of(settle_at("2026-09-17T12:00", "KXHIGHLAX"), "26SEP15")) == 6
    report = settle_at("2026-09-18T15:00", "KXHIGHLAX")
    assert markets_of(report, "26SEP15") == []
    assert count(warehouse, "kalshi_settlement") == report.settled


def markets_of(report: SettlementsReport, day: str) -> list[str]:
    return [ticker.rpartition("-")[2] for ticker in report.overdue if f"-{day}-" in ticker]


def test_a_result_that_changed_elsewhere_is_looked_up_again(
    settle: Settle, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    settle()
    old = "KXHIGHNY-26SEP01"
    ticker = loser(warehouse, old)
    amended = {"ticker": ticker, "result": "yes", "settlement_value_dollars": "1.0000"}
    exchange_server.faults({"kind": "set_market", "value": amended, "times": 99})
    assert settlement(warehouse, ticker)["result"] == "no", "long settled: no incremental list has it"
    with warehouse.begin() as connection:
        connection.execute(sa.text(f"UPDATE kalshi_market SET result = 'yes' WHERE market_ticker = '{ticker}'"))
    report = settle()
    assert settlement(warehouse, ticker)["result"] == "yes"
    assert report.state == "warning"
    assert old in report.warnings[0]


def test_the_live_tier_counts_where_the_historical_one_disagrees(
    settle: Settle, warehouse: sa.Engine, exchange: Exchange, exchange_server: ExchangeServer
) -> None:
    archived = {m["ticker"]: m for m in listed(exchange_server, "/historical/markets")}
    both = [m["ticker"] for m in listed(exchange_server, "/markets") if m["ticker"] in archived]
    stale = {"ticker": both[0], "result": "no" if archived[both[0]]["result"] == "yes" else "yes"}
    exchange_server.faults({"kind": "set_market", "path": "/historical/markets", "value": stale, "times": 99})
    settle()
    assert settlement(warehouse, both[0])["result"] == archived[both[0]]["result"]
    again = settle(full=True)
    assert (again.updated, count(warehouse, "kalshi_settlement_change")) == (0, 0)


def listed(server: ExchangeServer, path: str) -> list[dict[str, Any]]:
    markets: list[dict[str, Any]] = server.get(path, series_ticker="KXHIGHNY", limit=1000).json()["markets"]
    return markets


def test_a_ticker_with_line_ends_and_escapes_stays_on_its_line_of_the_log_and_the_report(
    settle: Settle, warehouse: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    cruel = "KXHIGHNY-\n2026-09-22 ERROR all is lost\r\x1b[31m"
    with warehouse.begin() as planting:
        for statement in (
            "INSERT INTO kalshi_series (series_ticker, run_id) VALUES ('KXHIGHNY', 1)",
            "INSERT INTO kalshi_event (event_ticker, series_ticker, run_id) VALUES (:cruel, 'KXHIGHNY', 1)",
            "INSERT INTO kalshi_market (market_ticker, event_ticker, series_ticker, run_id) "
            "VALUES (:cruel, :cruel, 'KXHIGHNY', 1)",
            "INSERT INTO kalshi_settlement (market_ticker, event_ticker, series_ticker, result, settled_at_utc, "
            "settled_at_source, run_id) VALUES (:cruel, :cruel, 'KXHIGHNY', 'no', '2026-09-01', 'settlement_ts', 1)",
        ):
            planting.execute(sa.text(statement), {"cruel": cruel})
    report = settle(dag_run_id="manual__cruel")
    said = "KXHIGHNY- 2026-09-22 ERROR all is lost [31m"
    assert said in report.warnings[0]
    assert said in caplog.text
    with warehouse.connect() as connection:
        text = SETTLEMENTS.text(SETTLEMENTS.build(connection, "manual__cruel", ["KXHIGHNY"]))
    assert text.count(said) == 2, "as a warning, and in the table of odd ones"
    for shown in (*(record.getMessage() for record in caplog.records), *text.splitlines()):
        assert "\n" not in shown
        assert "\x1b" not in shown
        assert not shown.startswith("2026-09-22 ERROR")
