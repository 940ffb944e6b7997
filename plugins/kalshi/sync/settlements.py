"""The settlements of one series, or of the whole exchange: settled markets of both tiers, then markets that should have
settled by now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.pages import Page
from kalshi.records import Found, Market
from kalshi.sync.cutoff import with_current_cutoff
from kalshi.sync.decisions import write_decision_times
from kalshi.sync.evidence import Doubt, Reading, expect, read_missing, warn_of_gaps
from kalshi.sync.lookup import ARCHIVED, know_events, look_up, markets_of
from kalshi.sync.pages import next_cursor, without, write_pages
from kalshi.sync.report import Field, JobReport
from kalshi.sync.run import JobRequest, SyncRun, recorded_run
from kalshi.sync.tickers import SeenTickers
from kalshi.warehouse import catalog, checkpoints, gaps, settlements
from kalshi.warehouse.checkpoints import EPOCH, Window
from kalshi.warehouse.gaps import WHOLE
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

JOB = "settlements"
OVERLAP = timedelta(days=1)
"""An incremental run rereads this much: a settlement may be published later than its timestamp."""
SETTLED = ("finalized", "settled")
"""Only "finalized" is final today (Kalshi docs, "Market lifecycle"); "settled" was its name in the old API."""


@dataclass(frozen=True)
class SettlementsRequest(JobRequest):
    """What to sync: one series; the first run and a ``full`` one include the historical tier (before ``cutoff``). Or
    EVERYTHING of the live tier but multivariate combinations."""

    cutoff: datetime
    max_pages: int | None = None
    full: bool = False

    @property
    def begins(self) -> datetime:
        """How far back it can read."""
        return EPOCH if self.series_ticker else self.cutoff


class SettlementsReport(JobReport, kw_only=True):
    """How one settlements sync went."""

    markets: Annotated[int, Field("markets read in this run, each counted once", "markets read")] = 0
    settled: Annotated[int, Field("settlements in the warehouse now", "settled")] = 0
    newly_settled: Annotated[int, Field("those added by this run", "newly settled")] = 0
    amended: Annotated[int, Field("results or values changed since the previous run", "amended")] = 0
    without_result: Annotated[list[str], Field("markets settled without a result", "no result")] = msgspec.field(
        default_factory=list
    )
    overdue: Annotated[list[str], Field("markets past their close but not settled", "overdue")] = msgspec.field(
        default_factory=list
    )
    events_without_one_yes: Annotated[
        list[str], Field("events fully settled without exactly one YES", "not exactly one YES")
    ] = msgspec.field(default_factory=list)


@dataclass
class _Tally:
    read: SeenTickers = field(default_factory=SeenTickers)
    without_result: set[str] = field(default_factory=set)

    def see(self, page: Page[Market]) -> None:
        self.read.add(f.record.ticker for f in page.records)
        self.without_result |= {f.record.ticker for f in page.records if _is_settled(f) and not f.record.result}


def _is_settled(found: Found[Market]) -> bool:
    return found.record.status in SETTLED


def sync_settlements(exchange: Exchange, engine: sa.Engine, request: SettlementsRequest) -> SettlementsReport:
    """Sync one series and return its report (see ``docs/reports.md``).

    The first run reads every settled market (of EVERYTHING, those of the live tier); later runs read those settled
    since, with an overlap of a day. Every run reads the markets that are closed but not settled yet, and looks up by
    ticker those that are past their close here and appear in neither list.

    Raises:
        ExchangeError: the exchange refused, was unavailable or paginated in a loop; what was read is kept.
        TooManyRejected: after loading the rest.
    """
    report = SettlementsReport()
    with recorded_run(engine, request.key(JOB), exchange.traffic, request.tolerated_share, report=report) as run:
        request = with_current_cutoff(exchange, run, request)
        tally = _Tally()
        try:
            too_many = _sync(exchange, run, request, tally)
        finally:
            in_transaction(engine, _describe, run, report, tally)
        _warn_of_odd_ones(run, report)
        warn_of_gaps(run, JOB)
        run.check_rejected(too_many)
    return report


def _warn_of_odd_ones(run: SyncRun, report: SettlementsReport) -> None:
    if unknown := report.without_result:
        run.warn(f"{len(unknown)} markets of {run.scope} are settled but have no result, such as {unknown[0]}.")
    if odd := report.events_without_one_yes:
        run.warn(f"{len(odd)} settled events of {run.scope} don't have exactly one YES, such as {odd[0]}.")


def _sync(exchange: Exchange, run: SyncRun, request: SettlementsRequest, tally: _Tally) -> bool:
    """Sync the settlements. Returns whether too many records were rejected."""
    until = min(request.window_end or request.asked_at, request.asked_at)
    since = None if request.full else in_transaction(run.engine, _since, run.scope, request.begins)
    window = Window(JOB, run.scope, since or request.begins, until)
    expect(run, window, force=True)
    return read_missing(run, window, partial(_read, exchange, run, request, tally))


def _read(
    exchange: Exchange, run: SyncRun, request: SettlementsRequest, tally: _Tally, reading: Reading
) -> Iterator[Doubt]:
    def write(connection: sa.Connection, page: Page[Market]) -> dict[str, WriteCounts]:
        return _write(connection, page, run.scope, run.run_id)

    know = partial(know_events, exchange, run)
    if not reading.is_whole:
        yield from look_up(exchange, run, [reading.market], write, reading)
        return
    if reading.window.start < request.begins:
        yield Doubt(WHOLE, ARCHIVED)
        return
    lists: dict[str, Any] = {"series_ticker": request.series_ticker, "max_pages": request.max_pages}
    if not request.series_ticker:
        lists["mve_filter"] = "exclude"
    since = reading.window.start
    new = int(since.timestamp()) if since > request.begins else None
    live = exchange.markets(status="settled", min_settled_ts=new, **lists)
    yield from write_pages(run, live, write, reading, on_read=know, on_written=tally.see)
    if request.series_ticker and since < request.cutoff:
        archived = exchange.historical_markets(start=next_cursor(reading.reached), **lists)
        old = without(archived, tally.read)
        yield from write_pages(run, old, write, reading, resumable=True, on_written=tally.see)
    closed = exchange.markets(status="closed", **lists)
    yield from write_pages(run, closed, write, reading, on_read=know, on_written=tally.see)
    overdue = _overdue(exchange, run, tally)
    yield from write_pages(run, overdue, write, reading, on_read=know, on_written=tally.see)
    missing = in_transaction(run.engine, gaps.missing_markets, JOB, run.scope, reading.began)
    unseen = [ticker for ticker in missing if ticker not in tally.read]
    yield from look_up(exchange, run, unseen, write, reading)
    write_decision_times(run)


def _since(connection: sa.Connection, series_ticker: str, begins: datetime) -> datetime | None:
    """Where an incremental run begins; None if no run ever read everything from where it ``begins``.

    The exchange's clock and ours may differ, so the timestamp of its latest settlement counts too.
    """
    read = checkpoints.read_until(connection, JOB, series_ticker, begins)
    if read is None:
        return None
    latest = settlements.latest_settled_at(connection, series_ticker)
    return max(begins, min(read, latest or read) - OVERLAP)


def _overdue(exchange: Exchange, run: SyncRun, tally: _Tally) -> Iterator[Page[Market]]:
    """Read the markets not read yet whose settlement is missing or doubtful here, from either tier."""
    doubtful = in_transaction(run.engine, settlements.doubtful, run.scope)
    tickers = [ticker for ticker in doubtful if ticker not in tally.read]
    return markets_of(exchange, tickers)


def _write(connection: sa.Connection, page: Page[Market], series_ticker: str, run_id: int) -> dict[str, WriteCounts]:
    counts = catalog.write_markets(connection, page.records, series_ticker, run_id)
    misfits = {misfit.row[0] for misfit in counts["kalshi_market"].misfits}
    settled = [f for f in page.records if _is_settled(f) and f.record.ticker not in misfits]
    written = settlements.write_settlements(connection, settled, series_ticker, run_id)
    return {**counts, "kalshi_settlement": written}


def _describe(connection: sa.Connection, run: SyncRun, report: SettlementsReport, tally: _Tally) -> None:
    report.markets = len(tally.read)
    report.settled = settlements.count(connection, run.scope)
    report.newly_settled = run.counts.get("kalshi_settlement", WriteCounts()).inserted
    report.amended = settlements.amended_since_last_run(connection, JOB, run.scope, run.run_id)
    report.without_result = settlements.without_settlement(connection, tally.without_result)
    report.overdue = settlements.overdue(connection, run.scope)
    report.events_without_one_yes = settlements.events_without_one_yes(connection, run.scope)
