"""Writes pages to the warehouse: each in one transaction with its rejected records and its progress."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from kalshi.exchange import ExchangeError, ExchangeUnavailable, PageCapReached
from kalshi.exchange.pages import Page
from kalshi.records import Market, Record, Rejected
from kalshi.sync.run import SyncRun
from kalshi.warehouse import checkpoints, ledger
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import Misfit, WriteCounts

log = logging.getLogger(__name__)
CURSOR_LIFE = timedelta(minutes=30)
Write = Callable[[sa.Connection, Page[Record]], dict[str, WriteCounts]]
"""Writes the records of a page and returns the counts by table."""


@dataclass(frozen=True)
class Progress:
    """How far ``window`` is read once a page is written; if this run is killed, a later one receives ``reached``."""

    window: Window
    reached: dict[str, Any]


@contextmanager
def checkpointed(run: SyncRun, window: Window) -> Iterator[dict[str, Any] | None]:
    """A checkpoint around a block: COMPLETE if the block succeeds, else FAILED.

    Yields how far an earlier run got. If a page cap was hit, too many records were rejected or anything else
    makes the window incomplete, it is FAILED and the run continues.
    """
    run.incomplete, seen, rejected = None, run.seen, run.rejected
    reached = in_transaction(run.engine, lambda c: checkpoints.claim(c, window, run.run_id))
    try:
        yield msgspec.json.decode(reached) if reached else None
    except BaseException as error:
        reason = str(error) or type(error).__name__
        # Never resume from a cursor that was refused or that loops.
        resumable = isinstance(error, ExchangeUnavailable) or not isinstance(error, ExchangeError)
        in_transaction(run.engine, lambda c: checkpoints.fail(c, window, reason, resumable=resumable))
        raise
    if run.too_many_rejected(seen, rejected):
        run.has_spoilt_window = True
        run.incomplete = f"{run.rejected - rejected} of {run.seen - seen} records were rejected"
    if run.incomplete:
        why = run.incomplete
        in_transaction(run.engine, lambda c: checkpoints.fail(c, window, why, resumable=False))
    else:
        in_transaction(run.engine, lambda c: checkpoints.complete(c, window))


def write_pages(
    run: SyncRun,
    pages: Iterable[Page[Record]],
    write: Write[Record],
    *,
    window: Window | None = None,
    on_written: Callable[[Page[Record]], None] | None = None,
) -> None:
    """Write each page in its own transaction while the next one is being fetched.

    With ``window``, its checkpoint stores the cursor of the next page (``next_cursor``). Hitting the page
    cap becomes a warning of the run.
    """
    try:
        for page in pages:
            reached = {"next_cursor": page.cursor, "at": datetime.now(UTC).isoformat()}
            progress = Progress(window, reached) if window and page.cursor else None
            write_page(run, page, write, progress)
            if on_written:
                on_written(page)
    except PageCapReached as cap:
        run.warn(str(cap))
        run.incomplete = str(cap)


def next_cursor(reached: dict[str, Any] | None) -> str | None:
    """The cursor where a killed run stopped, unless it is old: the exchange advises against keeping one for long."""
    if not reached or datetime.now(UTC) - datetime.fromisoformat(reached["at"]) > CURSOR_LIFE:
        return None
    cursor: str = reached["next_cursor"]
    return cursor


def without(pages: Iterable[Page[Market]], tickers: Set[str]) -> Iterator[Page[Market]]:
    """The pages without the markets of these tickers.

    The tiers overlap around the cutoff. The live record wins, or the two would overwrite each other in turn.
    """
    for page in pages:
        yield replace(page, records=[found for found in page.records if found.record.ticker not in tickers])


def write_page(run: SyncRun, page: Page[Record], write: Write[Record], progress: Progress | None = None) -> None:
    """Write one page; its records, its rejected records and its progress commit together."""

    def work(connection: sa.Connection) -> tuple[dict[str, WriteCounts], int]:
        written = write(connection, page)
        misfits = [
            Rejected(page.endpoint, misfit.reason, _payload(misfit))
            for counts in written.values()
            for misfit in counts.misfits
        ]
        run.reject(connection, page.rejected + misfits)
        if progress:
            reached = msgspec.json.encode(progress.reached).decode()
            checkpoints.progress(connection, progress.window, reached)
        ledger.beat(connection, run.run_id)
        return written, len(page.rejected) + len(misfits)

    written, rejected = in_transaction(run.engine, work)
    for table, counts in written.items():
        run.count(table, counts)
    run.seen += len(page.records) + len(page.rejected)
    run.rejected += rejected
    run.pages += 1
    log.info(
        "%s %s page %d: %d records, %d rejected", run.scope, page.endpoint, page.number, len(page.records), rejected
    )


def _payload(misfit: Misfit) -> bytes:
    """What the exchange sent if the row ends with it, else the row itself."""
    if isinstance(misfit.row, bytes):
        return misfit.row
    last = misfit.row[-1]
    return last if isinstance(last, bytes) else msgspec.json.encode(misfit.row, enc_hook=str)
