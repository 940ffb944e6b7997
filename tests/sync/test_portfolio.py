"""The portfolio sync against the sandbox's account: every fill once, positions that open and close, exact P&L."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import pytest
import requests
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeUnavailable, RequestRefused
from kalshi.exchange.signing import KeySignature
from kalshi.sync.portfolio import PortfolioReport, PortfolioRequest, sync_portfolio
from kalshi.sync.run import TooManyRejected
from kalshi.warehouse.portfolio import match_fills
from sandbox.account import Account, Fill
from sandbox.tape import at
from sandbox.world import Clock, World
from tests.support.account import AFTERNOON, SINCE, account_at
from tests.support.api_key import ApiKey, make_key
from tests.support.databases import count, select
from tests.support.exchange_server import ExchangeServer, quick_config

TABLES = ("kalshi_fill", "kalshi_position", "kalshi_exchange_position", "kalshi_portfolio_settlement", "kalshi_balance")


class Portfolio(Protocol):
    def __call__(self, subaccount: int = ..., **others: Any) -> PortfolioReport: ...


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> ApiKey:
    return make_key("ed25519", tmp_path_factory.mktemp("portfolio-key"))


@pytest.fixture(scope="module")
def _account(key: ApiKey) -> Iterator[ExchangeServer]:
    with account_at(AFTERNOON, key) as server:
        yield server


@pytest.fixture
def account(_account: ExchangeServer) -> Iterator[ExchangeServer]:
    """The account on the afternoon of 2026-09-22."""
    _account.reset()
    yield _account
    _account.reset()


def syncing(server: ExchangeServer, key: ApiKey, engine: sa.Engine) -> Portfolio:
    def sync(subaccount: int = 0, **others: Any) -> PortfolioReport:
        config = quick_config(server, key_id=key.id, private_key_pem=key.secret, timeout=(5.0, 20.0))
        with Exchange(config) as exchange:
            cutoff = exchange.historical_cutoff().trades_created
            return sync_portfolio(exchange, engine, PortfolioRequest(str(subaccount), trades_cutoff=cutoff, **others))

    return sync


@pytest.fixture
def portfolio(account: ExchangeServer, key: ApiKey, warehouse: sa.Engine) -> Portfolio:
    return syncing(account, key, warehouse)


def ask(server: ExchangeServer, key: ApiKey, path: str, **params: Any) -> dict[str, Any]:
    auth = KeySignature(key.id, key.secret)
    answer = requests.get(server.base_url + path, params=params, auth=auth, timeout=10)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def listed(server: ExchangeServer, key: ApiKey, path: str, what: str, **params: Any) -> list[dict[str, Any]]:
    """Every record of a private list."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while cursor != "":
        answer = ask(server, key, path, limit=1000, cursor=cursor, **params)
        found += answer[what]
        cursor = answer["cursor"]
    return found


