"""Price snapshots: the top of the book of every open market, with one timestamp per run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.pages import Page
from kalshi.records import Market
from kalshi.sync.pages import write_pages
from kalshi.sync.report import Field, JobReport
from kalshi.sync.run import JobRequest, recorded_run
from kalshi.warehouse import catalog, snapshots, sql
from kalshi.warehouse.checkpoints import EVERYTHING
from kalshi.warehouse.retention import delete_rows
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

JOB = "snapshots"
TOLERATED_DELAY = timedelta(minutes=5)
"""Either way: clocks differ, and a run may wait for a worker."""


class FutureSnapshot(ValueError):
    """A snapshot was requested under a time that hasn't come yet: nobody knows those prices."""


@dataclass(frozen=True)
class SnapshotRequest(JobRequest):
    """What to snapshot: one series, or everything, at ``snapshot_at``.

    ``include_combos``: when snapshotting everything, include multivariate combinations (hundreds of thousands).
    """

    snapshot_at: datetime
    include_combos: bool = False


class SnapshotsReport(JobReport, kw_only=True):
    """How one snapshot went."""

    snapshot_at_utc: Annotated[datetime | None, Field("the nominal time of the run", "snapshot (UTC)", max)] = None
    markets: Annotated[int, Field("open markets", "open markets")] = 0
    empty_books: Annotated[int, Field("those that nobody quotes", "empty books")] = 0

    def see(self, page: Page[Market]) -> None:
        self.markets += len(page.records)
        self.empty_books += sum(snapshots.is_empty_book(found.record) for found in page.records)


def snapshot_prices(exchange: Exchange, engine: sa.Engine, request: SnapshotRequest) -> SnapshotsReport:
    """Snapshot one series or everything, and return the report (see ``docs/reports.md``).

    Each page commits with placeholders for markets and events that don't exist yet. Existing snapshots are
    kept: a rerun adds nothing.

    Raises:
        FutureSnapshot: ``snapshot_at`` is more than five minutes ahead of this machine's clock.
        ExchangeError: the exchange refused, was unavailable or paginated in a loop; what was read is kept.
        TooManyRejected: after loading the rest.
    """
    report = SnapshotsReport(snapshot_at_utc=request.snapshot_at)
    with recorded_run(engine, request.key(JOB), exchange.traffic, request.tolerated_share, report=report) as run:

        def write(connection: sa.Connection, page: Page[Market]) -> dict[str, WriteCounts]:
            counts = catalog.write_unknown_markets(connection, page.records, run.run_id)
            misfits = {misfit.row[0] for misfit in counts["kalshi_market"].misfits}
            stored = [found for found in page.records if found.record.ticker not in misfits]
            taken = snapshots.write_snapshots(connection, stored, request.snapshot_at, page.received_at, run.run_id)
            return {**counts, "kalshi_price_snapshot": taken}

        delay = datetime.now(UTC) - request.snapshot_at
        if delay < -TOLERATED_DELAY:
            raise FutureSnapshot(
                f"The snapshot's time {request.snapshot_at:%Y-%m-%d %H:%M} UTC lies "
                f"{-delay.total_seconds() / 60:,.0f} minutes in the future, and today's prices must not be stored "
                "under it: choose a time that has come."
            )
        if delay > TOLERATED_DELAY:
            run.warn(
                f"The prices of {run.scope} were read {delay.total_seconds() / 60:.0f} minutes after the "
                "snapshot's timestamp: observed_at_utc records when."
            )
        write_pages(run, _open_markets(exchange, request), write, on_written=report.see)
        if request.by_hand and not report.markets:
            run.warn(f"No market of {run.scope} is open at the moment, so there was no price to snapshot.")
        run.check_rejected(run.too_many_rejected)
    return report


def _open_markets(exchange: Exchange, request: SnapshotRequest) -> Any:
    if request.scope != EVERYTHING:
        return exchange.markets(status="open", series_ticker=request.scope)
    return exchange.markets(status="open", mve_filter=None if request.include_combos else "exclude")


def prune_snapshots(engine: sa.Engine, older_than: datetime, *, dry_run: bool) -> int:
    """Delete the snapshots before ``older_than`` in batches; return how many there were."""
    old = "kalshi_price_snapshot WHERE snapshot_at_utc < :older_than"
    if dry_run:
        query = f"SELECT COUNT(*) FROM {old}"
        return in_transaction(engine, lambda c: int(sql.run(c, query, older_than=older_than).scalar_one()))
    return delete_rows(engine, old, older_than=older_than)
