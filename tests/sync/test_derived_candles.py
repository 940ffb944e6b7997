"""Candles built from trades, and dense minutes, against the exchange's own candles and minute by minute."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.transport import Traffic
from kalshi.sync.candles import DENSE_JOB, JOB, CandlesReport, CandlesRequest, sync_candles
from kalshi.sync.evidence import Doubt, Reading, expect, read_missing
from kalshi.sync.run import recorded_run
from kalshi.warehouse import dense_candles
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.ledger import RunKey
from kalshi.warehouse.writer import PacketTooSmall
from tests.support.databases import count, select
from tests.support.exchange_server import ExchangeServer

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SEP_20 = datetime(2026, 9, 20, tzinfo=UTC)
QUOTES = [f"yes_{side}_{price}" for side in ("bid", "ask") for price in ("open", "high", "low", "close")]
ALL_DENSE = (
    "SELECT market_ticker, bucket_start_utc, source, is_synthetic, has_trade, yes_bid_open, yes_bid_close, "
    "yes_ask_high, trade_close, trade_previous, volume, open_interest FROM kalshi_candle_1m_dense "
    "ORDER BY market_ticker, bucket_start_utc"
)


class Sync:
    """Syncs KXHIGHNY with what differs from a day's API candles."""

    def __init__(self, exchange: Exchange, engine: sa.Engine) -> None:
        self.exchange, self.engine = exchange, engine

    def __call__(self, start: datetime = SEP_20, end: datetime = SEP_20 + DAY, **others: Any) -> CandlesReport:
        cutoff = self.exchange.historical_cutoff()
        request = CandlesRequest(
            "KXHIGHNY", cutoff.markets_settled, cutoff.trades_created, window_start=start, window_end=end, **others
        )
        return sync_candles(self.exchange, self.engine, request)


@pytest.fixture
def sync(exchange: Exchange, warehouse: sa.Engine) -> Sync:
    return Sync(exchange, warehouse)


def test_candles_made_of_trades_are_the_exchanges_own(exchange: Exchange, warehouse_on_both: sa.Engine) -> None:
    report = Sync(exchange, warehouse_on_both)(sources=("api_event", "trades"))
    assert report.state == "success"
    made = count(warehouse_on_both, "kalshi_candle_1m WHERE source = 'trades'")
    assert made > 200
    columns = ("trade_open", "trade_high", "trade_low", "trade_close", "trade_min", "trade_max", "volume")
    different = " OR ".join(f"NOT made.{column} <=> api.{column}" for column in columns)
    assert (
        select(
            warehouse_on_both,
            "SELECT made.*, api.* FROM kalshi_candle_1m made JOIN kalshi_candle_1m api ON api.market_ticker = "
            "made.market_ticker AND api.bucket_start_utc = made.bucket_start_utc AND api.source = 'api_event' WHERE "
            f"made.source = 'trades' AND ({different} OR ABS(made.trade_mean - api.trade_mean) > 0.0001)",
        )
        == []
    )
    both = count(
        warehouse_on_both,
        "kalshi_candle_1m api JOIN kalshi_candle_1m made USING (market_ticker, bucket_start_utc) "
        "WHERE api.source = 'api_event' AND made.source = 'trades' AND api.volume > 0",
    )
    assert both == made == count(warehouse_on_both, "kalshi_candle_1m WHERE source = 'api_event' AND volume > 0")


def test_dense_minutes_are_not_built_before_the_candles_that_another_run_is_reading(
    sync: Sync, warehouse: sa.Engine
) -> None:
    on_eve = "kalshi_candle_1m_dense WHERE bucket_start_utc < '2026-09-20'"
    eve = Window(JOB, "KXHIGHNY", SEP_20 - DAY, SEP_20)

    def read_slowly(_: Reading) -> list[Doubt]:
        report = sync(dense=True)
        assert report.warnings == []
        assert (report.dense_minutes > 0, count(warehouse, on_eve)) == (True, 0)
        return []

    with recorded_run(warehouse, RunKey(JOB, eve.scope, None, eve.start, eve.end), Traffic()) as other:
        expect(other, eve, replace(eve, job=DENSE_JOB))
        read_missing(other, eve, read_slowly)
    sync()
    assert count(warehouse, on_eve) > 0, "the other run has ended without them"


