"""The user's portfolio, one subaccount at a time: fills and settlements since the last sync, positions, balance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.pages import Page
from kalshi.records import Fill, Found, Market, PortfolioSettlement, Position
from kalshi.sync.cutoff import with_current_cutoff
from kalshi.sync.evidence import Doubt, Reading, expect, read_missing, warn_of_gaps
from kalshi.sync.lookup import markets_of
from kalshi.sync.pages import next_cursor, write_pages
from kalshi.sync.report import Field, JobReport, first
from kalshi.sync.run import JobRequest, SyncRun, recorded_run
from kalshi.text import counted
from kalshi.warehouse import catalog, checkpoints, exchanges, portfolio
from kalshi.warehouse.checkpoints import EPOCH, EVERYTHING, Window
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

JOB = "portfolio"
LISTS = ("unsettled", "settled", "archived")
"""The exchange's lists of positions: the last one is of the historical tier."""
OVERLAP = timedelta(hours=1)
"""Each sync rereads this much: a fill may be listed later than its timestamp."""


@dataclass(frozen=True)
class PortfolioRequest(JobRequest):
    """What to sync: one subaccount, whose number takes the place of the series ticker.

    ``trades_cutoff``: older fills are in the historical tier, read by the first sync and after a long pause.
    """

    trades_cutoff: datetime | None

    @property
    def subaccount(self) -> int:
        return int(self.scope)


class PortfolioReport(JobReport, kw_only=True):
    """How the sync of one subaccount went."""

    scope: Annotated[str, Field("the subaccount's number", "subaccount", first)] = ""
    fills: Annotated[int, Field("fills read in this run", "fills read")] = 0
    settlements: Annotated[int, Field("settlements read in this run", "settlements")] = 0
    open_positions: Annotated[int, Field("positions open now", "open positions")] = 0
    closed: Annotated[int, Field("positions closed by this run", "closed")] = 0
    differences: Annotated[int, Field("markets where our figures and the exchange's differ", "differences")] = 0


def sync_portfolio(exchange: Exchange, engine: sa.Engine, request: PortfolioRequest) -> PortfolioReport:
    """Sync one subaccount and return its report (see ``docs/reports.md``).

    Fills come first, then their markets, then settlements, positions and the balance. A position is closed
    only if the exchange lists it as settled or flat, or lists it nowhere even when asked for it by its ticker.

    Raises:
        ForeignData: the portfolio in the warehouse was read with another key.
        ExchangeError: the exchange refused, was unavailable or paginated in a loop; what was read is kept.
        TooManyRejected: after loading the rest.
    """
    report = PortfolioReport()
    with recorded_run(engine, request.key(JOB), exchange.traffic, request.tolerated_share, report=report) as run:
        request = with_current_cutoff(exchange, run, request)
        try:
            too_many = _PortfolioSync(exchange, run, request, report).run_all()
        finally:
            report.open_positions, report.differences = in_transaction(engine, portfolio.counts, request.subaccount)
        if report.differences:
            run.warn(
                f"Our figures and the exchange's differ in {counted(report.differences, 'market')} of subaccount "
                f"{run.scope}: see kalshi_pnl_reconciliation. A fill that arrived during the sync shows up there until "
                "the next one."
            )
        warn_of_gaps(run, JOB)
        run.check_rejected(too_many)
    return report


