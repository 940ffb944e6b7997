"""Splits a long date range into chunks, one per task."""

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
    """Split ``first`` to ``last`` (inclusive) into chunks of ``days``; oldest first, for all series."""
    start, end = datetime.combine(first, time(), UTC), datetime.combine(last + timedelta(days=1), time(), UTC)
    while start < end:
        until = min(end, start + timedelta(days=days))
        for ticker in series:
            yield Chunk(ticker, start, until)
        start = until
