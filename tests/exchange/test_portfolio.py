"""The portfolio's lists, page by page, and the fields of a fill."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from kalshi.exchange import Exchange
from kalshi.records import Fill, read_record
from tests.support.account import AFTERNOON, account_at
from tests.support.api_key import ApiKey
from tests.support.exchange_server import ExchangeServer, quick_config

FILL = {
    "fill_id": "f-1",
    "ticker": "KXHIGHNY-26SEP22-B70.5",
    "order_id": "o-1",
    "side": "yes",
    "action": "sell",
    "outcome_side": "no",
    "book_side": "ask",
    "count_fp": "2.50",
    "yes_price_dollars": "0.5600",
    "no_price_dollars": "0.4400",
    "is_taker": False,
    "fee_cost": "0.012250",
    "created_time": "2026-10-07T15:00:05.25Z",
    "ts": 1791385205,
}


@pytest.fixture(scope="module")
def server(keys: dict[str, ApiKey]) -> Iterator[ExchangeServer]:
    with account_at(AFTERNOON, keys["ed25519"]) as server:
        yield server


@pytest.fixture
def exchange(server: ExchangeServer, keys: dict[str, ApiKey]) -> Iterator[Exchange]:
    key = keys["ed25519"]
    config = quick_config(server, key_id=key.id, private_key_pem=key.secret, timeout=(5.0, 20.0))
    with Exchange(config) as exchange:
        yield exchange


def test_every_list_comes_to_its_end_with_nothing_rejected(exchange: Exchange) -> None:
    lists: dict[str, Any] = {
        "fills": exchange.fills(0),
        "historical fills": exchange.historical_fills(0),
        "unsettled": exchange.positions(2, "unsettled"),
        "settled": exchange.positions(0, "settled"),
        "archived": exchange.historical_positions(0),
        "settlements": exchange.portfolio_settlements(0),
    }
    for name, pages in lists.items():
        read = list(pages)
        assert sum(len(page.records) for page in read) > 100, name
        assert not [page for page in read if page.rejected]
        assert read[-1].cursor == ""
        if name in ("fills", "unsettled"):
            assert len(read) > 1, name


def test_the_balance_is_in_dollars(exchange: Exchange) -> None:
    balance = exchange.balance(0)
    assert Decimal(balance.balance) > 100
    assert balance.portfolio_value_cents > 0


def fill(**changes: Any) -> Fill:
    """The fill with other values; "(missing)" takes a field away."""
    fields = {name: value for name, value in (FILL | changes).items() if value != "(missing)"}
    return read_record(msgspec.json.encode(fields), Fill)


@pytest.mark.parametrize(
    ("changes", "outcome", "action", "side", "price"),
    [
        ({}, "no", "sell", "yes", "0.5600"),
        ({"side": "no", "action": "buy"}, "no", "buy", "no", "0.4400"),
        ({"side": "(missing)", "action": "(missing)"}, "no", "buy", "no", "0.4400"),
        ({"side": None, "action": None, "outcome_side": "yes", "book_side": "bid"}, "yes", "buy", "yes", "0.5600"),
        ({"side": "", "outcome_side": "(missing)"}, "no", "buy", "no", "0.4400"),
        ({"outcome_side": "(missing)", "book_side": "(missing)"}, "no", "sell", "yes", "0.5600"),
        ({"outcome_side": "(missing)", "book_side": "(missing)", "side": "no"}, "yes", "sell", "no", "0.4400"),
    ],
)
def test_what_was_traded_is_read_from_explicit_fields_or_from_the_direction(
    changes: dict[str, Any], outcome: str, action: str, side: str, price: str
) -> None:
    record = fill(**changes)
    assert (record.outcome, record.action, record.side, record.price) == (outcome, action, side, price)


def test_a_fill_without_created_time_has_the_second_of_ts() -> None:
    assert fill().executed.microsecond == 250_000
    assert fill(created_time="(missing)").executed == fill().executed.replace(microsecond=0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"book_side": "bid"}, "direction is uncertain"),
        ({"outcome_side": "maybe", "book_side": "(missing)"}, "direction is uncertain"),
        ({"outcome_side": None, "book_side": None, "side": None}, "direction is uncertain"),
        ({"created_time": None, "ts": None}, "neither created_time nor ts"),
        ({"yes_price_dollars": "(missing)", "yes_price": 56}, "yes_price_dollars"),
        ({"yes_price_dollars": 0.56}, "yes_price_dollars"),
        ({"count_fp": 2.5}, "count_fp"),
    ],
)
def test_a_fill_that_is_uncertain_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=reason):
        fill(**changes)