def test_the_previous_trade_is_that_before_the_minute(sync: Sync, warehouse: sa.Engine) -> None:
    sync(sources=("trades",))
    rows = select(
        warehouse,
        "SELECT trade_previous, trade_close FROM kalshi_candle_1m WHERE market_ticker = (SELECT market_ticker "
        "FROM kalshi_trade GROUP BY 1 ORDER BY COUNT(*) DESC LIMIT 1) ORDER BY bucket_start_utc",
    )
    assert len(rows) > 20
    closes = [row["trade_close"] for row in rows]
    assert [row["trade_previous"] for row in rows[1:]] == closes[:-1]


def test_trades_of_the_same_moment_stand_in_the_order_of_their_ids(sync: Sync, warehouse: sa.Engine) -> None:
    sync(sources=("trades",))
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM kalshi_candle_1m")
        (market,) = connection.exec_driver_sql("SELECT MIN(market_ticker) FROM kalshi_trade").one()
        connection.exec_driver_sql("DELETE FROM kalshi_trade")
        for trade_id, second, price in (("c", 5, "0.30"), ("a", 5, "0.10"), ("b", 5, "0.20"), ("z", 1, "0.40")):
            connection.exec_driver_sql(
                "INSERT INTO kalshi_trade (trade_id, market_ticker, executed_at_utc, yes_price, `count`, run_id) "
                "VALUES (%s, %s, '2026-09-20 12:00:00' + INTERVAL %s SECOND, %s, 2, 1)",
                (trade_id, market, second, price),
            )
    sync(sources=("trades",), force=True)
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM kalshi_trade WHERE CHAR_LENGTH(trade_id) > 1")
        connection.exec_driver_sql("DELETE FROM kalshi_candle_1m")
    sync(sources=("trades",), force=True)
    made = {
        tuple(row.values())
        for row in select(
            warehouse,
            "SELECT trade_open, trade_high, trade_low, trade_close, trade_mean, volume FROM kalshi_candle_1m "
            f"WHERE market_ticker = '{market}' AND bucket_start_utc = '2026-09-20 12:00:00'",
        )
    }
    assert {tuple(float(value) for value in row) for row in made} == {(0.4, 0.4, 0.1, 0.3, 0.25, 8.0)}


def test_the_source_trades_reads_the_trades_it_lacks_and_nothing_twice(sync: Sync, warehouse: sa.Engine) -> None:
    first = sync(sources=("trades",))
    assert count(warehouse, "kalshi_trade") > 0
    assert first.tables["kalshi_candle_1m"].inserted > 0
    second = sync(sources=("trades",))
    assert (second.requests, second.tables) == (0, {})
    forced = sync(sources=("trades",), force=True)
    assert (forced.inserted, forced.updated) == (0, 0)


def test_an_unknown_source_is_refused(sync: Sync) -> None:
    with pytest.raises(ValueError, match="come from api_event and trades, not from tape"):
        sync(sources=("tape",))


