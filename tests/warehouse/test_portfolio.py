"""P&L in SQL, worked by hand: first in, first out over fills of YES and NO, on MariaDB and MySQL."""

from __future__ import annotations

import random
from collections import deque
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from kalshi.records import Fill, Found, PortfolioSettlement, Position, read_record
from kalshi.warehouse import portfolio
from kalshi.warehouse.catalog import expect_markets
from tests.support.databases import select

MARKET = "KXHIGHNY-26SEP22-B70.5"
DAY = "2026-09-21T{:02}:00:00Z"


class Book:
    """One market in one subaccount, traded by the hour."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.hours = 0

    def trade(
        self, outcome: str, count: str, yes_price: str, fee: str = "0.010000", market: str = MARKET
    ) -> dict[str, Any]:
        self.hours += 1
        fill = {
            "fill_id": f"fill-{self.hours:04}",
            "ticker": market,
            "order_id": "order",
            "outcome_side": outcome,
            "book_side": "bid" if outcome == "yes" else "ask",
            "count_fp": count,
            "yes_price_dollars": yes_price,
            "no_price_dollars": str(1 - Decimal(yes_price)),
            "is_taker": True,
            "fee_cost": fee,
            "ts": 1789900000 + 3600 * self.hours,
        }
        self.write(fill)
        return fill

    def write(self, fill: dict[str, Any]) -> None:
        raw = msgspec.json.encode(fill)
        with self.engine.begin() as connection:
            portfolio.write_fills(connection, [Found(read_record(raw, Fill), raw)], 0, 1)

    def settle(
        self, result: str, value: int | None = None, *, market: str = MARKET, time: str = DAY.format(12)
    ) -> None:
        settlement = {
            "ticker": market,
            "event_ticker": market.rpartition("-")[0],
            "market_result": result,
            "yes_count_fp": "0.00",
            "no_count_fp": "0.00",
            "yes_total_cost_dollars": "0.000000",
            "no_total_cost_dollars": "0.000000",
            "revenue": 0,
            "value": value,
            "fee_cost": "7.000000",
            "settled_time": time,
        }
        raw = msgspec.json.encode(settlement)
        with self.engine.begin() as connection:
            found = Found(read_record(raw, PortfolioSettlement), raw)
            portfolio.write_settlements(connection, [found], 0, 1)

    def market_says(self, **columns: Any) -> None:
        assignments = ", ".join(f"{name} = :{name}" for name in columns)
        with self.engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE kalshi_market SET {assignments}"), columns)

    def pnl(self, market: str = MARKET) -> dict[str, Any]:
        [row] = select(self.engine, f"SELECT * FROM kalshi_pnl_market WHERE market_ticker = '{market}'")
        return row

    def figures(self) -> list[dict[str, Any]]:
        """What the market came to, in all and by day."""
        queries = ("SELECT * FROM kalshi_pnl_day", "SELECT day, fills FROM kalshi_traded_day ORDER BY day")
        return [self.pnl(), *(row for query in queries for row in select(self.engine, query))]


@pytest.fixture
def book(warehouse_on_both: sa.Engine) -> Book:
    return Book(warehouse_on_both)


def dollars(*values: str) -> list[Decimal]:
    return [Decimal(value) for value in values]


def test_the_oldest_contracts_are_sold_first(book: Book) -> None:
    book.trade("yes", "10.00", "0.40")
    book.trade("yes", "10.00", "0.60")
    book.trade("no", "12.50", "0.70")  # sells ten bought at 0.40 and two and a half bought at 0.60
    row = book.pnl()
    assert row["quantity"] == Decimal("7.50")
    assert row["cost_basis"] == Decimal("4.50")
    assert row["realized_pnl"] == row["traded_pnl"] == 10 * Decimal("0.30") + Decimal("2.5") * Decimal("0.10")
    assert row["fees"] == Decimal("0.03")
    lots = select(book.engine, "SELECT * FROM kalshi_closed_lot ORDER BY opened_at_utc")
    assert [(lot["quantity"], lot["realized_pnl"]) for lot in lots] == [(10, 3), (Decimal("2.50"), Decimal("0.25"))]
    assert {lot["no_fill_id"] for lot in lots} == {"fill-0003"}


def test_a_position_can_turn_from_yes_to_no(book: Book) -> None:
    book.trade("yes", "3.00", "0.40")
    book.trade("no", "5.00", "0.30")  # three sold at a loss of 0.10, two of NO bought at 0.70
    row = book.pnl()
    assert [row["quantity"], row["cost_basis"], row["realized_pnl"]] == dollars("-2", "1.40", "-0.30")


def test_open_contracts_are_worth_the_latest_bid(book: Book) -> None:
    book.trade("no", "4.00", "0.25")  # NO at 0.75
    assert book.pnl()["unrealized_pnl"] is None, "the market is known by its ticker only"
    book.market_says(yes_bid="0.1000", yes_ask="0.1500", status="active", updated_at_utc="2026-09-21 10:00:00")
    row = book.pnl()
    assert [row["current_price"], row["unrealized_pnl"]] == dollars("0.85", "0.40")
    with book.engine.begin() as connection:
        snapshot = (
            "INSERT INTO kalshi_price_snapshot (market_ticker, snapshot_at_utc, observed_at_utc, yes_bid, yes_ask, "
            "is_empty_book, run_id) VALUES (:m, :at, :at, 0.2, :ask, FALSE, 1)"
        )
        connection.execute(sa.text(snapshot), {"m": MARKET, "at": "2026-09-21 09:00:00", "ask": "0.90"})
        assert book.pnl()["current_price"] == Decimal("0.85"), "an older snapshot doesn't count"
    with book.engine.begin() as connection:
        connection.execute(sa.text(snapshot), {"m": MARKET, "at": "2026-09-21 11:00:00", "ask": "0.30"})
    row = book.pnl()
    assert [row["current_price"], row["unrealized_pnl"]] == dollars("0.70", "-0.20")


@pytest.mark.parametrize(
    ("result", "value", "earned"), [("yes", 100, "1.80"), ("no", 0, "-1.20"), ("scalar", 37, "-0.09")]
)
def test_a_settlement_pays_what_is_left_and_nothing_twice(book: Book, result: str, value: int, earned: str) -> None:
    book.trade("yes", "5.00", "0.40")
    book.trade("no", "2.00", "0.50")
    book.settle(result, value)
    book.settle(result, value, time=DAY.format(13))  # said again, with another time
    row = book.pnl()
    assert [row["traded_pnl"], row["settled_pnl"]] == dollars("0.20", earned)
    assert row["realized_pnl"] == row["traded_pnl"] + row["settled_pnl"]
    assert [row["quantity"], row["cost_basis"], row["unrealized_pnl"]] == dollars("0", "0", "0")
    assert row["fees"] == Decimal("0.02"), "a settlement's fees are those of its fills"
    days = select(book.engine, "SELECT SUM(realized_pnl) AS earned, SUM(fees) AS fees FROM kalshi_pnl_day")
    assert days == [{"earned": row["realized_pnl"], "fees": row["fees"]}]


def test_an_archived_market_is_settled_by_its_result(book: Book) -> None:
    book.trade("no", "10.00", "0.30")
    book.market_says(status="determined", result="no")
    assert book.pnl()["quantity"] == -10, "not final yet"
    book.market_says(status="finalized", result="no", settlement_value="0")
    row = book.pnl()
    assert [row["quantity"], row["settled_pnl"]] == dollars("0", "3.00")


def test_an_event_sums_its_markets(book: Book) -> None:
    book.trade("yes", "1.00", "0.40")
    book.trade("yes", "1.00", "0.20", market="KXHIGHNY-26SEP22-T66")
    book.settle("yes", 100)
    book.settle("no", 0, market="KXHIGHNY-26SEP22-T66")
    [event] = select(book.engine, "SELECT * FROM kalshi_pnl_event")
    assert (event["event_ticker"], event["markets"], event["open_markets"]) == ("KXHIGHNY-26SEP22", 2, 0)
    assert [event["realized_pnl"], event["fees"]] == dollars("0.40", "0.02")


def test_a_fill_that_turns_out_to_be_of_another_subaccount_takes_its_lots_along(book: Book) -> None:
    book.trade("yes", "10.00", "0.40")
    book.trade("no", "4.00", "0.50")
    with book.engine.begin() as connection:
        connection.execute(sa.text("UPDATE kalshi_fill SET subaccount = 3 WHERE outcome = 'no'"))
        portfolio.match_fills(connection, 2)
    rows = select(book.engine, "SELECT subaccount, quantity FROM kalshi_pnl_market ORDER BY subaccount")
    assert rows == [{"subaccount": 0, "quantity": 10}, {"subaccount": 3, "quantity": -4}]
    assert select(book.engine, "SELECT * FROM kalshi_closed_lot") == []


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM kalshi_closed_lot",
        "UPDATE kalshi_lot SET price = 0.5",
        "UPDATE kalshi_lot SET open_quantity = 0",
        "UPDATE kalshi_closed_lot SET quantity = 1",
        "DELETE FROM kalshi_traded_market",
        "UPDATE kalshi_traded_market SET traded_pnl = 0",
        "UPDATE kalshi_traded_market SET open_cost = 0",
        "UPDATE kalshi_traded_market SET fills = 1",
        "DELETE FROM kalshi_traded_day",
        "UPDATE kalshi_traded_day SET fees = 0",
        "UPDATE kalshi_traded_day SET fills = 1",
    ],
)
def test_lots_and_sums_that_are_not_those_of_their_fills_are_made_again(book: Book, change: str) -> None:
    book.trade("yes", "10.00", "0.40")
    book.trade("no", "4.00", "0.50")
    before = book.figures()
    with book.engine.begin() as connection:
        connection.execute(sa.text(change))
        portfolio.match_fills(connection, 2)
    assert book.figures() == before
    assert len(select(book.engine, "SELECT * FROM kalshi_closed_lot WHERE quantity = 4")) == 1


@pytest.mark.parametrize(
    "correction",
    [
        {"count_fp": "8.00"},
        {"yes_price_dollars": "0.45", "no_price_dollars": "0.55"},
        {"fee_cost": "0.020000"},
        {"outcome_side": "no", "book_side": "ask"},
        {"ts": 1789900000},
    ],
    ids=lambda correction: next(iter(correction)),
)
def test_a_fill_that_the_exchange_corrects_is_matched_again(book: Book, correction: dict[str, Any]) -> None:
    fill = book.trade("yes", "10.00", "0.40")
    book.trade("no", "4.00", "0.50")
    book.write({**fill, **correction})
    columns = "fill_id, outcome, quantity, price, fee_cost, executed_at_utc"
    fills = select(book.engine, f"SELECT {columns} FROM kalshi_fill ORDER BY fill_id")
    assert select(book.engine, f"SELECT {columns} FROM kalshi_lot ORDER BY fill_id") == fills
    assert book.pnl()["fees"] == sum(row["fee_cost"] for row in fills)


def test_a_position_whose_fills_are_not_known_was_opened_when_it_was_first_seen(warehouse_on_both: sa.Engine) -> None:
    held = [Found(Position(ticker=MARKET, quantity="3.00", exposure="1.20", realized_pnl="0", fees_paid="0"), b"{}")]
    noon = datetime(2026, 9, 21, 12, tzinfo=UTC)
    hours = []
    with warehouse_on_both.begin() as connection:
        expect_markets(connection, [MARKET], 1)
        for hour, seen in enumerate([held, held, [], held]):
            seen_at = noon + timedelta(hours=hour)
            portfolio.write_positions(connection, seen, 0, seen_at, 1)
            portfolio.close_positions(connection, [found.record.ticker for found in seen], 0, seen_at, 1)
            opened = connection.execute(sa.text("SELECT opened_at_utc FROM kalshi_position")).scalar_one()
            hours.append((opened.replace(tzinfo=UTC) - noon) // timedelta(hours=1))
    assert hours == [0, 0, 0, 3], "opened again after it was closed"


def test_a_fill_is_not_deleted_from_under_its_lots(book: Book) -> None:
    book.trade("yes", "10.00", "0.40")
    with book.engine.begin() as connection, pytest.raises(sa.exc.IntegrityError, match="foreign key"):
        connection.execute(sa.text("DELETE FROM kalshi_fill"))


def test_any_sequence_of_fills_comes_to_what_a_queue_of_lots_comes_to(book: Book) -> None:
    dice = random.Random(5)
    raws = []
    for market in (f"KXHIGHNY-26SEP22-T{number}" for number in range(20)):
        for _ in range(dice.randint(1, 12)):
            book.hours += 1
            price = Decimal(dice.randint(1, 9999)).scaleb(-4)
            raws.append(
                {
                    "fill_id": f"{dice.getrandbits(64):016x}",
                    "ticker": market,
                    "outcome_side": dice.choice(["yes", "no"]),
                    "count_fp": str(Decimal(dice.randint(1, 3000)).scaleb(-2)),
                    "yes_price_dollars": str(price),
                    "no_price_dollars": str(1 - price),
                    "fee_cost": "0.000001",
                    "ts": 1789900000 + book.hours,
                }
            )
    found = [Found(read_record(raw, Fill), raw) for raw in map(msgspec.json.encode, dice.sample(raws, len(raws)))]
    for part in range(5):  # each brings older and newer fills of most markets
        with book.engine.begin() as connection:
            written = portfolio.write_fills(connection, found[part::5], 0, 1)
            assert written.inserted == len(found[part::5])
    for market in sorted({str(raw["ticker"]) for raw in raws}):
        realized, lots = queue_of_lots([raw for raw in raws if raw["ticker"] == market])
        row = book.pnl(market)
        assert row["realized_pnl"] == realized
        assert row["cost_basis"] == sum(price * count for _, price, count in lots)
        assert abs(row["quantity"]) == sum(count for _, _, count in lots)
        for column, table in (("realized_pnl", "kalshi_closed_lot"), ("traded_pnl", "kalshi_traded_day")):
            query = f"SELECT SUM({column}) AS earned FROM {table} WHERE market_ticker = '{market}'"
            assert (select(book.engine, query)[0]["earned"] or 0) == realized


def queue_of_lots(raws: list[dict[str, Any]]) -> tuple[Decimal, list[tuple[str, Decimal, Decimal]]]:
    """What was earned, and the outcome, price and count of the lots that are left."""
    realized, lots = Decimal(0), deque[tuple[str, Decimal, Decimal]]()
    for raw in raws:
        outcome, left = raw["outcome_side"], Decimal(raw["count_fp"])
        price = Decimal(raw[f"{outcome}_price_dollars"])
        while left and lots and lots[0][0] != outcome:
            other, paid, count = lots.popleft()
            closed = min(left, count)
            realized += closed * (1 - paid - price)
            left -= closed
            if count > closed:
                lots.appendleft((other, paid, count - closed))
        if left:
            lots.append((outcome, price, left))
    return realized, list(lots)
