"""The catalog of one series: series → events → live markets → historical markets → missing events."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeError, PageCapReached
from kalshi.exchange.pages import Page
from kalshi.records import Event, Found, Market, Record, Rejected, known_time
from kalshi.sync.run import SyncRun, recorded_run
from kalshi.warehouse import catalog, checkpoints, ledger
from kalshi.warehouse.checkpoints import EPOCH, Window
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

log = logging.getLogger(__name__)
JOB = "catalog"
EVENTS_PER_LOOKUP = 100


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
    """What the report says of the markets that went by. ``live`` remembers tickers of the live tier."""

    markets: int = 0
    pages: int = 0
    events: set[str] = field(default_factory=set)
    statuses: Counter[str] = field(default_factory=Counter)
    earliest_close: datetime | None = None
    latest_close: datetime | None = None
    live: set[str] = field(default_factory=set)

    def see(self, market: Market) -> None:
        self.markets += 1
        self.events.add(market.event_ticker)
        self.statuses[market.status or "unknown"] += 1
        close = known_time(market.close_time)
        if close is not None:
            self.earliest_close = min(close, self.earliest_close or close)
            self.latest_close = max(close, self.latest_close or close)


def sync_series(exchange: Exchange, engine: sa.Engine, request: CatalogRequest) -> dict[str, Any]:
    """Sync one series and return its report (see ``docs/reports.md``).

    Each page and the rejected records in it commit together. The windows before and after the cutoff
    are checkpoints: the first is read once, until complete; the second every time.

    Raises:
        ExchangeError: the exchange refused, stayed away or paginated in a circle; what came is kept.
        TooManyRejected: after loading the rest.
    """
    key = ledger.RunKey(
        JOB, request.series_ticker, request.dag_run_id, request.window_start, request.window_end
    )
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
        "markets": tally.markets,
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

    def run_all(self) -> None:
        live = Window(JOB, self._scope, self._request.cutoff, datetime.now(UTC))
        archive = Window(JOB, self._scope, EPOCH, self._request.cutoff)
        read_archive = self._request.include_historical and (
            self._request.full or not in_transaction(self._run.engine, lambda c: checkpoints.is_covered(c, archive))
        )
        filters = {"series_ticker": self._scope}
        cap = self._request.max_pages
        self._series()
        # Events are never archived; those that closed before the live tier begins are read with the archive.
        closing = None if read_archive else int(self._request.cutoff.timestamp())
        self._pages(self._exchange.events(max_pages=cap, min_close_ts=closing, **filters), self._write_events)
        with self._window(live):
            self._pages(self._exchange.markets(max_pages=cap, **filters), self._write_live)
        if read_archive:
            with self._window(archive):
                self._pages(self._exchange.historical_markets(max_pages=cap, **filters), self._write_archived)
        self._enrich_placeholders()

    def _window(self, window: Window) -> _ClaimedWindow:
        return _ClaimedWindow(self._run, window)

    def _series(self) -> None:
        series = self._exchange.series(self._scope)

        def write(connection: sa.Connection) -> WriteCounts:
            if isinstance(series, Rejected):
                self._run.reject(connection, [series])
                return WriteCounts()
            return catalog.write_series(connection, [series], self._run.run_id)

        written = in_transaction(self._run.engine, write)
        self._run.seen += 1
        if isinstance(series, Rejected):
            self._run.rejected += 1
            raise ExchangeError(f"The series {self._scope} can't be read, nor what hangs on it: {series.reason}")
        self._run.count("kalshi_series", written)

    def _pages(
        self, pages: Iterator[Page[Record]], write: Callable[[sa.Connection, Page[Record]], dict[str, WriteCounts]]
    ) -> None:
        """Write each page in a transaction of its own, while the next one is being fetched."""
        try:
            for page in pages:
                self._page(page, write)
        except PageCapReached as cap:
            self._run.warn(str(cap))
            raise

    def _page(
        self, page: Page[Record], write: Callable[[sa.Connection, Page[Record]], dict[str, WriteCounts]]
    ) -> None:
        def work(connection: sa.Connection) -> tuple[dict[str, WriteCounts], int]:
            written = write(connection, page)
            misfits = [
                Rejected(page.endpoint, misfit.reason, bytes(misfit.row[-1] or b""))
                for counts in written.values()
                for misfit in counts.misfits
            ]
            self._run.reject(connection, page.rejected + misfits)
            ledger.beat(connection, self._run.run_id)
            return written, len(page.rejected) + len(misfits)

        written, rejected = in_transaction(self._run.engine, work)
        for table, counts in written.items():
            self._run.count(table, counts)
        self._run.seen += len(page.records) + len(page.rejected)
        self._run.rejected += rejected
        self._tally.pages += 1
        log.info("%s page %d: %d records, %d rejected", page.endpoint, page.number, len(page.records), rejected)

    def _write_events(self, connection: sa.Connection, page: Page[Event]) -> dict[str, WriteCounts]:
        return {"kalshi_event": catalog.write_events(connection, page.records, self._run.run_id)}

    def _write_live(self, connection: sa.Connection, page: Page[Market]) -> dict[str, WriteCounts]:
        self._tally.live.update(found.record.ticker for found in page.records)
        return self._write_markets(connection, page.records)

    def _write_archived(self, connection: sa.Connection, page: Page[Market]) -> dict[str, WriteCounts]:
        # The tiers overlap around the cutoff; the live answer counts, or the two would take turns.
        return self._write_markets(
            connection, [found for found in page.records if found.record.ticker not in self._tally.live]
        )

    def _write_markets(self, connection: sa.Connection, found: Sequence[Found[Market]]) -> dict[str, WriteCounts]:
        markets, placeholders = catalog.write_markets(connection, found, self._scope, self._run.run_id)
        for market in found:
            self._tally.see(market.record)
        placeholders.unchanged = 0  # an event that was there already is no placeholder
        return {"kalshi_market": markets, "kalshi_event": placeholders}

    def _enrich_placeholders(self) -> None:
        """Fetch the events that so far are known only from their markets."""
        missing = in_transaction(self._run.engine, lambda c: catalog.placeholder_events(c, self._scope))
        for start in range(0, len(missing), EVENTS_PER_LOOKUP):
            tickers = ",".join(missing[start : start + EVENTS_PER_LOOKUP])
            self._pages(self._exchange.events(tickers=tickers), self._write_events)
        still = in_transaction(self._run.engine, lambda c: catalog.placeholder_events(c, self._scope)) if missing else []
        if still:
            self._run.warn(
                f"{len(still)} events of {self._scope} are known only from their markets; the exchange gives no "
                f"event for them (such as {still[0]})."
            )


class _ClaimedWindow:
    """A checkpoint window around a block: complete when the block ends well, else FAILED.

    A page cap is the user's wish: the window is FAILED, and the run goes on to end with a warning.
    """

    def __init__(self, run: SyncRun, window: Window) -> None:
        self._run, self._window = run, window

    def __enter__(self) -> None:
        in_transaction(self._run.engine, lambda c: checkpoints.claim(c, self._window, self._run.run_id))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        if error is None:
            in_transaction(self._run.engine, lambda c: checkpoints.complete(c, self._window))
        else:
            in_transaction(self._run.engine, lambda c: checkpoints.fail(c, self._window, str(error)))
        return isinstance(error, PageCapReached)


