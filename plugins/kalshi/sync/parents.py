"""Parents first: reads the catalog of a series, or single markets, before the jobs that work market by market."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.sync.catalog import JOB, CatalogRequest, sync_catalog
from kalshi.sync.run import SyncRun
from kalshi.warehouse import catalog, checkpoints
from kalshi.warehouse.checkpoints import EPOCH, EVERYTHING
from kalshi.warehouse.gaps import Gap
from kalshi.warehouse.server import in_transaction


def warn_where_no_market(run: SyncRun, start: datetime, end: datetime) -> None:
    """Warn where no market of the run's series was open from ``start`` to ``end``, and say when some were."""

    def work(connection: sa.Connection) -> tuple[bool, datetime | None, datetime | None]:
        is_open = bool(catalog.lives_of_markets(connection, run.scope, start, end))
        return is_open, *catalog.open_around(connection, run.scope, start, end)

    is_open, before, after = in_transaction(run.engine, work)
    if is_open:
        return
    words = [
        f"the latest before that closed at {before:%Y-%m-%d %H:%M}" if before else "",
        f"the first after that opens at {after:%Y-%m-%d %H:%M}" if after else "",
    ]
    known = " and ".join(filter(None, words))
    run.warn(
        f"No market of {run.scope} was open from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, so there was "
        + (f"nothing to read: {known}." if known else "nothing to read; the exchange lists no other market of it.")
    )


def ensure_catalog(
    exchange: Exchange, run: SyncRun, cutoff: datetime, start: datetime, end: datetime
) -> Callable[[Gap], None]:
    """Sync the catalog of the run's scope for the time from ``start`` to ``end``, unless it is complete.

    Returns what is to be called before an older gap is read: it ensures, once in a run, that the catalog of the gap's
    scope is there, and the historical tier of it, too, if the gap begins before ``cutoff``. A market that isn't would
    be missing without a word.
    """
    ensured: set[tuple[str, bool]] = set()

    def ensure(scope: str, since: datetime) -> None:
        with_archive = since < cutoff and scope != EVERYTHING
        if (scope, with_archive) not in ensured:
            _ensure(
                exchange, run, CatalogRequest(scope, cutoff, include_historical=with_archive), max(since, cutoff), end
            )
            ensured.update({(scope, with_archive), (scope, False)})

    ensure(run.scope, start)
    return lambda gap: ensure(gap.window.scope, gap.window.start)


def _ensure(exchange: Exchange, run: SyncRun, request: CatalogRequest, since: datetime, end: datetime) -> None:
    """Sync the catalog, a separate run in the ledger, unless it is complete from ``since``, or from the beginning, to
    ``end``. The markets that it could not read are gaps of this run's window, too (``gaps.inherit``)."""
    since = EPOCH if request.include_historical else since
    known = in_transaction(run.engine, checkpoints.covered_until, JOB, request.scope, since)
    if known is not None and known >= end:
        return
    report = sync_catalog(exchange, run.engine, replace(request, tolerated_share=run.tolerated_share))
    if report.rejected:
        run.warn(
            f"{report.rejected} records of the catalog of {request.scope} were rejected (run {report.run_id} in "
            "kalshi_rejected_record), so the data that depends on them is missing."
        )
