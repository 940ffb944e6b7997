"""The catalog of one series, or of the whole exchange: series → events → live markets → historical markets → missing
events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeError
from kalshi.exchange.pages import Page
from kalshi.records import Event, Market, known_time
from kalshi.settings import load_settings
from kalshi.sync.cutoff import with_current_cutoff
from kalshi.sync.decisions import write_decision_times
from kalshi.sync.evidence import MOST_NAMED, Doubt, Reading, expect, read_missing, refusal_logged, warn_of_gaps
from kalshi.sync.lookup import ARCHIVED, look_up, markets_of, read_events
from kalshi.sync.pages import next_cursor, without, write_page, write_pages
from kalshi.sync.report import Field, JobReport, added
from kalshi.sync.run import JobRequest, SyncRun, recorded_run
from kalshi.sync.tickers import SeenTickers
from kalshi.text import first_few
from kalshi.warehouse import catalog, checkpoints, gaps, ledger
from kalshi.warehouse.checkpoints import EPOCH, EVERYTHING, Window
from kalshi.warehouse.gaps import WHOLE, Gap
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

JOB = "catalog"
TIMELESS = "its open or close time isn't known"
OVERLAP = timedelta(days=1)
"""An incremental run reads again what closed in this time before the last one: a close may be moved."""


@dataclass(frozen=True)
class CatalogRequest(JobRequest):
    """What to sync: one series, including the historical tier (before ``cutoff``) until that is complete; or
    EVERYTHING of the live tier but multivariate combinations (hundreds of thousands).

    ``max_pages`` caps each list; ``full`` rereads what is complete.
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
    closes_from_utc: Annotated[
        datetime | None, Field("from which close on the markets of the live tier were read", merge=min)
    ] = None
    statuses: Annotated[dict[str, int], Field("the markets read, by status", merge=added)] = msgspec.field(
        default_factory=dict
    )


@dataclass
class _Tally:
    """Adds the markets read to the report, each once."""

    report: CatalogReport
    tickers: SeenTickers = field(default_factory=SeenTickers)
    events: SeenTickers = field(default_factory=SeenTickers)

    def see(self, page: Page[Market]) -> None:
        markets = {found.record.ticker: found.record for found in page.records}
        for ticker in self.tickers.add(markets):
            self._count(markets[ticker])
        self.events.add(market.event_ticker for market in markets.values())
        self.report.markets, self.report.events = len(self.tickers), len(self.events)

    def _count(self, market: Market) -> None:
        report, status = self.report, market.status or "unknown"
        report.statuses[status] = report.statuses.get(status, 0) + 1
        close = known_time(market.close_time)
        if close is not None:
            report.earliest_close_time_utc = min(close, report.earliest_close_time_utc or close)
            report.latest_close_time_utc = max(close, report.latest_close_time_utc or close)