def walked(engine: sa.Engine, start: datetime, end: datetime) -> list[dict[str, Any]]:
    """The dense minutes, built minute by minute from the stored candles."""
    candles = {
        (row["market_ticker"], row["bucket_start_utc"], row["source"]): row
        for row in select(engine, "SELECT * FROM kalshi_candle_1m")
    }
    minutes = []
    for market in select(engine, "SELECT * FROM kalshi_market ORDER BY market_ticker"):
        quotes: dict[str, Any] = dict.fromkeys(QUOTES)
        interest = last = None
        at = market["open_time_utc"].replace(second=0, microsecond=0)
        while at < min(market["close_time_utc"], end.replace(tzinfo=None)):
            api = candles.get((market["market_ticker"], at, "api_event"))
            candle = api or candles.get((market["market_ticker"], at, "trades"))
            if api:
                quotes, interest = {name: api[name] for name in QUOTES}, api["open_interest"]
            previous = candle["trade_previous"] if candle else None
            if previous is None and not (candle and candle["trade_close"] is not None):
                previous = last
            if at >= start.replace(tzinfo=None):
                minutes.append(
                    {
                        "market_ticker": market["market_ticker"],
                        "bucket_start_utc": at,
                        "source": candle["source"] if candle else None,
                        "is_synthetic": candle is None,
                        "has_trade": bool(candle and candle["volume"]),
                        "yes_bid_open": quotes["yes_bid_open"],
                        "yes_bid_close": quotes["yes_bid_close"],
                        "yes_ask_high": quotes["yes_ask_high"],
                        "trade_close": candle["trade_close"] if candle else None,
                        "trade_previous": previous,
                        "volume": candle["volume"] if candle else 0,
                        "open_interest": interest,
                    }
                )
            if candle:
                last = candle["trade_close"] or candle["trade_previous"] or last
            quotes = {name: quotes[f"{name.rpartition('_')[0]}_close"] for name in QUOTES}
            at += MINUTE
    return minutes


def test_every_minute_of_a_markets_life_has_a_row_with_the_last_quotes(
    exchange: Exchange, warehouse_on_both: sa.Engine
) -> None:
    report = Sync(exchange, warehouse_on_both)(sources=("api_event", "trades"), dense=True)
    # A minute that only has trades: the exchange's candle is lost.
    with warehouse_on_both.begin() as connection:
        lost = connection.exec_driver_sql(
            "DELETE FROM kalshi_candle_1m WHERE source = 'api_event' AND volume > 0 "
            "AND bucket_start_utc >= '2026-09-20 12:00:00'"
        ).rowcount
    assert lost > 10
    again = Sync(exchange, warehouse_on_both)(sources=("trades",), dense=True, force=True)
    expected = walked(warehouse_on_both, SEP_20, SEP_20 + DAY)
    assert select(warehouse_on_both, ALL_DENSE) == expected
    assert report.dense_minutes == again.dense_minutes == len(expected) > 10_000
    assert sum(row["source"] == "trades" for row in expected) == lost
    assert {row["has_trade"] for row in expected} == {row["is_synthetic"] for row in expected} == {True, False}


def test_dense_minutes_once_built_do_not_change(sync: Sync, warehouse: sa.Engine) -> None:
    first = sync(dense=True)
    before = select(warehouse, "SELECT * FROM kalshi_candle_1m_dense")
    again = sync(dense=True, force=True)
    assert (again.inserted, again.updated) == (0, 0)
    assert again.dense_minutes == first.dense_minutes == len(before)
    assert select(warehouse, "SELECT * FROM kalshi_candle_1m_dense") == before


def test_a_candle_off_the_minute_keeps_no_minute_from_being_built(sync: Sync, warehouse: sa.Engine) -> None:
    sync(dense=True)
    before = select(warehouse, ALL_DENSE)
    with warehouse.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE kalshi_candle_1m SET bucket_start_utc = bucket_start_utc + INTERVAL 30 SECOND "
            "WHERE bucket_start_utc = (SELECT * FROM (SELECT MAX(bucket_start_utc) FROM kalshi_candle_1m) latest)"
        )
    report = sync(dense=True, force=True)
    assert report.state == "success"
    assert len(select(warehouse, ALL_DENSE)) == len(before)


