"""The sandbox's account: its lists agree with each other, and it refuses what the exchange refuses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests

from kalshi.exchange.signing import KeySignature
from tests.support.account import AFTERNOON, account_at
from tests.support.api_key import ApiKey, make_key
from tests.support.exchange_server import ExchangeServer

POSITIONS, FILLS, SETTLEMENTS = "/portfolio/positions", "/portfolio/fills", "/portfolio/settlements"
BALANCE, OLD_FILLS, OLD_POSITIONS = "/portfolio/balance", "/historical/fills", "/historical/positions"
LISTS = {
    POSITIONS: "market_positions",
    FILLS: "fills",
    SETTLEMENTS: "settlements",
    OLD_FILLS: "fills",
    OLD_POSITIONS: "market_positions",
}


@pytest.fixture(scope="module")
def server(key: ApiKey) -> Iterator[ExchangeServer]:
    with account_at(AFTERNOON, key) as server:
        yield server


def ask(server: ExchangeServer, key: ApiKey, path: str, **params: Any) -> requests.Response:
    return requests.get(server.base_url + path, params=params, auth=KeySignature(key.id, key.secret), timeout=20)


def listed(server: ExchangeServer, key: ApiKey, path: str, limit: int = 1000, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = ask(server, key, path, limit=limit, cursor=cursor, **params)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()[LISTS[path]]) <= limit
        found += answer.json()[LISTS[path]]
        if not (cursor := answer.json()["cursor"]):
            return found


@pytest.fixture(scope="module")
def fills(server: ExchangeServer, key: ApiKey) -> list[dict[str, Any]]:
    """All of them, of both tiers, each once."""
    both = listed(server, key, FILLS) + listed(server, key, OLD_FILLS)
    return list({fill["fill_id"]: fill for fill in both}.values())


def test_the_account_trades_hundreds_of_markets_in_every_way(
    server: ExchangeServer, key: ApiKey, fills: list[dict[str, Any]]
) -> None:
    assert len({fill["ticker"] for fill in fills}) > 500
    assert {fill["subaccount_number"] for fill in fills} == {0, 1, 2}
    assert {(fill["action"], fill["side"], fill["outcome_side"], fill["book_side"]) for fill in fills} == {
        ("buy", "yes", "yes", "bid"),
        ("sell", "no", "yes", "bid"),
        ("buy", "no", "no", "ask"),
        ("sell", "yes", "no", "ask"),
    }
    assert any(Decimal(fill["count_fp"]) % 1 for fill in fills)
    assert all(Decimal(f["yes_price_dollars"]) + Decimal(f["no_price_dollars"]) == 1 for f in fills)
    assert {fill["is_taker"] for fill in fills} == {True, False}


@pytest.mark.parametrize("subaccount", [0, 1, 2])
def test_positions_fees_settlements_and_cash_follow_from_the_fills(
    server: ExchangeServer, key: ApiKey, fills: list[dict[str, Any]], subaccount: int
) -> None:
    count: defaultdict[str, Decimal] = defaultdict(Decimal)
    fees: defaultdict[str, Decimal] = defaultdict(Decimal)
    cash: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in (f for f in fills if f["subaccount_number"] == subaccount):
        sign = 1 if fill["outcome_side"] == "yes" else -1
        size = Decimal(fill["count_fp"])
        count[fill["ticker"]] += sign * size
        fees[fill["ticker"]] += Decimal(fill["fee_cost"])
        # Money moves as if there were YES alone, which may be owed: a contract of NO is a dollar less one of YES.
        cash[fill["ticker"]] -= sign * size * Decimal(fill["yes_price_dollars"])
    params = {"subaccount": subaccount}
    live = listed(server, key, POSITIONS, settlement_status="all", **params)
    positions = {p["ticker"]: p for p in listed(server, key, OLD_POSITIONS, **params) + live}
    settlements = {s["ticker"]: s for s in listed(server, key, SETTLEMENTS, **params)}
    assert positions.keys() == count.keys()
    for ticker, position in positions.items():
        assert Decimal(position["fees_paid_dollars"]) == fees[ticker]
        earned = Decimal(position["realized_pnl_dollars"]) - Decimal(position["market_exposure_dollars"])
        held = Decimal(position["position_fp"])
        if held or not count[ticker]:
            assert held == count[ticker]
            assert earned == cash[ticker] - max(Decimal(0), -held)
        elif settlement := settlements.get(ticker):
            of_yes, of_no = Decimal(settlement["yes_count_fp"]), Decimal(settlement["no_count_fp"])
            assert of_yes - of_no == count[ticker]
            assert earned == cash[ticker] + Decimal(settlement["revenue"]) / 100 - of_no
            assert Decimal(settlement["fee_cost"]) == fees[ticker]
    balance = ask(server, key, BALANCE, **params).json()
    total = sum(
        Decimal(p["realized_pnl_dollars"]) - Decimal(p["market_exposure_dollars"]) - Decimal(p["fees_paid_dollars"])
        for p in positions.values()
    )
    assert Decimal(balance["balance_dollars"]) - total in (5000, 2000, 50000)
    assert balance["balance"] == int(Decimal(balance["balance_dollars"]) * 100)


def test_the_same_account_moves_on_with_the_clock(
    server: ExchangeServer, key: ApiKey, fills: list[dict[str, Any]]
) -> None:
    with account_at(AFTERNOON - timedelta(days=1), key) as yesterday:
        earlier = {fill["fill_id"]: fill for fill in listed(yesterday, key, FILLS)}
    now = {fill["fill_id"]: fill for fill in fills}
    assert 0 < len(earlier) < len(now)
    assert all(now[fill_id] == fill for fill_id, fill in earlier.items())


def test_pages_and_bounds_of_time_cut_the_same_list(
    server: ExchangeServer, key: ApiKey, fills: list[dict[str, Any]]
) -> None:
    whole = listed(server, key, FILLS, subaccount=0)
    assert listed(server, key, FILLS, limit=700, subaccount=0) == whole
    assert [fill["created_time"] for fill in whole] == sorted((f["created_time"] for f in whole), reverse=True)
    since = whole[100]["ts"]
    assert listed(server, key, FILLS, subaccount=0, min_ts=since + 1) == [f for f in whole if f["ts"] > since]
    two = {whole[0]["ticker"], whole[500]["ticker"]}
    assert listed(server, key, FILLS, subaccount=0, ticker=",".join(two)) == [f for f in whole if f["ticker"] in two]


def test_positions_are_of_the_primary_account_and_unsettled_by_default(server: ExchangeServer, key: ApiKey) -> None:
    lists = {s: listed(server, key, POSITIONS, settlement_status=s) for s in ("unsettled", "settled", "all")}
    assert ask(server, key, POSITIONS, limit=1000).json()["market_positions"] == lists["unsettled"]
    assert listed(server, key, POSITIONS, subaccount=0, settlement_status="unsettled") == lists["unsettled"]
    assert len(lists["all"]) == len(lists["settled"]) + len(lists["unsettled"])
    held = listed(server, key, POSITIONS, count_filter="position")
    assert held == [p for p in lists["unsettled"] if Decimal(p["position_fp"])]
    assert len(held) < len(lists["unsettled"])


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (FILLS, {"limit": 0}),
        (FILLS, {"limit": 1001}),
        (FILLS, {"subaccount": 64}),
        (FILLS, {"ticker": ",".join(map(str, range(101)))}),
        (POSITIONS, {"settlement_status": "open"}),
        (POSITIONS, {"count_filter": "volume"}),
        (SETTLEMENTS, {"min_ts": "yesterday"}),
        (OLD_FILLS, {"cursor": "x"}),
    ],
)
def test_parameters_that_the_exchange_refuses_are_refused(
    server: ExchangeServer, key: ApiKey, path: str, params: dict[str, Any]
) -> None:
    assert ask(server, key, path, **params).status_code == 400


def test_a_key_reads_what_its_scope_allows(tmp_path_factory: pytest.TempPathFactory) -> None:
    key = make_key("ed25519", tmp_path_factory.mktemp("narrow"))
    scopes = f"--scopes={key.id}=read::portfolio_balance"
    with ExchangeServer("--since=2026-09-01", "--wide-markets=0", key.argument, scopes) as server:
        assert ask(server, key, BALANCE).status_code == 200
        refused = ask(server, key, FILLS)
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "insufficient_scope"


def test_the_sandbox_makes_a_key_that_only_its_owner_reads(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("made") / "key.pem"
    with ExchangeServer("--since=2026-09-01", "--wide-markets=0", f"--make-key={file}") as server:
        assert file.stat().st_mode & 0o777 == 0o600
        key = ApiKey("sandbox", file.read_text(), file)
        assert ask(server, key, BALANCE).status_code == 200