class _PortfolioSync:
    def __init__(self, exchange: Exchange, run: SyncRun, request: PortfolioRequest, report: PortfolioReport) -> None:
        self._exchange, self._run, self._request, self._report = exchange, run, request, report
        self._subaccount = request.subaccount
        self._refreshed: set[str] = set()

    def run_all(self) -> bool:
        """Sync the subaccount. Returns whether too many records were rejected."""
        if self._exchange.key_id:
            exchanges.refuse_foreign_key(in_transaction(self._run.engine, exchanges.keys), self._exchange.key_id)
        complete = in_transaction(self._run.engine, checkpoints.covered_until, JOB, self._run.scope, EPOCH)
        fill, settlement = in_transaction(self._run.engine, portfolio.latest, self._subaccount)
        self._settlements_since = _since(complete, settlement)
        window = Window(JOB, self._run.scope, _since(complete, fill) or EPOCH, self._request.asked_at)
        expect(self._run, window, force=True)
        return read_missing(self._run, window, self._read, older=False)

    def _read(self, reading: Reading) -> list[Doubt]:
        """Read everything in the window; no list of the portfolio has a page cap that could cut it short."""
        self._reading = reading
        # What an older release or a person wrote has no lots yet.
        in_transaction(self._run.engine, portfolio.match_fills, self._run.run_id)
        self._fills(None if reading.window.start == EPOCH else reading.window.start)
        unfinished = in_transaction(self._run.engine, portfolio.unfinished_markets, self._subaccount)
        self._refresh(unfinished)
        self._settlements(self._settlements_since)
        self._positions(with_archive=self._settlements_since is None)
        self._balance()
        return []

    def _fills(self, since: datetime | None) -> None:
        def write(connection: sa.Connection, page: Page[Fill]) -> dict[str, WriteCounts]:
            if self._exchange.key_id:  # fills come first, and only a valid key gets any
                exchanges.note_key(connection, self._exchange.key_id, self._run.run_id)
            return {"kalshi_fill": portfolio.write_fills(connection, page.records, self._subaccount, self._run.run_id)}

        def see(page: Page[Fill]) -> None:
            self._report.fills += len(page.records)

        bounds = _from(since)
        live = self._exchange.fills(self._subaccount, **bounds)
        write_pages(self._run, live, write, self._reading, on_written=see)
        cutoff = self._request.trades_cutoff
        if since is None or cutoff is None or since < cutoff:
            start = next_cursor(self._reading.reached)
            archived = self._exchange.historical_fills(self._subaccount, start=start, **bounds)
            write_pages(self._run, archived, write, self._reading, resumable=True, on_written=see)

    def _settlements(self, since: datetime | None) -> None:
        def write(connection: sa.Connection, page: Page[PortfolioSettlement]) -> dict[str, WriteCounts]:
            written = portfolio.write_settlements(connection, page.records, self._subaccount, self._run.run_id)
            return {"kalshi_portfolio_settlement": written}

        def see(page: Page[PortfolioSettlement]) -> None:
            self._report.settlements += len(page.records)

        pages = self._exchange.portfolio_settlements(self._subaccount, **_from(since))
        write_pages(self._run, pages, write, self._reading, on_written=see)

    def _positions(self, *, with_archive: bool) -> None:
        """Read every list of positions to its end, and ask again for those that should be in one but aren't: pages
        may shift while they are read. Only then close the positions that the exchange doesn't hold."""
        before = self._report.rejected
        if with_archive:
            self._list_positions("archived")
        held, unsettled = self._list_positions("unsettled")
        _, settled = self._list_positions("settled")
        expected = in_transaction(self._run.engine, portfolio.expected_positions, self._subaccount)
        listed = unsettled | settled
        for ticker in sorted(expected - listed):
            still_held, found = self._ask_again(ticker)
            held |= still_held
            listed |= found
        if self._report.rejected > before:
            self._run.warn("No positions were closed because some of the exchange's positions could not be read.")
            return
        seen_at = datetime.now(UTC)

        def conclude(connection: sa.Connection) -> tuple[int, int]:
            run_id = self._run.run_id
            closed = portfolio.close_positions(connection, held, self._subaccount, seen_at, run_id)
            portfolio.forget_exchange_positions(connection, listed, self._subaccount)
            return closed, portfolio.settle_up(connection, self._subaccount, run_id)

        self._report.closed, changed = in_transaction(self._run.engine, conclude)
        self._run.count("kalshi_position", WriteCounts(updated=self._report.closed + changed))

    def _ask_again(self, ticker: str) -> tuple[set[str], set[str]]:
        """Look for a market in one list after the other, until one has it; return what :meth:`_list_positions` does."""
        for listed in LISTS:
            held, tickers = self._list_positions(listed, ticker=ticker)
            if tickers:
                return held, tickers
        return set(), set()

    def _list_positions(self, listed: str, **filters: Any) -> tuple[set[str], set[str]]:
        """Write one list to its end; return the markets held in it, and all its markets."""
        if listed == "archived":
            pages = self._exchange.historical_positions(self._subaccount, **filters)
        else:
            pages = self._exchange.positions(self._subaccount, listed, **filters)
        held: set[str] = set()
        tickers: set[str] = set()

        def write(connection: sa.Connection, page: Page[Position]) -> dict[str, WriteCounts]:
            figures = portfolio.write_exchange_positions(
                connection, page.records, self._subaccount, listed, self._run.run_id
            )
            opened = portfolio.write_positions(
                connection, _held(page, listed), self._subaccount, page.received_at, self._run.run_id
            )
            return {"kalshi_exchange_position": figures, "kalshi_position": opened}

        def refresh_quotes(page: Page[Position]) -> None:
            tickers.update(found.record.ticker for found in page.records)
            held.update(found.record.ticker for found in _held(page, listed))
            self._refresh(sorted(held - self._refreshed))

        write_pages(self._run, pages, write, self._reading, on_read=refresh_quotes)
        return held, tickers

    def _refresh(self, tickers: list[str]) -> None:
        """Read these markets: their terms, their quotes, their results."""
        self._refreshed.update(tickers)

        def write(connection: sa.Connection, page: Page[Market]) -> dict[str, WriteCounts]:
            return catalog.write_markets(connection, page.records, EVERYTHING, self._run.run_id)

        write_pages(self._run, markets_of(self._exchange, tickers), write, self._reading)

    def _balance(self) -> None:
        balance, seen_at = self._exchange.balance(self._subaccount), datetime.now(UTC)
        written = in_transaction(
            self._run.engine, portfolio.write_balance, balance, self._subaccount, seen_at, self._run.run_id
        )
        self._run.count("kalshi_balance", written)


def _since(complete: datetime | None, latest: datetime | None) -> datetime | None:
    """Where an incremental sync begins; None if no sync ever read everything.

    The exchange's clock and ours may differ, so the timestamp of its latest record counts too.
    """
    return max(EPOCH, min(complete, latest or complete) - OVERLAP) if complete else None


def _from(since: datetime | None) -> dict[str, int]:
    return {"min_ts": int(since.timestamp())} if since else {}


def _held(page: Page[Position], listed: str) -> list[Found[Position]]:
    """The open positions of a page: those that are neither settled nor of 0 contracts."""
    if listed != "unsettled":
        return []
    return [found for found in page.records if Decimal(found.record.quantity) != 0]
