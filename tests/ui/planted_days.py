"""A warehouse with what a test needs, row by row."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def insert(engine: sa.Engine, table: str, **row: Any) -> None:
    columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    with engine.begin() as connection:
        connection.execute(sa.text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), row)


def add_series(engine: sa.Engine, series: str, **others: Any) -> None:
    insert(
        engine,
        "kalshi_series",
        **{"series_ticker": series, "fee_type": "quadratic", "fee_multiplier": 1, "run_id": 1, **others},
    )


def event_of(series: str, day: date) -> str:
    return f"{series}-{day:%y%b%d}".upper()


def add_event(engine: sa.Engine, series: str, day: date, results: str = "yn", **others: Any) -> list[str]:
    """An event with a market for each letter of ``results`` (y, n, or - for none yet), open for two days from noon of
    the day before. Returns their tickers."""
    event = event_of(series, day)
    insert(engine, "kalshi_event", event_ticker=event, series_ticker=series, event_date=day, run_id=1, **others)
    opens = datetime.combine(day, time(), UTC).replace(tzinfo=None) - 12 * HOUR
    tickers = [f"{event}-B{number}" for number in range(len(results))]
    for ticker, result in zip(tickers, results, strict=True):
        insert(
            engine,
            "kalshi_market",
            market_ticker=ticker,
            event_ticker=event,
            series_ticker=series,
            result={"y": "yes", "n": "no", "-": None}[result],
            open_time_utc=opens,
            close_time_utc=opens + 2 * DAY,
            run_id=1,
        )
    for number, decision in enumerate(("day_before_10", "day_10")):
        insert(
            engine,
            "kalshi_decision_time",
            event_ticker=event,
            decision=decision,
            decided_at_utc=opens + number * DAY,
            run_id=1,
        )
    return tickers


def add_coverage(engine: sa.Engine, series: str, day: date, ticker: str, **others: Any) -> None:
    """A quality run's look at a market on one day."""
    row = {"expected_minutes": 1440, "present_minutes": 1440, "quoted_minutes": 1440, "longest_gap_minutes": 0}
    insert(
        engine,
        "kalshi_coverage",
        **{
            "run_id": 1,
            "market_ticker": ticker,
            "utc_day": day,
            "event_ticker": event_of(series, day),
            "series_ticker": series,
            "event_date": day,
            "missing_minutes": 0,
            "candles": 1440,
            "empty_books": 0,
            **row,
            **others,
        },
    )


def add_quote(
    engine: sa.Engine, series: str, day: date, ticker: str, bid: str | None, ask: str | None, **others: Any
) -> None:
    """A quality run's look at a market at ``day_10``, unless told otherwise."""
    insert(
        engine,
        "kalshi_decision_coverage",
        **{
            "run_id": 1,
            "market_ticker": ticker,
            "decision": "day_10",
            "event_ticker": event_of(series, day),
            "series_ticker": series,
            "event_date": day,
            "decided_at_utc": datetime.combine(day, time(12), UTC).replace(tzinfo=None),
            "candle_present": True,
            "quote_known": bid is not None,
            "yes_bid": bid,
            "yes_ask": ask,
            **others,
        },
    )


def add_proof(engine: sa.Engine, series: str, ticker: str, verdict: str = "proven", trades: int = 7) -> None:
    insert(
        engine,
        "kalshi_reconciliation",
        market_ticker=ticker,
        series_ticker=series,
        exchange_volume=trades,
        trade_volume=trades,
        block_trade_volume=0,
        candle_volume=trades,
        trades=trades,
        candles=100,
        trades_verdict=verdict,
        candles_verdict="proven",
        run_id=1,
    )
