"""Series that the real exchange doesn't have: a very wide one, and one of odd markets."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from sandbox import lives
from sandbox.markets import YES, City, Event, Market, Verdict, ticker_day

WIDE = City("KXSANDBOXWIDE", "Sandbox City", "CLISBX", -5, 50, 0)
ODD = City("KXSANDBOXODD", "Sandbox City", "CLISBX", -5, 50, 0)


def wide_event(number: int) -> Event:
    """An event of that many markets, open until 2100, with quotes and no trades."""
    day = date(2099, 12, 31)
    opened, far = datetime(2023, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, 5, tzinfo=UTC)
    ticker = f"{WIDE.series}-{ticker_day(day)}"
    event = Event(ticker, WIDE, day, opened, opened, far, lives.settled(far, 50), 50, 50, book="quiet")
    event.markets.extend(Market(f"{ticker}-T{n}", event, "greater", n, None) for n in range(number))
    return event


def odd_events() -> list[Event]:
    """One event settled on 2026-09-16, in three odd ways; one open until 2027 with an empty book."""
    settled = _odd_event(date(2026, 9, 15), days=1)
    verdicts = {
        "SCALAR": Verdict("scalar", "0.3700"),
        "VOID": Verdict("", None),
        "UNDATED": YES._replace(dated=False),
    }
    for floor, (name, verdict) in enumerate(verdicts.items(), 50):
        settled.markets.append(Market(f"{settled.ticker}-{name}", settled, "greater", floor, None, verdict))
    empty = _odd_event(date(2026, 12, 31), days=108, empty=True)
    empty.markets.append(Market(f"{empty.ticker}-EMPTY", empty, "greater", 50, None))
    return [settled, empty]


def _odd_event(day: date, *, days: int, empty: bool = False) -> Event:
    """An event that opens so many days before its day."""
    opens = datetime.combine(day - timedelta(days=days), time(14), UTC)
    closes = datetime.combine(day + timedelta(days=1), time(5), UTC)
    return Event(
        ticker=f"{ODD.series}-{ticker_day(day)}",
        city=ODD,
        day=day,
        created=opens - timedelta(hours=4),
        opens=opens,
        closes=closes,
        life=lives.settled(closes + timedelta(hours=7), 52),
        forecast=50,
        high=52,
        book="empty" if empty else "lively",
    )
