"""The catalog of one series: series → events → live markets → historical markets → missing events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeError
from kalshi.exchange.pages import Page
from kalshi.records import Event, Market, Rejected, Series, known_time
from kalshi.settings import load_settings
from kalshi.sync.cutoff import with_current_cutoff
from kalshi.sync.decisions import write_decision_times
from kalshi.sync.evidence import Doubt, Reading, expect, read_missing, warn_of_gaps
from kalshi.sync.lookup import look_up
from kalshi.sync.pages import next_cursor, without, write_page, write_pages
from kalshi.sync.report import Field, JobReport, added
from kalshi.sync.run import JobRequest, SyncRun, recorded_run
from kalshi.warehouse import catalog, checkpoints, gaps
from kalshi.warehouse.checkpoints import EPOCH, Window
from kalshi.warehouse.gaps import UNREADABLE, WHOLE
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

JOB = "catalog"
EVENTS_PER_LOOKUP = 100


@dataclass(frozen=True)
class CatalogRequest(JobRequest):
    """What to sync: one series, including the historical tier (before ``cutoff``) until that is complete.

    ``max_pages`` caps each list; ``full`` rereads the historical tier even if it is complete.
    """

    cutoff: datetime
    max_pages: int | None = None
    include_historical: bool = True
    full: bool = False


class CatalogReport(JobReport, kw_only=True):
    """How one catalog sync went. Markets and events are those read in this run, each counted once."""

    markets: Annotated[int, Field("markets read in this run, each counted once", "markets")] = 0
    events: Annotated[int, Field("their events", "events")] = 0
    earliest_close_time_utc: Annotated[
        datetime | None, Field("the first close of the markets read", "first close", min, "day")
    ] = None
    latest_close_time_utc: Annotated[
        datetime | None, Field("the last close of the markets read", "last close", max, "day")
    ] = None
    statuses: Annotated[dict[str, int], Field("the markets read, by status", merge=added)] = msgspec.field(
        default_factory=dict
    )


@dataclass
class _Tally:
    """Adds the markets read to the report, each once."""

    report: CatalogReport
    tickers: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)

    def see(self, page: Page[Market]) -> None:
        for found in page.records:
            if found.record.ticker not in self.tickers:
                self._count(found.record)

    def _count(self, market: Market) -> None:
        self.tickers.add(market.ticker)
        self.events.add(market.event_ticker)
        report, status = self.report, market.status or "unknown"
        report.markets, report.events = len(self.tickers), len(self.events)
        report.statuses[status] = report.statuses.get(status, 0) + 1
        close = known_time(market.close_time)
        if close is not None:
            report.earliest_close_time_utc = min(close, report.earliest_close_time_utc or close)
            report.latest_close_time_utc = max(close, report.latest_close_time_utc or close)


def sync_catalog(exchange: Exchange, engine: sa.Engine, request: CatalogRequest) -> CatalogReport:
    """Sync one series and return its report (see ``docs/reports.md``).

    Each page commits together with its rejected records and the progress of its window. The windows
    before and after the cutoff are checkpoints: the first is read until complete, and again after a week (``[catalog]
    archive_days`` in ``kalshi.toml``), and resumes at the page where a killed run stopped; the second is read every
    time.

    Raises:
        ExchangeError: the exchange refused, was unavailable or paginated in a loop; what was read is kept.
        TooManyRejected: after loading the rest.
    """
    report = CatalogReport()
    with recorded_run(engine, request.key(JOB), exchange.traffic, request.tolerated_share, report=report) as run:
        request = with_current_cutoff(exchange, run, request)
        too_many = _SeriesSync(exchange, run, request, _Tally(report)).run_all()
        warn_of_gaps(run, JOB)
        run.check_rejected(too_many)
    return report


class _SeriesSync:
    def __init__(self, exchange: Exchange, run: SyncRun, request: CatalogRequest, tally: _Tally) -> None:
        self._exchange, self._run, self._request, self._tally = exchange, run, request, tally
        self._scope = request.scope

    def run_all(self) -> bool:
        """Read the catalog. Returns whether too many records were rejected."""
        run, request = self._run, self._request
        live = Window(JOB, self._scope, request.cutoff, datetime.now(UTC))
        archive = Window(JOB, self._scope, EPOCH, request.cutoff)
        expect(run, live, force=True)
        if request.include_historical:
            days = load_settings().catalog.archive_days
            is_old = in_transaction(run.engine, checkpoints.is_older, archive, days)
            expect(run, archive, force=request.full or is_old)
        self._series()
        too_many = read_missing(run, live, self._read, older=False)
        if request.include_historical:
            too_many |= read_missing(run, archive, self._read)
        return too_many

    def _read(self, reading: Reading) -> Iterator[Doubt]:
        if reading.market not in (WHOLE, UNREADABLE):
            yield from look_up(self._exchange, self._run, [reading.market], self._write_markets, reading)
        elif reading.window.end <= self._request.cutoff:
            yield from self._read_archive(reading)
        else:
            yield from self._read_live(reading)
        self._enrich_placeholders()
        write_decision_times(self._run)
        timeless = in_transaction(self._run.engine, catalog.timeless_markets, self._scope)
        yield from (Doubt(market, "its open or close time isn't known") for market in timeless if reading.wants(market))

    def _read_live(self, reading: Reading) -> Iterator[Doubt]:
        since = int(self._request.cutoff.timestamp())
        events = self._exchange.events(min_close_ts=since, **self._lists)
        yield from write_pages(self._run, events, self._write_events, reading, concerns=WHOLE)
        yield from self._markets(self._exchange.markets(**self._lists), reading)
        missing = in_transaction(self._run.engine, gaps.missing_markets, JOB, self._scope, reading.began)
        yield from look_up(self._exchange, self._run, missing, self._write_markets, reading)

    def _read_archive(self, reading: Reading) -> Iterator[Doubt]:
        start = next_cursor(reading.reached)
        events = self._exchange.events(**self._lists)
        yield from write_pages(self._run, events, self._write_events, reading, concerns=WHOLE)
        archived = self._exchange.historical_markets(start=start, **self._lists)
        yield from self._markets(without(archived, frozenset(self._tally.tickers)), reading, resumable=True)

    @property
    def _lists(self) -> dict[str, Any]:
        return {"series_ticker": self._scope, "max_pages": self._request.max_pages}

    def _series(self) -> None:
        series = self._exchange.series(self._scope)
        page: Page[Series] = (
            Page("/series", 1, [], [series], None)
            if isinstance(series, Rejected)
            else Page("/series", 1, [series], [], None)
        )
        write_page(
            self._run, page, lambda c, p: {"kalshi_series": catalog.write_series(c, p.records, self._run.run_id)}
        )
        if isinstance(series, Rejected):
            raise ExchangeError(
                f"The series {self._scope} can't be read, and so neither can its events and markets: {series.reason}"
            )

    def _markets(self, pages: Iterator[Page[Market]], reading: Reading, *, resumable: bool = False) -> list[Doubt]:
        return write_pages(
            self._run, pages, self._write_markets, reading, resumable=resumable, on_written=self._tally.see
        )

    def _write_events(self, connection: sa.Connection, page: Page[Event]) -> dict[str, WriteCounts]:
        return {"kalshi_event": catalog.write_events(connection, page.records, self._run.run_id)}

    def _write_markets(self, connection: sa.Connection, page: Page[Market]) -> dict[str, WriteCounts]:
        return catalog.write_markets(connection, page.records, self._scope, self._run.run_id)

    def _enrich_placeholders(self) -> None:
        """Fetch the events that are known only from their markets so far."""
        missing = self._placeholders()
        for start in range(0, len(missing), EVENTS_PER_LOOKUP):
            tickers = ",".join(missing[start : start + EVENTS_PER_LOOKUP])
            write_pages(self._run, self._exchange.events(tickers=tickers), self._write_events)
        still = self._placeholders() if missing else []
        if still:
            self._run.warn(
                f"{len(still)} events of {self._scope} are known only from their markets; the exchange returns no "
                f"event for them (such as {still[0]})."
            )

    def _placeholders(self) -> list[str]:
        return in_transaction(self._run.engine, catalog.placeholder_events, self._scope)
