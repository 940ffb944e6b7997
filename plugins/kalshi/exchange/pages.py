"""Cursor pagination: a stream of pages that fails rather than ends early."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

from kalshi.exchange.errors import PageCapReached, RepeatedCursor
from kalshi.records import Found, Record, Rejected

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Record]):
    """One answer of a list endpoint. ``number`` counts from 1."""

    endpoint: str
    number: int
    records: list[Found[Record]]
    rejected: list[Rejected]
    cursor: str | None
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def paginate(
    fetch: Callable[[str | None, int], Page[Record]], *, start: str | None = None, max_pages: int | None = None
) -> Iterator[Page[Record]]:
    """Yield every page of a list, from ``fetch(cursor, page_number)``, beginning at the cursor ``start``.

    The end is a cursor that is absent, null or "".

    Raises:
        RepeatedCursor: a page pointed to one already read. That page's records were still yielded.
        PageCapReached: ``max_pages`` were yielded and the list goes on.
    """
    seen = {start}
    cursor = start
    number = 0
    while True:
        number += 1
        page = fetch(cursor, number)
        yield page
        cursor = page.cursor
        if not cursor:
            return
        if cursor in seen:
            raise RepeatedCursor(
                f"{page.endpoint} gave the same cursor again on page {number}: the rest of the list can't be "
                "reached. What was read is kept; run the task again, and report it to Kalshi if it stays."
            )
        seen.add(cursor)
        if max_pages is not None and number >= max_pages:
            raise PageCapReached(
                f"{page.endpoint} goes on after page {number}, where max_pages stopped it. "
                "What was read is kept; raise max_pages or leave it empty to read the rest."
            )


def read_ahead(items: Iterator[Item], depth: int = 1) -> Iterator[Item]:
    """The same items, up to ``depth`` of them being fetched in a thread while the caller works on another."""
    end = object()
    pool = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
    try:
        pending = deque(pool.submit(next, items, end) for _ in range(depth))
        while (item := pending.popleft().result()) is not end:
            pending.append(pool.submit(next, items, end))
            yield item  # type: ignore[misc]  # not the sentinel
    finally:
        pool.shutdown(cancel_futures=True)
