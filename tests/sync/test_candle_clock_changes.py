"""The days on which the clocks change, of an exchange that has a candle for every open minute.

The UTC times here are facts of the calendar, not worked out: the clocks of 2025-11-02 went back and
those of 2026-03-08 forward at 2:00 local.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from tests.support.databases import select
from tests.support.exchange_server import ExchangeServer, quick_config
from tests.sync.candles import DAY, listed, reading, stored, tickers


class Change(NamedTuple):
    """An event on whose day the clocks change: when its local day begins and ends, and the minutes in it;
    then 10:00 local of the day before and of the day. All times UTC."""

    event: str
    begins: str
    ends: str
    minutes: int
    day_before_10: str
    day_10: str


CHANGES = [
    Change("KXHIGHNY-25NOV02", "2025-11-02 04:00", "2025-11-03 05:00", 1500, "2025-11-01 14:00", "2025-11-02 15:00"),
    Change("KXHIGHCHI-25NOV02", "2025-11-02 05:00", "2025-11-03 06:00", 1500, "2025-11-01 15:00", "2025-11-02 16:00"),
    Change("KXHIGHLAX-25NOV02", "2025-11-02 07:00", "2025-11-03 08:00", 1500, "2025-11-01 17:00", "2025-11-02 18:00"),
    Change("KXHIGHNY-26MAR08", "2026-03-08 05:00", "2026-03-09 04:00", 1380, "2026-03-07 15:00", "2026-03-08 14:00"),
    Change("KXHIGHCHI-26MAR08", "2026-03-08 06:00", "2026-03-09 05:00", 1380, "2026-03-07 16:00", "2026-03-08 15:00"),
    Change("KXHIGHLAX-26MAR08", "2026-03-08 08:00", "2026-03-09 07:00", 1380, "2026-03-07 18:00", "2026-03-08 17:00"),
]
OPENS = timedelta(hours=-10)
"""When the sandbox opens an event, before its UTC day."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.fixture(scope="module")
def winter() -> Iterator[ExchangeServer]:
    """In March, when November is in the historical tier."""
    arguments = ("--clock=2026-03-12T12:00:00+00:00", "--since=2025-10-28", "--wide-markets=0")
    with ExchangeServer(*arguments, "--dense-candles", "--requests-per-second=0") as server:
        yield server


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.event)
def test_the_local_day_of_a_clock_change_has_all_its_minutes(
    change: Change, winter: ExchangeServer, warehouse: sa.Engine
) -> None:
    series = change.event.partition("-")[0]
    begins, ends = utc(change.begins), utc(change.ends)
    first_day = begins.replace(hour=0) - DAY
    with Exchange(quick_config(winter)) as exchange:
        candles = reading(exchange, warehouse)
        for day in range(3):  # as the daily DAG reads them
            assert candles(first_day + day * DAY, first_day + (day + 1) * DAY, series).state == "success"

    markets = tickers(warehouse, change.event)
    assert len(markets) == 6
    every_minute = {begins + timedelta(minutes=n) for n in range(change.minutes)}
    assert max(every_minute) + timedelta(minutes=1) == ends
    for ticker in markets:
        rows = {minute.replace(tzinfo=UTC) for minute in stored(warehouse, ticker)}
        assert every_minute <= rows
        there = listed(winter, ticker, first_day, first_day + 3 * DAY)
        assert rows == {datetime.fromtimestamp(candle["end_period_ts"] - 60, UTC) for candle in there}
        assert min(rows) == first_day + DAY + OPENS

    decided = select(
        warehouse,
        "SELECT d.decision, d.decided_at_utc, COUNT(c.bucket_start_utc) AS candles FROM kalshi_decision_time d "
        "JOIN kalshi_market m USING (event_ticker) LEFT JOIN kalshi_candle_1m c ON c.market_ticker = m.market_ticker "
        f"AND c.bucket_start_utc = d.decided_at_utc WHERE d.event_ticker = '{change.event}' "
        "GROUP BY d.decision, d.decided_at_utc ORDER BY d.decided_at_utc",
    )
    assert [(row["decision"], row["decided_at_utc"], row["candles"]) for row in decided] == [
        ("day_before_10", utc(change.day_before_10).replace(tzinfo=None), 6),
        ("day_10", utc(change.day_10).replace(tzinfo=None), 6),
    ]
    (next_event,) = select(
        warehouse,
        "SELECT d.decided_at_utc FROM kalshi_decision_time d JOIN kalshi_event e USING (event_ticker) "
        f"WHERE e.event_date = '{begins + DAY:%Y-%m-%d}' AND d.decision = 'day_before_10'",
    )
    assert next_event["decided_at_utc"] == utc(change.day_10).replace(tzinfo=None), "its day before is this one"
