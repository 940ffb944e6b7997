"""A long range of days in chunks that make one task each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True)
class Chunk:
    """One series in [start, end), aware UTC."""

    series_ticker: str
    start: datetime
    end: datetime


def plan_chunks(series: Sequence[str], first: date, last: date, days: int) -> Iterator[Chunk]:
    """The days from ``first`` to ``last``, both included, in chunks of ``days``; the oldest of all series first."""
    start, end = datetime.combine(first, time(), UTC), datetime.combine(last + timedelta(days=1), time(), UTC)
    while start < end:
        until = min(end, start + timedelta(days=days))
        for ticker in series:
            yield Chunk(ticker, start, until)
        start = until
