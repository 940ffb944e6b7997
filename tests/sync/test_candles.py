"""The candles sync against the sandbox: every minute once, from both tiers, resumable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeError, ExchangeUnavailable
from kalshi.sync.trades import TradesRequest, sync_trades
from scripts.content import content
from tests.support.databases import count, select
from tests.support.exchange_server import ExchangeServer
from tests.sync.candles import DAY, Candles, listed, reading, stored, tickers

SEP_20 = datetime(2026, 9, 20, tzinfo=UTC)
LIVE_NAMES = {"open": "open_dollars", "high": "high_dollars", "low": "low_dollars", "close": "close_dollars"}


@pytest.fixture
def candles(exchange: Exchange, warehouse: sa.Engine) -> Candles:
    return reading(exchange, warehouse)


def price(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def test_every_candle_of_the_day_comes_as_the_exchange_sends_it(
    exchange: Exchange, warehouse_on_both: sa.Engine, exchange_server: ExchangeServer
) -> None:
    report = reading(exchange, warehouse_on_both)(SEP_20, SEP_20 + DAY)
    assert report.state == "success"
    assert (report.markets, report.candle_requests) == (18, 3), "a batch request for each of three events"
    compared = 0
    for event in ("KXHIGHNY-26SEP19", "KXHIGHNY-26SEP20", "KXHIGHNY-26SEP21"):
        for ticker in tickers(warehouse_on_both, event):
            rows = stored(warehouse_on_both, ticker)
            there = list(listed(exchange_server, ticker, SEP_20, SEP_20 + DAY))
            assert len(rows) == len(there)
            for candle in there:
                row = rows[datetime.fromtimestamp(candle["end_period_ts"] - 60, UTC).replace(tzinfo=None)]
                for column, name in LIVE_NAMES.items():
                    assert row[f"yes_bid_{column}"] == Decimal(candle["yes_bid"][name])
                    assert row[f"yes_ask_{column}"] == Decimal(candle["yes_ask"][name])
                    assert row[f"trade_{column}"] == price(candle["price"].get(name))
                assert row["trade_mean"] == price(candle["price"].get("mean_dollars"))
                assert row["trade_previous"] == price(candle["price"].get("previous_dollars"))
                assert (row["volume"], row["open_interest"]) == (
                    Decimal(candle["volume_fp"]),
                    Decimal(candle["open_interest_fp"]),
                )
                assert (row["source"], row["period_minutes"]) == ("api_event", 1)
                compared += 1
    assert compared == count(warehouse_on_both, "kalshi_candle_1m") > 1000


def test_a_complete_day_is_not_read_again_unless_forced(candles: Candles, warehouse: sa.Engine) -> None:
    first = candles(SEP_20, SEP_20 + DAY)
    assert candles(SEP_20, SEP_20 + DAY).requests == 0
    forced = candles(SEP_20, SEP_20 + DAY, force=True)
    assert (forced.inserted, forced.updated, forced.unchanged) == (0, 0, first.candles)


def test_two_days_hold_what_each_of_them_holds(exchange: Exchange, candles: Candles, warehouse: sa.Engine) -> None:
    candles(SEP_20, SEP_20 + DAY)
    candles(SEP_20 + DAY, SEP_20 + 2 * DAY)
    apart = select(warehouse, "SELECT * FROM kalshi_candle_1m ORDER BY market_ticker, bucket_start_utc")
    together = candles(SEP_20, SEP_20 + 2 * DAY, force=True)
    assert (together.inserted, together.updated) == (0, 0)
    assert together.candles == len(apart)


def test_a_window_longer_than_a_batch_comes_event_by_event(candles: Candles, warehouse: sa.Engine) -> None:
    report = candles(SEP_20 - 8 * DAY, SEP_20)
    assert report.state == "success"
    whole = [e for e in range(13, 19) if tickers(warehouse, f"KXHIGHNY-26SEP{e}")]
    for day in whole:
        (market,) = select(
            warehouse,
            f"SELECT MIN(c.bucket_start_utc) = m.open_time_utc AS from_open FROM kalshi_candle_1m c JOIN kalshi_market "
            f"m ON m.market_ticker = c.market_ticker WHERE m.event_ticker = 'KXHIGHNY-26SEP{day}' GROUP BY "
            "m.market_ticker, m.open_time_utc ORDER BY from_open LIMIT 1",
        )
        assert market["from_open"] == 1, "the first minute after the open is always there"
    assert report.candle_requests <= 2 * report.markets / 6


def test_archived_markets_come_from_the_historical_tier(
    exchange: Exchange, candles: Candles, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    start = datetime(2026, 5, 10, tzinfo=UTC)
    report = candles(start, start + DAY)
    assert report.candles > 500
    ticker = tickers(warehouse, "KXHIGHNY-26MAY10")[2]
    there = list(listed(exchange_server, ticker, start, start + DAY))
    rows = stored(warehouse, ticker)
    assert len(rows) == len(there) > 10
    first = there[0]
    row = rows[datetime.fromtimestamp(first["end_period_ts"] - 60, UTC).replace(tzinfo=None)]
    assert row["yes_bid_open"] == Decimal(first["yes_bid"]["open"])
    assert row["volume"] == Decimal(first["volume"])


def test_a_window_across_the_cutoff_misses_no_market(
    exchange: Exchange, candles: Candles, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    cutoff = exchange.historical_cutoff().markets_settled
    start, end = cutoff - 3 * DAY, cutoff + 3 * DAY
    report = candles(start, end)
    assert report.with_candles == report.markets > 36
    for ticker in tickers(warehouse, f"KXHIGHNY-{cutoff - DAY:%y%b%d}".upper()):
        assert len(stored(warehouse, ticker)) == len(list(listed(exchange_server, ticker, start, end)))


def test_candles_agree_with_the_trades_of_their_minutes(
    exchange: Exchange, candles: Candles, warehouse: sa.Engine
) -> None:
    candles(SEP_20, SEP_20 + DAY)
    cutoff = exchange.historical_cutoff()
    request = TradesRequest(
        "KXHIGHNY", cutoff.markets_settled, cutoff.trades_created, window_start=SEP_20, window_end=SEP_20 + DAY
    )
    sync_trades(exchange, warehouse, request)
    disagreeing = select(
        warehouse,
        "SELECT c.market_ticker, c.bucket_start_utc FROM kalshi_candle_1m c LEFT JOIN (SELECT market_ticker, "
        "DATE_FORMAT(executed_at_utc, '%Y-%m-%d %H:%i:00') AS minute, SUM(`count`) AS volume, MIN(yes_price) AS low, "
        "MAX(yes_price) AS high FROM kalshi_trade GROUP BY market_ticker, minute) t "
        "ON t.market_ticker = c.market_ticker AND t.minute = c.bucket_start_utc "
        "WHERE c.volume <> COALESCE(t.volume, 0) OR NOT c.trade_low <=> t.low OR NOT c.trade_high <=> t.high",
    )
    assert disagreeing == []


def test_a_run_that_failed_fetches_only_what_is_missing(
    candles: Candles, warehouse: sa.Engine, exchange_server: ExchangeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kalshi.sync.api_candles.ROWS_PER_TRANSACTION", 1)
    exchange_server.faults({"kind": "http_500", "path": "/candlesticks", "skip": 4, "times": 99})
    with pytest.raises(ExchangeUnavailable, match="HTTP 500"):
        candles(SEP_20 - 8 * DAY, SEP_20)
    (window,) = select(warehouse, "SELECT state, error FROM kalshi_checkpoint WHERE job = 'candles'")
    assert window["state"] == "FAILED"
    assert "HTTP 500" in window["error"]
    partly = count(warehouse, "kalshi_candle_1m")
    assert partly > 0
    exchange_server.faults()
    rest = candles(SEP_20 - 8 * DAY, SEP_20)
    assert rest.unchanged == 0, "nothing is fetched twice"
    whole = candles(SEP_20 - 8 * DAY, SEP_20, force=True)
    assert (whole.inserted, whole.unchanged) == (0, partly + rest.inserted)


def test_a_candle_in_integer_cents_is_refused_and_the_day_fails(
    candles: Candles, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    exchange_server.faults({"kind": "integer_cents_candle", "path": "/candlesticks", "times": 1})
    report = candles(SEP_20, SEP_20 + DAY)
    assert report.state == "warning"
    (rejected,) = select(warehouse, "SELECT endpoint, reason, payload FROM kalshi_rejected_record")
    assert "candlesticks" in rejected["endpoint"]
    assert "KXHIGHNY" in rejected["payload"]
    assert report.rejected == 1


def test_a_window_ahead_is_read_up_to_now_and_no_further(candles: Candles) -> None:
    now = datetime.now(UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    report = candles(today, today + DAY, asked_at=now)
    assert report.state == "warning"
    assert report.to_utc and report.to_utc <= now


def test_a_window_off_the_minute_is_refused(candles: Candles) -> None:
    with pytest.raises(ValueError, match="begin and end on a minute"):
        candles(SEP_20 + timedelta(seconds=30), SEP_20 + DAY)


def test_if_batches_are_refused_events_are_requested_and_paged_to_their_end(
    candles: Candles, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    whole = candles(SEP_20 - 2 * DAY, SEP_20)
    exchange_server.faults({"kind": "http_400", "path": "/markets/candlesticks", "times": 99})
    again = candles(SEP_20 - 2 * DAY, SEP_20, force=True)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, whole.candles)
    assert again.candle_requests > whole.candle_requests


def test_an_event_that_goes_no_further_fails_its_window(
    candles: Candles, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    exchange_server.faults(
        {"kind": "http_400", "path": "/markets/candlesticks", "times": 99},
        {"kind": "adjusted_end", "path": "/events/", "times": 99, "value": 0},
    )
    with pytest.raises(ExchangeError, match="was truncated at 0, no later than its start"):
        candles(SEP_20, SEP_20 + DAY)
    (window,) = select(warehouse, "SELECT state, error FROM kalshi_checkpoint WHERE job = 'candles'")
    assert window["state"] == "FAILED"
    assert "was truncated at 0" in window["error"]


def test_a_failed_window_is_the_only_one_that_the_next_run_of_any_day_reads_again(
    candles: Candles, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    days = [(SEP_20 + n * DAY, SEP_20 + (n + 1) * DAY) for n in (-2, -1, 0)]
    candles(*days[0])
    exchange_server.faults({"kind": "http_500", "path": "/candlesticks", "times": 4})
    with pytest.raises(ExchangeUnavailable):
        candles(*days[1])
    found = select(warehouse, "SELECT * FROM kalshi_checkpoint WHERE job = 'candles' ORDER BY window_start_utc")
    assert [window["state"] for window in found] == ["COMPLETE", "FAILED"]
    assert "HTTP 500: internal_server_error: internal error" in found[1]["error"]
    assert found[0]["error"] is None

    report = candles(*days[2])
    assert (report.state, report.candle_requests) == ("success", 6), "a batch for each event of both days"
    found = select(warehouse, "SELECT state, attempts, error FROM kalshi_checkpoint WHERE job = 'candles'")
    assert [window["state"] for window in found] == ["COMPLETE"] * 3
    assert sorted(window["attempts"] for window in found) == [1, 1, 2]
    assert [candles(*day).candle_requests for day in days] == [0, 0, 0]
    assert candles(days[0][0], days[2][1], force=True).inserted == 0


def test_a_day_read_before_its_end_is_complete_only_up_to_then(
    candles: Candles, warehouse: sa.Engine, exchange_server: ExchangeServer
) -> None:
    day = SEP_20, SEP_20 + DAY
    for hours, seconds in ((6, 30), (18, 59)):
        read_until = SEP_20 + timedelta(hours=hours)
        report = candles(*day, asked_at=read_until + timedelta(seconds=seconds))
        assert (report.to_utc, report.state) == (read_until, "warning")
        (latest,) = select(warehouse, "SELECT MAX(bucket_start_utc) AS minute FROM kalshi_candle_1m")
        assert latest["minute"] < read_until.replace(tzinfo=None)
        ends = select(warehouse, "SELECT window_end_utc, state FROM kalshi_checkpoint WHERE job = 'candles'")
        assert ends == [{"window_end_utc": read_until.replace(tzinfo=None), "state": "COMPLETE"}]
    rest = candles(*day, asked_at=SEP_20 + DAY)
    assert (rest.to_utc, rest.state) == (day[1], "success")
    assert rest.inserted > 0
    assert candles(*day).requests == 0
    whole = candles(*day, force=True)
    assert (whole.inserted, whole.updated, whole.unchanged) == (0, 0, content(warehouse)[0])


def test_a_backfill_of_days_without_a_market_ends_with_a_warning_that_names_others(candles: Candles) -> None:
    march = datetime(2026, 3, 1, tzinfo=UTC)
    report = candles(march, march + DAY, by_hand=True)
    assert (report.state, report.markets) == ("warning", 0)
    assert report.warnings == [
        "No market of KXHIGHNY was open from 2026-03-01 00:00 to 2026-03-02 00:00 UTC, so there was nothing to read: "
        "the first after that opens at 2026-03-31 14:00."
    ]
    assert candles(march, march + DAY).state == "success", "catchup has quiet days"