def snapshot(engine: sa.Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row of the portfolio, without the times at which it was observed."""
    rows = {table: select(engine, f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in TABLES}
    for row in rows["kalshi_position"]:
        del row["last_synced_at_utc"]
    return rows


def test_the_whole_account_reconciles_to_the_micro_dollar(
    account: ExchangeServer, key: ApiKey, warehouse_on_both: sa.Engine
) -> None:
    portfolio = syncing(account, key, warehouse_on_both)
    reports = [portfolio(subaccount) for subaccount in (0, 1, 2)]
    assert [report.differences for report in reports] == [0, 0, 0]
    assert select(warehouse_on_both, "SELECT * FROM kalshi_pnl_reconciliation") == []
    [compared] = select(
        warehouse_on_both,
        "SELECT COUNT(*) AS markets, SUM(x.list = 'archived') AS archived, SUM(l.quantity < 0) AS of_no, "
        "SUM(l.quantity > 0) AS of_yes, SUM(l.traded_pnl <> 0 AND l.settled_pnl <> 0) AS closed_in_part, "
        "SUM(l.quantity <> ROUND(l.quantity)) AS fractional, SUM(m.result = 'scalar') AS scalar "
        "FROM kalshi_pnl_market l JOIN kalshi_exchange_position x ON x.market_ticker = l.market_ticker "
        "AND x.subaccount = l.subaccount JOIN kalshi_market m ON m.market_ticker = l.market_ticker",
    )
    assert compared.pop("scalar") == 2
    assert compared.pop("markets") > 2000
    assert min(compared.values()) > 5, compared
    events = select(warehouse_on_both, "SELECT SUM(realized_pnl) AS p, SUM(fees) AS f FROM kalshi_pnl_event")
    assert events == select(
        warehouse_on_both, "SELECT SUM(realized_pnl) AS p, SUM(fees_paid) AS f FROM kalshi_exchange_position"
    )
    days = select(warehouse_on_both, "SELECT SUM(realized_pnl) AS p, SUM(fees) AS f FROM kalshi_pnl_day")
    assert days == events
    assert count(warehouse_on_both, "kalshi_closed_lot") > 1000


def test_a_fill_and_a_settlement_that_are_missing_show_in_the_reconciliation(
    portfolio: Portfolio, warehouse: sa.Engine
) -> None:
    portfolio()
    [fill] = select(
        warehouse,
        "SELECT f.* FROM kalshi_fill f JOIN kalshi_position p ON p.position_id = f.position_id "
        "WHERE p.quantity <> 0 ORDER BY f.fill_id LIMIT 1",
    )
    with warehouse.begin() as connection:
        for condition in (
            "kalshi_closed_lot WHERE :id IN (yes_fill_id, no_fill_id)",
            "kalshi_lot WHERE fill_id = :id",
            "kalshi_fill WHERE fill_id = :id",
        ):
            connection.execute(sa.text(f"DELETE FROM {condition}"), {"id": fill["fill_id"]})
        match_fills(connection, 1)
        earned = "UPDATE kalshi_exchange_position SET realized_pnl = realized_pnl + 0.000001 LIMIT 1"
        connection.execute(sa.text(earned))
    differences = select(warehouse, "SELECT * FROM kalshi_pnl_reconciliation ORDER BY differs_in")
    assert len(differences) == 2
    assert {row["differs_in"] for row in differences} > {"realized_pnl"}
    [lacking] = [row for row in differences if row["market_ticker"] == fill["market_ticker"]]
    assert "quantity" in lacking["differs_in"]
    assert "fees" in lacking["differs_in"]
    missing = fill["quantity"] if fill["outcome"] == "yes" else -fill["quantity"]
    assert lacking["exchange_quantity"] - lacking["our_quantity"] == missing
    report = portfolio()
    assert report.state == "warning"
    assert "differ in 1 market of subaccount 0" in report.warnings[0], "figures are read again, old fills are not"


def test_every_fill_is_stored_as_the_exchange_tells_it(
    account: ExchangeServer, key: ApiKey, warehouse_on_both: sa.Engine
) -> None:
    syncing(account, key, warehouse_on_both)(1)
    told = {
        fill["fill_id"]: fill
        for path in ("/portfolio/fills", "/historical/fills")
        for fill in listed(account, key, path, "fills", subaccount=1)
    }
    rows = {row["fill_id"]: row for row in select(warehouse_on_both, "SELECT * FROM kalshi_fill")}
    assert rows.keys() == told.keys()
    for fill_id, fill in told.items():
        row = rows[fill_id]
        assert (row["action"], row["side"], row["outcome"]) == (fill["action"], fill["side"], fill["outcome_side"])
        assert row["quantity"] == Decimal(fill["count_fp"])
        assert row["price"] == Decimal(fill[f"{fill['side']}_price_dollars"])
        assert row["total_cost"] == row["price"] * row["quantity"]
        assert row["fee_cost"] == Decimal(fill["fee_cost"])
        assert row["executed_at_utc"] == datetime.fromisoformat(fill["created_time"]).replace(tzinfo=None)
        assert row["subaccount"] == 1
    assert {(row["action"], row["side"]) for row in rows.values()} == {
        (action, side) for action in ("buy", "sell") for side in ("yes", "no")
    }
    positions = "SELECT COUNT(*) AS n FROM kalshi_fill f JOIN kalshi_position p USING (market_ticker, subaccount)"
    linked = f"{positions} WHERE f.position_id = p.position_id"
    assert select(warehouse_on_both, linked) == select(warehouse_on_both, positions) != [{"n": 0}]


def test_a_second_sync_requests_only_the_overlap_and_changes_nothing(
    portfolio: Portfolio, account: ExchangeServer, key: ApiKey, warehouse: sa.Engine
) -> None:
    first = portfolio()
    before, asked = snapshot(warehouse), account.stats()["by_path"]
    second = portfolio()
    assert (second.inserted, second.updated) == (0, 0)
    assert snapshot(warehouse) == before
    [latest] = select(warehouse, "SELECT MAX(executed_at_utc) AS at FROM kalshi_fill")
    since = int((latest["at"].replace(tzinfo=UTC) - timedelta(hours=1)).timestamp())
    overlap = listed(account, key, "/portfolio/fills", "fills", subaccount=0, min_ts=since)
    assert second.fills == len(overlap) < first.fills / 100
    archives = [path for path in asked if path.endswith(("/historical/fills", "/historical/positions"))]
    assert len(archives) == 2
    now = account.stats()["by_path"]
    assert [now[path] for path in archives] == [asked[path] for path in archives]


def test_a_page_of_positions_that_fails_closes_none(
    portfolio: Portfolio, account: ExchangeServer, warehouse: sa.Engine
) -> None:
    open_positions = "SELECT market_ticker FROM kalshi_position WHERE quantity <> 0"
    portfolio(2)
    before = select(warehouse, open_positions)
    assert len(before) == 1250, "more than one page"
    account.faults({"kind": "http_500", "path": "/portfolio/positions", "skip": 1, "times": 99})
    with pytest.raises(ExchangeUnavailable, match=r"Gave up on GET /portfolio/positions .*HTTP 500"):
        portfolio(2)
    assert select(warehouse, open_positions) == before
    [run] = select(warehouse, "SELECT state FROM kalshi_sync_run ORDER BY run_id DESC LIMIT 1")
    assert run["state"] == "failed"


def test_a_first_sync_that_failed_reads_every_fill_the_next_time(
    portfolio: Portfolio, account: ExchangeServer, warehouse: sa.Engine
) -> None:
    account.faults({"kind": "http_500", "path": "/portfolio/fills", "skip": 1, "times": 99})
    with pytest.raises(ExchangeUnavailable):
        portfolio()
    assert count(warehouse, "kalshi_fill") == 1000
    account.faults()
    assert portfolio().differences == 0


def reopened(until: datetime) -> list[Fill]:
    """The fills of the latest position that was opened, closed and opened again before its market settled."""
    world = World(Clock(until), since=date.fromisoformat(SINCE), wide_markets=0)
    by_market = sorted(
        (f for f in Account(world).fills() if f.subaccount == 0), key=lambda f: (f.market.ticker, f.created)
    )
    turns: list[list[Fill]] = []
    for _, group in groupby(by_market, key=lambda f: f.market.ticker):
        fills = list(group)
        sizes = [fill.size if fill.takes_yes else -fill.size for fill in fills]
        if len(fills) == 3 and sum(sizes[:2]) == 0:
            turns.append(fills)
    return max(turns, key=lambda fills: fills[0].created)


def test_a_position_closes_and_opens_again_as_it_does_at_the_exchange(key: ApiKey, warehouse: sa.Engine) -> None:
    fills = reopened(AFTERNOON - timedelta(days=3))
    market = fills[0].market
    moments = [at(fill.created) for fill in fills]
    settled = market.event.settles

    def row_after(moment: datetime, **others: Any) -> tuple[dict[str, Any] | None, PortfolioReport]:
        with account_at(moment + timedelta(seconds=1), key) as server:
            report = syncing(server, key, warehouse)(**others)
        assert report.differences == 0
        found = select(warehouse, f"SELECT * FROM kalshi_position WHERE market_ticker = '{market.ticker}'")
        return (found[0] if found else None), report

    before, _ = row_after(moments[0] - timedelta(minutes=1))
    assert before is None
    opened, _ = row_after(moments[0])
    assert opened
    assert (opened["opened_at_utc"], opened["closed_at_utc"]) == (moments[0].replace(tzinfo=None), None)
    assert opened["quantity"] == Decimal(fills[0].size if fills[0].takes_yes else -fills[0].size) / 100
    closed, report = row_after(moments[1])
    assert closed
    assert report.closed >= 1
    assert (closed["quantity"], closed["closed_at_utc"]) == (0, moments[1].replace(tzinfo=None))
    again, _ = row_after(moments[2])
    assert again
    assert (again["opened_at_utc"], again["closed_at_utc"]) == (moments[2].replace(tzinfo=None), None)
    assert again["quantity"] != 0
    assert again["position_id"] == opened["position_id"]
    ended, _ = row_after(settled)
    assert ended
    assert (ended["quantity"], ended["closed_at_utc"]) == (0, settled.replace(tzinfo=None))
    [paid] = select(
        warehouse, f"SELECT * FROM kalshi_pnl_market WHERE market_ticker = '{market.ticker}' AND subaccount = 0"
    )
    assert (paid["quantity"], paid["realized_pnl"]) == (0, ended["realized_pnl"])


def test_markets_with_no_contracts_left_make_no_position(
    portfolio: Portfolio, account: ExchangeServer, key: ApiKey, warehouse: sa.Engine
) -> None:
    account_lists = listed(account, key, "/portfolio/positions", "market_positions", subaccount=0)
    flat = [p["ticker"] for p in account_lists if Decimal(p["position_fp"]) == 0]
    assert flat
    portfolio()
    held = {row["market_ticker"]: row for row in select(warehouse, "SELECT * FROM kalshi_position")}
    assert held.keys() == {p["ticker"] for p in account_lists} - set(flat)
    for position in account_lists:
        if row := held.get(position["ticker"]):
            assert row["quantity"] == Decimal(position["position_fp"])
            assert row["realized_pnl"] == Decimal(position["realized_pnl_dollars"])
            assert row["fees_paid"] == Decimal(position["fees_paid_dollars"])
            exact = Decimal(position["market_exposure_dollars"]) / abs(row["quantity"])
            assert abs(row["avg_price"] - exact) <= Decimal("0.0000005")
            market = account.get(f"/markets/{position['ticker']}").json()["market"]
            bid = market["yes_bid_dollars"] if row["quantity"] > 0 else market["no_bid_dollars"]
            assert row["current_price"] == Decimal(bid)


def test_a_position_that_can_not_be_read_closes_none(
    portfolio: Portfolio, account: ExchangeServer, warehouse: sa.Engine
) -> None:
    portfolio()
    before = select(warehouse, "SELECT market_ticker, quantity FROM kalshi_position ORDER BY 1")
    account.faults({"kind": "malformed_position", "path": "/portfolio/positions"})
    report = portfolio(tolerated_share=0.5)
    assert report.rejected == count(warehouse, "kalshi_rejected_record") == 1
    assert "No positions were closed" in report.warnings[0]
    assert select(warehouse, "SELECT market_ticker, quantity FROM kalshi_position ORDER BY 1") == before
    with pytest.raises(TooManyRejected):
        account.faults({"kind": "malformed_position", "path": "/portfolio/positions"})
        portfolio(tolerated_share=0.0)


OPEN = "SELECT market_ticker, quantity FROM kalshi_position WHERE quantity <> 0 ORDER BY 1"


def test_a_held_position_that_slipped_between_two_pages_stays_open(
    portfolio: Portfolio, account: ExchangeServer, warehouse: sa.Engine
) -> None:
    portfolio(2)
    before, figures = select(warehouse, OPEN), count(warehouse, "kalshi_exchange_position")
    assert len(before) == 1250, "more than one page"
    asked = portfolio(2).requests
    account.faults({"kind": "lost_position", "path": "/portfolio/positions", "times": 2})
    report = portfolio(2)
    assert (report.closed, report.differences) == (0, 0)
    assert select(warehouse, OPEN) == before
    assert count(warehouse, "kalshi_exchange_position") == figures
    assert report.requests == asked + 2, "one for each of the two that were missing, by its ticker"


def test_a_position_that_is_missing_even_when_asked_for_by_its_ticker_is_closed(
    portfolio: Portfolio, account: ExchangeServer, warehouse: sa.Engine
) -> None:
    portfolio(0)
    before = select(warehouse, OPEN)
    account.faults({"kind": "lost_position", "path": "/portfolio/positions", "times": 99})
    assert portfolio(0).closed == 1
    assert len(select(warehouse, OPEN)) == len(before) - 1


def test_a_position_whose_second_reading_fails_stays_open(
    portfolio: Portfolio, account: ExchangeServer, warehouse: sa.Engine
) -> None:
    portfolio(2)
    before = select(warehouse, OPEN)
    lost = {"kind": "lost_position", "path": "/portfolio/positions"}
    second = {"path": "/portfolio/positions", "skip": 3}
    account.faults(lost, {"kind": "malformed_position", **second})
    report = portfolio(2, tolerated_share=0.5)
    assert (report.closed, report.rejected) == (0, 1)
    account.faults(lost, {"kind": "http_500", "times": 99, **second})
    with pytest.raises(ExchangeUnavailable):
        portfolio(2)
    assert select(warehouse, OPEN) == before


def test_a_fill_that_names_another_subaccount_is_rejected(
    portfolio: Portfolio, account: ExchangeServer, warehouse: sa.Engine
) -> None:
    account.faults({"kind": "foreign_fill", "path": "/portfolio/fills", "value": 7})
    report = portfolio(1)
    assert report.rejected == 1
    [rejected] = select(warehouse, "SELECT endpoint, reason, payload FROM kalshi_rejected_record")
    assert rejected["endpoint"] == "/portfolio/fills"
    assert "subaccount_number is 7 in the list of subaccount 1" in rejected["reason"]
    assert select(warehouse, "SELECT DISTINCT subaccount FROM kalshi_fill") == [{"subaccount": 1}]
    assert b'"subaccount_number":7' in rejected["payload"].encode()
    stored = count(warehouse, "kalshi_fill")
    account.faults({"kind": "foreign_fill", "path": "/portfolio/fills", "value": None})
    assert portfolio(1).rejected == 0
    assert count(warehouse, "kalshi_fill") == stored + 1, "a fill that names no subaccount is that of the list"


def test_settlements_and_the_balance_are_stored_in_dollars(
    portfolio: Portfolio, account: ExchangeServer, key: ApiKey, warehouse: sa.Engine
) -> None:
    portfolio()
    told = {s["ticker"]: s for s in listed(account, key, "/portfolio/settlements", "settlements", subaccount=0)}
    rows = {row["market_ticker"]: row for row in select(warehouse, "SELECT * FROM kalshi_portfolio_settlement")}
    assert rows.keys() == told.keys()
    for ticker, settlement in told.items():
        row = rows[ticker]
        assert row["revenue"] == Decimal(settlement["revenue"]) / 100
        assert row["value"] == Decimal(settlement["value"]) / 100
        assert row["result"] == settlement["market_result"]
        assert row["yes_count"] == Decimal(settlement["yes_count_fp"])
    balance = ask(account, key, "/portfolio/balance")
    [row] = select(warehouse, "SELECT * FROM kalshi_balance")
    assert row["balance"] == Decimal(balance["balance_dollars"])
    assert row["portfolio_value"] == Decimal(balance["portfolio_value"]) / 100
    assert row["balance_date"] == datetime.now(UTC).date()


def test_each_problem_with_a_key_has_its_own_message(
    account: ExchangeServer, key: ApiKey, warehouse: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def message(key: ApiKey) -> str:
        with pytest.raises(RequestRefused) as refusal:
            syncing(account, key, warehouse)()
        return str(refusal.value)

    assert "doesn't know this key id" in message(replace(key, id="nobody"))
    assert "does not belong to the key id" in message(replace(make_key("ed25519", tmp_path), id=key.id))
    account.faults({"kind": "http_403", "path": "/portfolio/fills"})
    assert "lacks the scope" in message(key)
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_000_000_000)
    assert "clock is wrong" in message(key)
    assert count(warehouse, "kalshi_fill") == 0
