"""What happens to an event after its close: settled on time, late, or settled and then amended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple


class Step(NamedTuple):
    """From ``since`` on, the event's markets have this status; ``high`` is the deciding temperature."""

    since: datetime
    status: str
    high: int


def settled(at: datetime, high: int, *, determined: timedelta = timedelta(minutes=5)) -> tuple[Step, ...]:
    """Determined, then final a while later."""
    return Step(at - determined, "determined", high), Step(at, "finalized", high)


def late(closes: datetime, days: float, high: int) -> tuple[Step, ...]:
    """Closed for some days, determined for six hours, then final."""
    return settled(closes + timedelta(days=days), high, determined=timedelta(hours=6))


def amended(at: datetime, first: int, high: int) -> tuple[Step, ...]:
    """Settled by the temperature ``first``; disputed, amended to ``high`` and settled again some hours later."""
    return (
        *settled(at, first),
        Step(at + timedelta(hours=3), "disputed", first),
        Step(at + timedelta(hours=5), "amended", high),
        Step(at + timedelta(hours=6), "finalized", high),
    )
