"""Series that the real exchange doesn't have: a very wide one, and one with edge cases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from sandbox import lives
from sandbox.markets import YES, City, Event, Market, Verdict, ticker_day

WIDE = City("KXSANDBOXWIDE", "Sandbox City", "CLISBX", -5, 50, 0)
ODD = City("KXSANDBOXODD", "Sandbox City", "CLISBX", -5, 50, 0)
FIRST_ODD = date(2026, 9, 14)
ODD_VERDICTS = {
    "SCALAR": Verdict("scalar", "0.3700"),
    "VOID": Verdict("", None),
    "UNDATED": YES._replace(dated=False),
}


def wide_event(number: int) -> Event:
    """An event with ``number`` markets, open until 2100, with quotes but no trades."""
    day = date(2099, 12, 31)
    opened, far = datetime(2023, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, 5, tzinfo=UTC)
    ticker = f"{WIDE.series}-{ticker_day(day)}"
    event = Event(ticker, WIDE, day, opened, opened, far, lives.settled(far, 50), 50, 50, book="quiet")
    event.markets.extend(Market(f"{ticker}-T{n}", event, "greater", n, None) for n in range(number))
    return event


def odd_events(opening: date) -> Iterator[Event]:
    """The edge-case events that open on a day: on every 14th, one for the next day that settles in three odd ways, and
    on the 14th of each quarter's last month one that stays open to the end of the next quarter, with an empty book.

    The first ones open on 2026-09-14.
    """
    if opening.day != 14 or opening < FIRST_ODD:
        return
    settled = _odd_event(opening + timedelta(days=1), opening)
    for floor, (name, verdict) in enumerate(ODD_VERDICTS.items(), 50):
        settled.markets.append(Market(f"{settled.ticker}-{name}", settled, "greater", floor, None, verdict))
    yield settled
    if opening.month % 3 == 0:
        later = opening.replace(day=1) + timedelta(days=4 * 31)  # in the month after the next quarter
        empty = _odd_event(later.replace(day=1) - timedelta(days=1), opening, empty=True)
        empty.markets.append(Market(f"{empty.ticker}-EMPTY", empty, "greater", 50, None))
        yield empty


def _odd_event(day: date, opening: date, *, empty: bool = False) -> Event:
    """An event about ``day`` that opens on the day ``opening``."""
    opens = datetime.combine(opening, time(14), UTC)
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
