"""Cursor pagination: a stream of pages that fails rather than ending early."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

from kalshi.exchange.errors import PageCapReached, RepeatedCursor
from kalshi.records import Found, Record, Rejected

Item = TypeVar("Item")


@dataclass(frozen=True)
class Page(Generic[Record]):
    """One response of a list endpoint. ``number`` counts from 1."""

    endpoint: str
    number: int
    records: list[Found[Record]]
    rejected: list[Rejected]
    cursor: str | None
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def paginate(
    fetch: Callable[[str | None, int], Page[Record]], *, start: str | None = None, max_pages: int | None = None
) -> Iterator[Page[Record]]:
    """Yield every page of a list from ``fetch(cursor, page_number)``, starting at the cursor ``start``.

    The last page's cursor is absent, null or "".

    Raises:
        RepeatedCursor: a page pointed to one already read. Its own records were still yielded.
        PageCapReached: ``max_pages`` were yielded and there are more.
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
                f"{page.endpoint} repeated a cursor on page {number}, so the rest of the list can't be read. "
                "What was read is kept. Run the task again; if it persists, report it to Kalshi."
            )
        seen.add(cursor)
        if max_pages is not None and number >= max_pages:
            raise PageCapReached(
                f"{page.endpoint} has more pages after page {number}, where max_pages stopped the run. "
                "What was read is kept; raise max_pages or leave it empty to read the rest."
            )


@contextmanager
def read_ahead(items: Iterator[Item], depth: int = 1) -> Iterator[Iterator[Item]]:
    """For a with-block: the same items, while a thread prefetches up to ``depth`` of them.

    The thread ends with the block. It must not be left to the garbage collector, which may run inside the start of
    another thread: each would then wait for the other, for ever.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
    try:
        yield _prefetched(pool, items, depth)
    finally:
        pool.shutdown(cancel_futures=True)


def _prefetched(pool: ThreadPoolExecutor, items: Iterator[Item], depth: int) -> Iterator[Item]:
    end = object()
    pending = deque(pool.submit(next, items, end) for _ in range(depth))
    while (item := pending.popleft().result()) is not end:
        pending.append(pool.submit(next, items, end))
        yield item  # type: ignore[misc]  # not the sentinel
