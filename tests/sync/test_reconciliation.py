"""Settled markets against the exchange's own volume: verdicts, and what is read again, deleted or left alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeUnavailable
from kalshi.settings import ReconciliationSettings
from kalshi.sync.reconciliation import ProvenMonth, ReconciliationReport
from scripts.private_server import PrivateServer
from tests.support.databases import count, select
from tests.support.exchange_server import ExchangeServer
from tests.support.house import DAY, SEP_17, SERIES, TABLES, House
from tests.support.house import template as house_template
from tests.support.warehouses import copy_rows

CHANGES = 100
CHANGES_AT_ONCE = 20


@pytest.fixture(scope="module")
def template(mariadb: PrivateServer, _small_exchange: ExchangeServer) -> Iterator[str]:
    """The name of a database with what a house has read."""
    with house_template(mariadb, _small_exchange, "test_reconciliation", SEP_17) as name:
        yield name


@pytest.fixture
def house(template: str, mariadb: PrivateServer, warehouse: sa.Engine, exchange: Exchange) -> House:
    """A house whose markets are proven."""
    copy_rows(mariadb, template, warehouse)
    return House(exchange, warehouse)


def names(report: ReconciliationReport) -> set[str]:
    return {market.market for market in report.not_proven}


def test_what_was_read_in_full_is_proven_and_a_second_run_changes_nothing(
    exchange: Exchange, warehouse_on_both: sa.Engine
) -> None:
    house = House(exchange, warehouse_on_both)
    house.read()
    report = house.reconcile()
    assert (report.state, report.settled, report.proven, report.requests) == ("success", 12, 12, 0)
    assert report.by_month == [ProvenMonth(series=SERIES, month="2026-09", settled=12, proven=12)]
    (sums,) = select(
        warehouse_on_both,
        "SELECT SUM(exchange_volume) AS exchange, SUM(trade_volume) AS trades, SUM(candle_volume) AS candles, "
        "SUM(differing_minutes) AS minutes FROM kalshi_reconciliation",
    )
    assert sums["exchange"] == sums["trades"] == sums["candles"] > 1000
    assert sums["minutes"] == 0
    again = house.reconcile()
    assert (again.inserted, again.updated, again.unchanged, again.proven) == (0, 0, 12, 12)


def test_a_change_is_named_and_read_again_on_both_servers(exchange: Exchange, warehouse_on_both: sa.Engine) -> None:
    house = House(exchange, warehouse_on_both)
    house.read()
    house.reconcile()
    before, trade = house.content(), house.trade()
    house.double_trade(trade)
    house.change("DELETE FROM kalshi_candle_1m WHERE market_ticker = :market_ticker LIMIT 3", **trade)
    assert names(house.reconcile(repair=False)) == {trade["market_ticker"]}
    report = house.reconcile()
    assert (report.state, report.proven, report.read_again, report.deleted) == ("success", 12, 1, 1)
    assert house.content() == before


def test_lost_and_doubled_trades_and_candles_are_short_and_over(house: House) -> None:
    trade = house.trade()
    ticker, candle = trade["market_ticker"], house.candle(trade["market_ticker"])
    house.change("DELETE FROM kalshi_trade WHERE trade_id = :trade_id", **trade)
    minute = datetime.fromisoformat(str(candle["bucket_start_utc"])) + timedelta(days=3)
    house.insert("kalshi_candle_1m", {**candle, "bucket_start_utc": minute})
    report = house.reconcile(repair=False)
    assert house.verdicts(ticker) == ("short", "over")
    assert report.state == "warning"
    (row,) = report.not_proven
    assert (row.exchange_volume or 0) - row.trade_volume == trade["count"]
    assert row.candle_volume - (row.exchange_volume or 0) == candle["volume"]
    assert f"trades: {trade['count']} contracts fewer than the exchange's {row.exchange_volume}" in row.reason
    assert ticker in report.warnings[0]


def test_an_altered_price_is_seen_before_anything_was_ever_proven(house: House) -> None:
    before, trade = house.content(), house.trade()
    house.change("DELETE FROM kalshi_reconciliation")
    house.change("UPDATE kalshi_trade SET yes_price = yes_price + 0.01 WHERE trade_id = :trade_id", **trade)
    report = house.reconcile(repair=False)
    assert names(report) == {trade["market_ticker"]}
    assert house.verdicts(trade["market_ticker"]) == ("unread", "unread")
    assert f"disagree in 1 minutes from {trade['executed_at_utc']:%Y-%m-%d %H:%M}" in report.not_proven[0].reason
    assert house.reconcile().state == "success"
    assert house.content() == before
    assert (
        select(house.engine, "SELECT SUM(differing_minutes) AS minutes FROM kalshi_reconciliation")[0]["minutes"] == 0
    )


def test_a_quote_that_is_altered_later_is_seen_by_its_checksum(house: House) -> None:
    before, ticker = house.content(), house.trade()["market_ticker"]
    house.change(
        "UPDATE kalshi_candle_1m SET yes_bid_close = yes_bid_close + 0.01 WHERE market_ticker = :ticker "
        "AND volume = 0 ORDER BY bucket_start_utc LIMIT 1",
        ticker=ticker,
    )
    assert house.reconcile(repair=False).not_proven[0].reason == (
        "candles: rows were added, changed or deleted since it was proven"
    )
    assert house.verdicts(ticker) == ("proven", "unread")
    assert house.reconcile().state == "success"
    assert house.content() == before


def test_what_was_never_read_is_unread_and_says_what_to_run(exchange: Exchange, warehouse: sa.Engine) -> None:
    house = House(exchange, warehouse)
    house.read(candles=False)
    report = house.reconcile()
    assert (report.unread, report.read_again, report.requests) == (12, 0, 0)
    assert house.verdicts(report.not_proven[0].market) == ("proven", "unread")
    assert "run kalshi_candles_backfill for those days" in report.warnings[0]
    start, everything = house.start, {"window_start": None, "window_end": None}
    assert house.reconcile(**everything, expected_from=start + 30 * DAY).settled == 36, "what no job ever touched"
    assert house.reconcile(**everything, expected_from=start - 30 * DAY).settled > 150


def test_a_gap_in_a_market_s_life_leaves_it_unread(house: House) -> None:
    house.change(
        "INSERT INTO kalshi_gap (job, scope, window_start_utc, window_end_utc, reason) "
        "VALUES ('trades', :series, '2026-09-19', '2026-09-19 01:00', 'HTTP 500')",
        series=SERIES,
    )
    report = house.reconcile()
    assert (report.proven, report.unread, report.read_again) == (0, 12, 0), "it is for the trades to fill"
    assert "KXHIGHNY from 2026-09-19 00:00 to 2026-09-19 01:00 UTC (HTTP 500)" in report.warnings[0]


def test_block_trades_may_count_or_not_and_the_report_says_which(house: House) -> None:
    block = house.trade(is_block_trade=True)
    house.change(
        "UPDATE kalshi_market SET volume = volume - :count WHERE market_ticker = :market_ticker",
        count=block["count"],
        market_ticker=block["market_ticker"],
    )
    report = house.reconcile(repair=False)
    assert report.state == "success"
    kinds = {(row.of, row.kind): row.markets for row in report.by_kind}
    for side in ("trades", "candles"):
        assert kinds[side, "proven, block trades not counted"] == 1
        assert kinds[side, "proven, block trades counted"] + kinds[side, "proven, no block trades"] == 11


@pytest.mark.parametrize("distance", [-104, -91, -90], ids=["archived", "across the cutoff", "live"])
def test_a_market_is_repaired_from_whichever_tier_has_it(
    exchange: Exchange, warehouse: sa.Engine, distance: int
) -> None:
    start = datetime(2026, 9, 22, tzinfo=UTC) + distance * DAY
    house = House(exchange, warehouse, start)
    house.read()
    assert house.reconcile().proven == 12
    before, trade = house.content(), house.trade()
    house.double_trade(trade)
    house.change("DELETE FROM kalshi_trade WHERE trade_id = :trade_id", **trade)
    house.change("DELETE FROM kalshi_candle_1m WHERE market_ticker = :market_ticker", **trade)
    report = house.reconcile()
    assert (report.proven, report.read_again, report.deleted) == (12, 1, 1)
    assert house.content() == before


def test_tolerances_are_contracts(house: House) -> None:
    trade = house.trade()
    house.change("UPDATE kalshi_market SET volume = volume + 1 WHERE market_ticker = :market_ticker", **trade)
    assert house.reconcile(repair=False).short == 1
    one = ReconciliationSettings(trades_contracts=Decimal(1), candles_contracts=Decimal(1))
    assert house.reconcile(repair=False, rules=one).proven == 12


def test_a_volume_that_stays_off_is_named_every_day_and_read_again_once_a_week(
    house: House, exchange_server: ExchangeServer
) -> None:
    trade = house.trade()
    wrong = {"ticker": trade["market_ticker"], "volume_fp": "1.00"}
    exchange_server.faults({"kind": "set_market", "path": "/markets$", "times": 99, "value": wrong})
    house.change("UPDATE kalshi_trade SET yes_price = 0.5 WHERE trade_id = :trade_id", **trade)
    first = house.reconcile()
    assert (first.over, first.read_again, first.waiting) == (1, 1, 0)
    assert house.trade()["yes_price"] == trade["yes_price"], "what it read it kept"
    second = house.reconcile()
    assert (second.over, second.read_again, second.waiting, second.requests) == (1, 0, 1, 0)
    assert trade["market_ticker"] in second.warnings[0]
    house.change("UPDATE kalshi_reconciliation SET read_again_at_utc = read_again_at_utc - INTERVAL 8 DAY")
    exchange_server.faults()
    third = house.reconcile()
    assert (third.proven, third.read_again) == (12, 1)


def test_a_market_that_waits_is_read_again_at_once_if_its_rows_change(
    house: House, exchange_server: ExchangeServer
) -> None:
    trade = house.trade()
    wrong = {"ticker": trade["market_ticker"], "volume_fp": "1.00"}
    exchange_server.faults({"kind": "set_market", "path": "/markets$", "times": 99, "value": wrong})
    house.change("DELETE FROM kalshi_trade WHERE trade_id = :trade_id", **trade)
    assert house.reconcile().read_again == 1
    house.change("DELETE FROM kalshi_trade WHERE trade_id = :trade_id", **trade)
    assert house.reconcile().read_again == 1
    assert house.trade()["trade_id"] == trade["trade_id"]


def test_only_so_many_markets_are_read_again_by_one_run(house: House) -> None:
    house.change("UPDATE kalshi_trade t JOIN kalshi_reconciliation USING (market_ticker) SET t.no_price = 0.5")
    some = ReconciliationSettings(most_read_again=9)
    report = house.reconcile(rules=some)
    assert (report.read_again, report.waiting) == (9, 3)
    assert house.reconcile(rules=some).proven == 12


def lost_trade(trade: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "lost_trades", "path": "/trades$", "times": 999, "value": [trade["trade_id"]]}


def bad_candle(trade: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "integer_cents_candle", "path": "/candlesticks$", "times": 999}


def lost_candles(trade: dict[str, Any]) -> dict[str, Any]:
    minute = trade["executed_at_utc"].replace(second=0, microsecond=0, tzinfo=UTC)
    lost = {"ticker": trade["market_ticker"], "ends": [int(minute.timestamp()) + 60]}
    return {"kind": "lost_candles", "path": "/candlesticks$", "times": 999, "value": lost}


@pytest.mark.parametrize("fault", [lost_trade, bad_candle, lost_candles])
def test_nothing_is_deleted_on_an_answer_that_is_not_certain(
    house: House, exchange_server: ExchangeServer, fault: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    before, trade = house.content(), house.trade()
    candle = house.candle(trade["market_ticker"])
    minute = candle["bucket_start_utc"] + timedelta(days=3)
    if fault is lost_trade:
        house.double_trade(trade)
    else:
        house.insert("kalshi_candle_1m", {**candle, "bucket_start_utc": minute})
    there = [count(house.engine, table) for table in TABLES]
    exchange_server.faults(fault(trade))
    report = house.reconcile(tolerated_share=1)
    assert (report.deleted, names(report)) == (0, {trade["market_ticker"]})
    assert [count(house.engine, table) for table in TABLES] == there
    exchange_server.faults()
    if fault is not bad_candle:  # a rejected record is no answer, so there is no need to wait
        house.change("UPDATE kalshi_reconciliation SET read_again_at_utc = read_again_at_utc - INTERVAL 8 DAY")
    assert house.reconcile().proven == 12
    assert house.content() == before


def test_an_outage_while_reading_again_leaves_a_gap_that_the_next_run_fills(
    house: House, exchange_server: ExchangeServer
) -> None:
    before, trade = house.content(), house.trade()
    house.double_trade(trade)
    exchange_server.faults({"kind": "http_500", "path": "/trades", "times": 99})
    with pytest.raises(ExchangeUnavailable, match="HTTP 500"):
        house.reconcile()
    (gap,) = select(house.engine, "SELECT market_ticker, reason FROM kalshi_gap WHERE job = 'trades'")
    assert gap["market_ticker"] == trade["market_ticker"]
    assert count(house.engine, "kalshi_trade") == before[0][0] + 1
    exchange_server.faults()
    assert house.reconcile().proven == 12
    assert house.content() == before
    assert select(house.engine, "SELECT * FROM kalshi_gap WHERE reason NOT LIKE 'read so soon%'") == []


class Vandal:
    """Deletes, doubles or alters trades and candles at random."""

    def __init__(self, house: House, seed: int) -> None:
        self._house, self._dice = house, random.Random(seed)

    def strike(self) -> str:
        """Change one row. Returns its market."""
        table, key = self._dice.choice([("kalshi_trade", "trade_id"), ("kalshi_candle_1m", "bucket_start_utc")])
        engine, compared = self._house.engine, f"{table} x JOIN kalshi_reconciliation USING (market_ticker)"
        number = select(engine, f"SELECT COUNT(*) AS n FROM {compared}")[0]["n"]
        chosen = f"ORDER BY x.market_ticker, x.{key} LIMIT 1 OFFSET {self._dice.randrange(number)}"
        (row,) = select(engine, f"SELECT x.* FROM {compared} {chosen}")
        where = f"market_ticker = :market_ticker AND {key} = :{key}"
        how = self._dice.choice(["delete", "double", "alter"])
        if how == "delete":
            self._house.change(f"DELETE FROM {table} WHERE {where}", **row)
        elif how == "double":
            self._house.insert(table, {**row, key: self._other_key(row, key)})
        else:
            column, value = self._other_value(table, row)
            self._house.change(f"UPDATE {table} SET `{column}` = :value WHERE {where}", value=value, **row)
        return str(row["market_ticker"])

    def _other_key(self, row: dict[str, Any], key: str) -> Any:
        """An id that no trade has, or a minute in which the market has no candle."""
        if key == "trade_id":
            return f"{self._dice.getrandbits(64):x}"
        minutes = f"SELECT bucket_start_utc AS m FROM kalshi_candle_1m WHERE market_ticker = '{row['market_ticker']}'"
        taken, minute = {r["m"] for r in select(self._house.engine, minutes)}, row[key]
        step = timedelta(minutes=self._dice.choice([-1, 1]))
        while minute in taken:
            minute += step
        return minute

    def _other_value(self, table: str, row: dict[str, Any]) -> tuple[str, Any]:
        lineage = ("market_ticker", "run_id", "source", "period_minutes", "bucket_start_utc", "trade_id")
        column = self._dice.choice(
            [n for n in row if n not in lineage and not n.endswith(("d_at_utc",))]
            + (["executed_at_utc"] if table == "kalshi_trade" else [])
        )
        value = row[column]
        if isinstance(value, datetime):
            return column, value + timedelta(seconds=self._dice.choice([-90, 90]))
        if isinstance(value, str):
            return column, value + "x"
        if value is None:
            return column, Decimal("0.01")
        return column, 1 - value if column == "is_block_trade" else value + Decimal("0.01")


def test_whatever_is_deleted_doubled_or_altered_at_random_is_named_and_repaired_100_times(house: House) -> None:
    before, vandal = house.content(), Vandal(house, seed=13)
    for _ in range(CHANGES // CHANGES_AT_ONCE):
        changed = {vandal.strike() for _ in range(CHANGES_AT_ONCE)}
        assert names(house.reconcile(repair=False)) >= changed
        assert house.reconcile().proven == 12
        assert house.content() == before
