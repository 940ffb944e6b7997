"""What all jobs share: a run in the ledger, its counts, its warnings, and its outcome."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.transport import Traffic
from kalshi.sync.report import JobReport, RowCounts
from kalshi.text import one_line
from kalshi.warehouse import ledger
from kalshi.warehouse.checkpoints import EVERYTHING
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

log = logging.getLogger(__name__)


class TooManyRejected(RuntimeError):
    """The share of rejected records exceeds the tolerance; the other records were loaded."""


@dataclass(frozen=True)
class JobRequest:
    """What every job is given: a scope, and the Airflow run and data interval it belongs to.

    ``scope``: a series ticker, ``*`` (the whole exchange), or a subaccount's number.
    ``tolerated_share``: the share of rejected records above which the run fails at its end; ``asked_at``:
    when the run was requested, the same for every retry. No window ends later. ``planned_at``: when the exchange was
    asked for the cutoffs of the request (None: just now). ``by_hand``: a person chose the window, so the run warns if
    no market was open in it; scheduled windows may well be empty.
    """

    scope: str
    tolerated_share: float = field(default=0.01, kw_only=True)
    dag_run_id: str | None = field(default=None, kw_only=True)
    window_start: datetime | None = field(default=None, kw_only=True)
    window_end: datetime | None = field(default=None, kw_only=True)
    asked_at: datetime = field(default_factory=lambda: datetime.now(UTC), kw_only=True)
    planned_at: datetime | None = field(default=None, kw_only=True)
    by_hand: bool = field(default=False, kw_only=True)

    @property
    def series_ticker(self) -> str | None:
        """The exchange's filter for the scope: None for EVERYTHING."""
        return None if self.scope == EVERYTHING else self.scope

    def key(self, job: str) -> ledger.RunKey:
        return ledger.RunKey(job, self.scope, self.dag_run_id, self.window_start, self.window_end)


@dataclass
class SyncRun:
    """One attempt at one job and scope, while it is running."""

    run_id: int
    job: str
    scope: str
    engine: sa.Engine
    traffic: Traffic
    tolerated_share: float
    report: JobReport
    counts: dict[str, WriteCounts] = field(default_factory=dict)
    seen: int = 0

    def count(self, table: str, written: WriteCounts) -> None:
        self.counts.setdefault(table, WriteCounts()).add(written)

    def warn(self, warning: str) -> None:
        warning = one_line(warning)
        log.warning("%s", warning)
        self.report.warnings.append(warning)

    @property
    def too_many_rejected(self) -> bool:
        """Whether more than the tolerated share of all records was rejected."""
        return self.report.rejected > self.tolerated_share * self.seen

    def check_rejected(self, too_many: bool) -> None:
        """Warn of rejected records. Raises TooManyRejected if there are ``too_many``."""
        if self.report.rejected:
            self.warn(f"{self.report.rejected} of {self.seen} records were rejected: see kalshi_rejected_record.")
        if too_many:
            raise TooManyRejected(
                f"{self.report.rejected} of {self.seen} records were rejected, more than the tolerated "
                f"{self.tolerated_share:.1%}; the others are loaded. SELECT endpoint, reason, payload FROM "
                f"kalshi_rejected_record WHERE run_id = {self.run_id} lists them; tolerances.rejected_share "
                "in kalshi.toml sets the limit."
            )


def latest_end(run: SyncRun, exchange: Exchange, asked_at: datetime) -> datetime:
    """When the run was requested, by the exchange's clock: a window that ends later can't be complete."""
    exchange_time = exchange.now()
    if exchange_time >= asked_at:
        return asked_at
    run.warn(
        f"The exchange's clock says {exchange_time:%Y-%m-%d %H:%M:%S} UTC, earlier than this run's "
        f"{asked_at:%Y-%m-%d %H:%M:%S}: read up to the exchange's time. Sync this machine's clock by NTP."
    )
    return exchange_time


@contextmanager
def recorded_run(
    engine: sa.Engine,
    key: ledger.RunKey,
    traffic: Traffic,
    tolerated_share: float = 0.01,
    *,
    report: JobReport | None = None,
) -> Iterator[SyncRun]:
    """Record the block as a run in the ledger: success, warning or failed, with its ``report``, however it ends.

    The block fills in the fields of its job; what all jobs report is filled in here.
    """
    run_id = in_transaction(engine, ledger.start_run, key)
    report = report or JobReport()
    report.job, report.scope, report.run_id = key.job, key.scope, run_id
    run = SyncRun(run_id, key.job, key.scope, engine, traffic, tolerated_share, report)
    began, before = time.monotonic(), replace(traffic)
    error: BaseException | None = None
    try:
        yield run
    except BaseException as raised:
        error = raised
        raise
    finally:
        report.state = "failed" if error else "warning" if report.warnings else "success"
        report.error = f"{type(error).__name__}: {error}" if error else None
        for table, counts in run.counts.items():
            report.tables[table] = RowCounts(counts.inserted, counts.updated, counts.unchanged)
        total = sum(report.tables.values(), RowCounts())
        report.inserted, report.updated, report.unchanged = msgspec.structs.astuple(total)
        report.requests = traffic.requests - before.requests
        report.retries = traffic.retries - before.retries
        report.throttled_seconds = round(traffic.throttled_seconds - before.throttled_seconds, 3)
        report.duration_seconds = round(time.monotonic() - began, 3)
        in_transaction(engine, ledger.end_run, run_id, msgspec.to_builtins(report))