def test_candles_that_exceed_a_packet_of_the_server_are_an_error_rather_than_cut(
    sync: Sync, warehouse_on_both: sa.Engine
) -> None:
    own = Sync(sync.exchange, warehouse_on_both)
    own()
    with warehouse_on_both.connect() as connection:
        tickers = connection.exec_driver_sql("SELECT DISTINCT market_ticker FROM kalshi_candle_1m").scalars().all()
        connection.exec_driver_sql("SET SESSION group_concat_max_len = 1024")
        with pytest.raises(PacketTooSmall, match="set its max_allowed_packet to 16 MB"):
            dense_candles.build_dense(connection, tickers, SEP_20, SEP_20 + DAY, 1)
        connection.invalidate()  # with its setting


def test_days_filled_in_any_order_give_the_same_dense_minutes(sync: Sync, warehouse: sa.Engine) -> None:
    days = [SEP_20, SEP_20 - DAY, SEP_20 + DAY]
    for day in days:
        # The early hours of a day bring no news, so that the last quotes of the day before reach far into it.
        sync(day, day + DAY)
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM kalshi_candle_1m WHERE HOUR(bucket_start_utc) < 9")
        connection.exec_driver_sql("CREATE TABLE kept AS SELECT * FROM kalshi_candle_1m")
        connection.exec_driver_sql("DELETE FROM kalshi_candle_1m")
    for day in days:
        with warehouse.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO kalshi_candle_1m SELECT * FROM kept WHERE DATE(bucket_start_utc) = %s", (day.date(),)
            )
        sync(day, day + DAY, dense=True)
    assert select(warehouse, ALL_DENSE) == walked(warehouse, SEP_20 - DAY, SEP_20 + 2 * DAY)


def test_a_market_that_closed_earlier_than_announced_loses_its_later_minutes(sync: Sync, warehouse: sa.Engine) -> None:
    sync(dense=True)
    (market,) = select(
        warehouse,
        "SELECT market_ticker, MAX(bucket_start_utc) AS last FROM kalshi_candle_1m_dense GROUP BY 1 ORDER BY 2 DESC, 1 "
        "LIMIT 1",
    )
    with warehouse.begin() as connection:
        connection.execute(
            sa.text("UPDATE kalshi_market SET close_time_utc = :last - INTERVAL 1 HOUR WHERE market_ticker = :ticker"),
            {"last": market["last"], "ticker": market["market_ticker"]},
        )
    sync(dense=True, force=True)
    left = select(
        warehouse,
        f"SELECT MAX(bucket_start_utc) AS last FROM kalshi_candle_1m_dense WHERE market_ticker = "
        f"'{market['market_ticker']}'",
    )
    assert left == [{"last": market["last"] - timedelta(hours=1) - MINUTE}]


def test_a_run_stopped_before_its_dense_minutes_leaves_them_to_the_next(
    sync: Sync, warehouse: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise RuntimeError("stopped")

    sync(dense=True)
    built = select(warehouse, ALL_DENSE)
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM kalshi_candle_1m_dense")
    with monkeypatch.context() as patch:
        patch.setattr(dense_candles, "build_dense", stop)
        with pytest.raises(RuntimeError, match="stopped"):
            sync(dense=True, force=True)
    states = {
        row["job"]: row["state"]
        for row in select(warehouse, "SELECT job, state FROM kalshi_checkpoint WHERE job LIKE 'candles%'")
    }
    assert states == {"candles": "COMPLETE", "candles_dense": "FAILED"}
    report = sync(dense=True)
    assert report.requests == 0
    assert select(warehouse, ALL_DENSE) == built


def test_a_day_whose_candles_failed_has_no_complete_dense_minutes(
    sync: Sync, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    exchange_server.faults({"kind": "http_403", "path": "/candlesticks", "times": 99})
    with pytest.raises(Exception, match="403"):
        sync(dense=True)
    assert count(warehouse, "kalshi_checkpoint WHERE job LIKE 'candles%' AND state = 'COMPLETE'") == 0
