"""The catalog of one series: series → events → live markets → historical markets → missing events."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeError, ExchangeUnavailable, PageCapReached
from kalshi.exchange.pages import Page
from kalshi.records import Event, Market, Record, Rejected, Series, known_time
from kalshi.sync.run import SyncRun, recorded_run
from kalshi.warehouse import catalog, checkpoints, ledger
from kalshi.warehouse.checkpoints import EPOCH, Window
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

log = logging.getLogger(__name__)
JOB = "catalog"
PLAN = "(plan)"
"""The scope of the run that prepares those of the series."""
EVENTS_PER_LOOKUP = 100
Write = Callable[[sa.Connection, Page[Record]], dict[str, WriteCounts]]


@dataclass(frozen=True)
class CatalogRequest:
    """What to sync: one series, below the tier boundary ``cutoff`` too where it isn't complete yet.

    ``max_pages`` caps each list; ``full`` reads the historical tier even where it is complete.
    ``tolerated_share`` is the share of rejected records above which the run fails at its end.
    """

    series_ticker: str
    cutoff: datetime
    max_pages: int | None = None
    include_historical: bool = True
    full: bool = False
    tolerated_share: float = 0.01
    dag_run_id: str | None = None
    window_start: datetime | None = None
    window_end: datetime | None = None


@dataclass
class _Tally:
    """What the report says of the markets that went by, each counted once."""

    tickers: set[str] = field(default_factory=set)
    pages: int = 0
    events: set[str] = field(default_factory=set)
    statuses: Counter[str] = field(default_factory=Counter)
    earliest_close: datetime | None = None
    latest_close: datetime | None = None

    def see(self, market: Market) -> None:
        if market.ticker in self.tickers:
            return
        self.tickers.add(market.ticker)
        self.events.add(market.event_ticker)
        self.statuses[market.status or "unknown"] += 1
        close = known_time(market.close_time)
        if close is not None:
            self.earliest_close = min(close, self.earliest_close or close)
            self.latest_close = max(close, self.latest_close or close)


def find_cutoff(exchange: Exchange, engine: sa.Engine, dag_run_id: str | None = None) -> datetime:
    """Where the historical tier begins: markets settled earlier are only there. A run of its own in the ledger."""
    with recorded_run(engine, ledger.RunKey(JOB, PLAN, dag_run_id), exchange.traffic):
        return exchange.historical_cutoff().markets_settled


def sync_series(exchange: Exchange, engine: sa.Engine, request: CatalogRequest) -> dict[str, Any]:
    """Sync one series and return its report (see ``docs/reports.md``).

    Each page commits together with its rejected records and how far it brought its window. The windows
    before and after the cutoff are checkpoints: the first is read once, until complete, and resumes at
    the page where a killed run stopped; the second is read every time.

    Raises:
        ExchangeError: the exchange refused, stayed away or paginated in a circle; what came is kept.
        TooManyRejected: after loading the rest.
    """
    key = ledger.RunKey(JOB, request.series_ticker, request.dag_run_id, request.window_start, request.window_end)
    with recorded_run(engine, key, exchange.traffic) as run:
        tally = _Tally()
        try:
            _SeriesSync(exchange, run, request, tally).run_all()
            run.check_rejected(request.tolerated_share)
        finally:
            run.report = _describe(tally)
    return run.report


def _describe(tally: _Tally) -> dict[str, Any]:
    return {
        "markets": len(tally.tickers),
        "events": len(tally.events),
        "pages": tally.pages,
        "earliest_close_time_utc": tally.earliest_close,
        "latest_close_time_utc": tally.latest_close,
        "statuses": dict(sorted(tally.statuses.items())),
    }


class _SeriesSync:
    def __init__(self, exchange: Exchange, run: SyncRun, request: CatalogRequest, tally: _Tally) -> None:
        self._exchange, self._run, self._request, self._tally = exchange, run, request, tally
        self._scope = request.series_ticker
        self._cap: PageCapReached | None = None

    def run_all(self) -> None:
        engine, request = self._run.engine, self._request
        live = Window(JOB, self._scope, request.cutoff, datetime.now(UTC))
        archive = Window(JOB, self._scope, EPOCH, request.cutoff)
        lists: dict[str, Any] = {"series_ticker": self._scope, "max_pages": request.max_pages}
        self._series()
        with self._window(live):
            since = int(request.cutoff.timestamp())
            self._pages(self._exchange.events(min_close_ts=since, **lists), self._write_events)
            self._pages(self._exchange.markets(**lists), self._write_markets)
        if request.include_historical and (
            request.full or not in_transaction(engine, lambda c: checkpoints.is_covered(c, archive))
        ):
            with self._window(archive) as start:
                self._pages(self._exchange.events(**lists), self._write_events)
                # The tiers overlap around the cutoff; the live answer counts, or the two would take turns.
                live_tickers = frozenset(self._tally.tickers)
                archived = (
                    replace(page, records=[f for f in page.records if f.record.ticker not in live_tickers])
                    for page in self._exchange.historical_markets(start=start, **lists)
                )
                self._pages(archived, self._write_markets, archive)
        self._enrich_placeholders()

    @contextmanager
    def _window(self, window: Window) -> Iterator[str | None]:
        """A checkpoint around a block: COMPLETE when it ends well, else FAILED.

        Yields the cursor of the page where an earlier run stopped. A page cap is the user's wish: the
        window is FAILED, and the run goes on, to end with a warning.
        """
        engine, self._cap = self._run.engine, None
        reached = in_transaction(engine, lambda c: checkpoints.claim(c, window, self._run.run_id))
        try:
            yield msgspec.json.decode(reached)["next_cursor"] if reached else None
        except BaseException as error:
            reason = str(error) or type(error).__name__
            # A cursor that was refused or went in a circle is no place to go on from.
            resumable = isinstance(error, ExchangeUnavailable) or not isinstance(error, ExchangeError)
            in_transaction(engine, lambda c: checkpoints.fail(c, window, reason, resumable=resumable))
            raise
        if self._cap:
            cap = str(self._cap)
            in_transaction(engine, lambda c: checkpoints.fail(c, window, cap, resumable=False))
        else:
            in_transaction(engine, lambda c: checkpoints.complete(c, window))

    def _series(self) -> None:
        series = self._exchange.series(self._scope)
        page: Page[Series] = (
            Page("/series", 1, [], [series], None)
            if isinstance(series, Rejected)
            else Page("/series", 1, [series], [], None)
        )
        self._page(page, lambda c, p: {"kalshi_series": catalog.write_series(c, p.records, self._run.run_id)})
        if isinstance(series, Rejected):
            raise ExchangeError(f"The series {self._scope} can't be read, nor what hangs on it: {series.reason}")

    def _pages(self, pages: Iterator[Page[Record]], write: Write[Record], window: Window | None = None) -> None:
        """Write each page in a transaction of its own, while the next one is being fetched.

        With ``window``, its checkpoint remembers the page that comes next.
        """
        try:
            for page in pages:
                self._page(page, write, window)
        except PageCapReached as cap:
            self._run.warn(str(cap))
            self._cap = cap

    def _page(self, page: Page[Record], write: Write[Record], window: Window | None = None) -> None:
        def work(connection: sa.Connection) -> tuple[dict[str, WriteCounts], int]:
            written = write(connection, page)
            misfits = [
                Rejected(page.endpoint, misfit.reason, bytes(misfit.row[-1] or b""))
                for counts in written.values()
                for misfit in counts.misfits
            ]
            self._run.reject(connection, page.rejected + misfits)
            if window and page.cursor:
                reached = msgspec.json.encode({"next_cursor": page.cursor}).decode()
                checkpoints.progress(connection, window, reached)
            ledger.beat(connection, self._run.run_id)
            return written, len(page.rejected) + len(misfits)

        written, rejected = in_transaction(self._run.engine, work)
        for table, counts in written.items():
            self._run.count(table, counts)
        for found in page.records:
            if isinstance(found.record, Market):
                self._tally.see(found.record)
        self._run.seen += len(page.records) + len(page.rejected)
        self._run.rejected += rejected
        self._tally.pages += 1
        log.info(
            "%s %s page %d: %d records, %d rejected",
            self._scope,
            page.endpoint,
            page.number,
            len(page.records),
            rejected,
        )

    def _write_events(self, connection: sa.Connection, page: Page[Event]) -> dict[str, WriteCounts]:
        return {"kalshi_event": catalog.write_events(connection, page.records, self._run.run_id)}

    def _write_markets(self, connection: sa.Connection, page: Page[Market]) -> dict[str, WriteCounts]:
        markets, placeholders = catalog.write_markets(connection, page.records, self._scope, self._run.run_id)
        placeholders.unchanged = 0  # an event that was there already is no placeholder
        return {"kalshi_market": markets, "kalshi_event": placeholders}

    def _enrich_placeholders(self) -> None:
        """Fetch the events that so far are known only from their markets."""
        missing = self._placeholders()
        for start in range(0, len(missing), EVENTS_PER_LOOKUP):
            tickers = ",".join(missing[start : start + EVENTS_PER_LOOKUP])
            self._pages(self._exchange.events(tickers=tickers), self._write_events)
        still = self._placeholders() if missing else []
        if still:
            self._run.warn(
                f"{len(still)} events of {self._scope} are known only from their markets; the exchange gives no "
                f"event for them (such as {still[0]})."
            )

    def _placeholders(self) -> list[str]:
        return in_transaction(self._run.engine, lambda c: catalog.placeholder_events(c, self._scope))