def sync_catalog(exchange: Exchange, engine: sa.Engine, request: CatalogRequest) -> CatalogReport:
    """Sync one series, or EVERYTHING, and return the report (see ``docs/reports.md``).

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
        too_many = _CatalogSync(exchange, run, request, _Tally(report)).run_all()
        warn_of_gaps(run, JOB)
        run.check_rejected(too_many)
    if request.scope == EVERYTHING and request.include_historical:
        _keep_archives(exchange, engine, request)
    return report


def _keep_archives(exchange: Exchange, engine: sa.Engine, request: CatalogRequest) -> None:
    """Sync the series whose historical tier was read before, but not lately: nothing else reads it again."""
    days = load_settings().catalog.archive_days
    for series_ticker in in_transaction(engine, checkpoints.scopes_older, JOB, EPOCH, days):
        with refusal_logged(f"the archive of {series_ticker}"):
            sync_catalog(exchange, engine, replace(request, scope=series_ticker))


def _note(connection: sa.Connection, found: list[Gap], run_id: int) -> None:
    gaps.note(connection, found, run_id)
    for scope in sorted({gap.window.scope for gap in found}):
        gaps.restate(connection, JOB, scope)


class _CatalogSync:
    def __init__(self, exchange: Exchange, run: SyncRun, request: CatalogRequest, tally: _Tally) -> None:
        self._exchange, self._run, self._request, self._tally = exchange, run, request, tally
        self._scope = request.scope
        self._series_ticker = request.series_ticker

    def run_all(self) -> bool:
        """Read the catalog. Returns whether too many records were rejected."""
        run, request = self._run, self._request
        live = Window(JOB, self._scope, self._live_from(), datetime.now(UTC))
        archive = Window(JOB, self._scope, EPOCH, request.cutoff)
        with_archive = request.include_historical and bool(self._series_ticker)
        expect(run, live, force=True)
        if with_archive:
            days = load_settings().catalog.archive_days
            is_old = in_transaction(run.engine, checkpoints.is_older, archive, days)
            expect(run, archive, force=request.full or is_old)
        self._series()
        is_everything = not self._series_ticker
        too_many = read_missing(run, live, self._read, older=is_everything, anywhere=is_everything)
        if with_archive:
            too_many |= read_missing(run, archive, self._read)
        return too_many

    def _live_from(self) -> datetime:
        """Where the window of the live tier begins. Of the whole exchange, what was read before isn't read again to
        prove anything."""
        cutoff = self._request.cutoff
        if self._series_ticker:
            return cutoff
        read = in_transaction(self._run.engine, checkpoints.read_until, JOB, self._scope, cutoff)
        return max(cutoff, read - OVERLAP) if read else cutoff

    def _closes_from(self, start: datetime) -> datetime:
        """From which close on the live markets are read: from the window's ``start``; but once a week (``[catalog]
        archive_days``), or if all is to be reread, from the cutoff, as some market may have been listed long after its
        close. That proves nothing that isn't proven already, so that a reading which fails leaves no gap in it: what
        the exchange archives meanwhile couldn't be read again."""
        cutoff, days = self._request.cutoff, load_settings().catalog.archive_days
        if self._tally.report.closes_from_utc:  # this run has read them
            return start
        if self._request.full or start <= cutoff:
            return cutoff
        known = in_transaction(self._run.engine, ledger.reports_since, self._run.job, self._scope, days)
        since = [report["closes_from_utc"] for report in known if report.get("closes_from_utc")]
        is_due = not any(datetime.fromisoformat(each) <= cutoff for each in since)
        return cutoff if is_due else start

    def _read(self, reading: Reading) -> Iterator[Doubt]:
        if not reading.is_whole:
            yield from look_up(self._exchange, self._run, [reading.market], self._write_markets, reading)
            if not self._series_ticker:
                if in_transaction(self._run.engine, catalog.timeless_markets, self._scope, reading.market):
                    yield Doubt(reading.market, TIMELESS)
                return
        elif not self._series_ticker and reading.window.start < self._request.cutoff:
            yield Doubt(WHOLE, ARCHIVED)
            return
        elif reading.window.end <= self._request.cutoff:
            yield from self._read_archive(reading)
        else:
            yield from self._read_live(reading)
        self._enrich_placeholders()
        write_decision_times(self._run)
        yield from self._timeless(reading)

    def _timeless(self, reading: Reading) -> Iterator[Doubt]:
        """The markets of which the exchange doesn't say when they trade. They are gaps of their series: of the whole
        exchange, nothing else is in doubt because of them."""
        timeless = in_transaction(self._run.engine, catalog.timeless_markets, self._scope)
        if timeless and not self._series_ticker:  # an incremental list may have left them out
            again = markets_of(self._exchange, [market for market, _ in timeless])
            yield from write_pages(self._run, again, self._write_markets, reading)
            timeless = in_transaction(self._run.engine, catalog.timeless_markets, self._scope)
        doubts = {m: (series, TIMELESS) for m, series in timeless if reading.wants(m)}
        if self._series_ticker:
            yield from (Doubt(market, reason) for market, (_, reason) in doubts.items())
            return
        # The next reading, which begins so much earlier, takes them up again.
        lately = replace(reading.window, start=max(reading.window.start, reading.window.end - OVERLAP))
        found = [Gap(replace(lately, scope=series), market, reason) for market, (series, reason) in doubts.items()]
        in_transaction(self._run.engine, _note, found, self._run.run_id)
        if found:
            named = first_few([gap.market for gap in found], MOST_NAMED)
            self._run.warn(f"The open or close time isn't known of {named}: gaps of their series.")

    def _read_live(self, reading: Reading) -> Iterator[Doubt]:
        since, markets = reading.window.start, self._lists
        if not self._series_ticker:
            since = self._closes_from(since)
            markets = {**markets, "mve_filter": "exclude"}
            if since > self._request.cutoff:
                markets["min_close_ts"] = int(since.timestamp())
        events = self._exchange.events(min_close_ts=int(since.timestamp()), **self._lists)
        yield from write_pages(self._run, events, self._write_events, reading, concerns=WHOLE)
        yield from self._markets(self._exchange.markets(**markets), reading)
        if self._request.max_pages is None:
            self._tally.report.closes_from_utc = min(since, self._tally.report.closes_from_utc or since)
        missing = in_transaction(self._run.engine, gaps.missing_markets, JOB, self._scope, reading.began)
        yield from look_up(self._exchange, self._run, missing, self._write_markets, reading)

    def _read_archive(self, reading: Reading) -> Iterator[Doubt]:
        start = next_cursor(reading.reached)
        events = self._exchange.events(**self._lists)
        yield from write_pages(self._run, events, self._write_events, reading, concerns=WHOLE)
        archived = self._exchange.historical_markets(start=start, **self._lists)
        yield from self._markets(without(archived, self._tally.tickers), reading, resumable=True)

    @property
    def _lists(self) -> dict[str, Any]:
        return {"series_ticker": self._series_ticker, "max_pages": self._request.max_pages}

    def _series(self) -> None:
        page = self._exchange.series(self._series_ticker) if self._series_ticker else self._exchange.all_series()
        write_page(
            self._run, page, lambda c, p: {"kalshi_series": catalog.write_series(c, p.records, self._run.run_id)}
        )
        if self._series_ticker and page.rejected:
            raise ExchangeError(
                f"The series {self._scope} can't be read, and so neither can its events and markets: "
                f"{page.rejected[0].reason}"
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
        read_events(self._exchange, self._run, missing)
        still = self._placeholders() if missing else []
        if still:
            self._run.warn(
                f"{len(still)} events of {self._scope} are known only from their markets; the exchange returns no "
                f"event for them (such as {still[0]})."
            )

    def _placeholders(self) -> list[str]:
        return in_transaction(self._run.engine, catalog.placeholder_events, self._scope)
