"""Writes pages to the warehouse: each in one transaction with its rejected records and its progress."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from kalshi.exchange import PageCapReached
from kalshi.exchange.pages import Page, read_ahead
from kalshi.records import Market, Record, Rejected, ticker_in
from kalshi.sync.evidence import Doubt, Reading
from kalshi.sync.run import SyncRun
from kalshi.warehouse import checkpoints, gaps, ledger
from kalshi.warehouse.gaps import UNREADABLE, WHOLE, Gap
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import Misfit, WriteCounts

log = logging.getLogger(__name__)
CURSOR_LIFE = timedelta(minutes=30)
Write = Callable[[sa.Connection, Page[Record]], dict[str, WriteCounts]]
"""Writes the records of a page and returns the counts by table."""


def write_pages(
    run: SyncRun,
    pages: Iterator[Page[Record]],
    write: Write[Record],
    reading: Reading | None = None,
    *,
    concerns: str | None = None,
    resumable: bool = False,
    on_read: Callable[[Page[Record]], None] | None = None,
    on_written: Callable[[Page[Record]], None] | None = None,
) -> list[Doubt]:
    """Write each page in its own transaction while the next one is being fetched, by another thread, for ``reading``.

    ``resumable``: store the cursor of the next page (``next_cursor``). ``on_read`` is called before a page is written,
    ``on_written`` afterwards, both outside its transaction. Hitting the page cap becomes a warning of the run, and the
    doubt that is returned.
    """
    try:
        with read_ahead(pages) as prefetched:
            for page in prefetched:
                if on_read:
                    on_read(page)
                reached = {"next_cursor": page.cursor, "at": datetime.now(UTC).isoformat()}
                write_page(run, page, write, reading, reached if resumable and page.cursor else None, concerns=concerns)
                if on_written:
                    on_written(page)
    except PageCapReached as cap:
        run.warn(str(cap))
        return [Doubt(WHOLE, str(cap))]
    return []


def next_cursor(reached: dict[str, Any] | None) -> str | None:
    """The cursor where a killed run stopped, unless it is old: the exchange advises against keeping one for long."""
    if not reached or datetime.now(UTC) - datetime.fromisoformat(reached["at"]) > CURSOR_LIFE:
        return None
    cursor: str = reached["next_cursor"]
    return cursor


def without(pages: Iterable[Page[Market]], tickers: Container[str]) -> Iterator[Page[Market]]:
    """The pages without the markets of these tickers.

    The tiers overlap around the cutoff. The live record wins, or the two would overwrite each other in turn.
    """
    for page in pages:
        yield replace(page, records=[found for found in page.records if found.record.ticker not in tickers])


def write_page(
    run: SyncRun,
    page: Page[Record],
    write: Write[Record],
    reading: Reading | None = None,
    reached: dict[str, Any] | None = None,
    *,
    concerns: str | None = None,
) -> None:
    """Write one page, as :func:`write_batch` does."""
    batch = Batch(page.endpoint, page.number, len(page.records), page.rejected)
    write_batch(run, batch, lambda connection: write(connection, page), reading, reached, concerns=concerns)


@dataclass(frozen=True)
class Batch:
    """Records that are written together. ``name``: where they come from; ``number`` counts from 1; ``records``: how
    many there are besides the ``rejected`` ones."""

    name: str
    number: int
    records: int
    rejected: list[Rejected]


def write_batch(
    run: SyncRun,
    batch: Batch,
    write: Callable[[sa.Connection], dict[str, WriteCounts]],
    reading: Reading | None = None,
    reached: dict[str, Any] | None = None,
    *,
    concerns: str | None = None,
) -> None:
    """Write records; they, the rejected ones with the gaps that they leave, and the progress ``reached`` commit
    together.

    ``concerns``: the market that the batch is about (WHOLE: no single one); by default each record names its own.
    """
    seen = batch.records + len(batch.rejected)

    def work(connection: sa.Connection) -> tuple[dict[str, WriteCounts], int]:
        written = write(connection)
        misfits = [
            Rejected(batch.name, misfit.reason, _payload(misfit))
            for counts in written.values()
            for misfit in counts.misfits
        ]
        rejected = [(concerns if concerns is not None else _market(bad), bad) for bad in batch.rejected + misfits]
        if not reading:
            ledger.reject(connection, run.run_id, run.job, run.scope, None, rejected)
        else:
            lost = {market: f"rejected: {bad.reason}" for market, bad in rejected}
            found = (Gap(reading.window, *each) for each in lost.items())
            for gap in gaps.note_of_series(connection, reading.window, found, run.run_id):
                of_gap = [(market, bad) for market, bad in rejected if market == gap.market]
                ledger.reject(connection, run.run_id, gap.window.job, gap.window.scope, gap.window, of_gap)
            if reached is not None and reading.market == WHOLE:
                checkpoints.progress(connection, reading.window, reading.progress(reached, seen, len(rejected)))
        ledger.beat(connection, run.run_id)
        return written, len(rejected)

    written, rejected = in_transaction(run.engine, work)
    for table, counts in written.items():
        run.count(table, counts)
    run.seen += seen
    run.report.rejected += rejected
    if reading:
        reading.seen += seen
        reading.rejected += rejected
    run.report.pages += 1
    log.info("%s %s page %d: %d records, %d rejected", run.scope, batch.name, batch.number, batch.records, rejected)


def _market(bad: Rejected) -> str:
    """The market that a rejected record is about."""
    return ticker_in(bad.raw) or UNREADABLE


def _payload(misfit: Misfit) -> bytes:
    """What the exchange sent if the row ends with it, else the row itself."""
    if isinstance(misfit.row, bytes):
        return misfit.row
    last = misfit.row[-1]
    return last if isinstance(last, bytes) else msgspec.json.encode(misfit.row, enc_hook=str)
