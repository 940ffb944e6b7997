"""What all jobs share: a run in the ledger, its counts, its warnings, and its outcome."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.transport import Traffic
from kalshi.text import one_line
from kalshi.warehouse import ledger
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

log = logging.getLogger(__name__)


class TooManyRejected(RuntimeError):
    """The share of rejected records exceeds the tolerance; the other records were loaded."""


@dataclass(frozen=True)
class SeriesRequest:
    """What every job is given: a series, and the Airflow run and data interval it belongs to.

    ``tolerated_share``: the share of rejected records above which the run fails at its end; ``asked_at``:
    when the run was requested, the same for every retry. No window ends later. ``by_hand``: a person chose the window,
    so the run warns if no market was open in it; scheduled windows may well be empty.
    """

    series_ticker: str
    tolerated_share: float = field(default=0.01, kw_only=True)
    dag_run_id: str | None = field(default=None, kw_only=True)
    window_start: datetime | None = field(default=None, kw_only=True)
    window_end: datetime | None = field(default=None, kw_only=True)
    asked_at: datetime = field(default_factory=lambda: datetime.now(UTC), kw_only=True)
    by_hand: bool = field(default=False, kw_only=True)

    def key(self, job: str) -> ledger.RunKey:
        return ledger.RunKey(job, self.series_ticker, self.dag_run_id, self.window_start, self.window_end)


@dataclass
class SyncRun:
    """One attempt at one job and scope, while it is running."""

    run_id: int
    job: str
    scope: str
    engine: sa.Engine
    traffic: Traffic
    tolerated_share: float
    counts: dict[str, WriteCounts] = field(default_factory=dict)
    pages: int = 0
    seen: int = 0
    rejected: int = 0
    warnings: list[str] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)

    def count(self, table: str, written: WriteCounts) -> None:
        self.counts.setdefault(table, WriteCounts()).add(written)

    def warn(self, warning: str) -> None:
        warning = one_line(warning)
        log.warning("%s", warning)
        self.warnings.append(warning)

    @property
    def too_many_rejected(self) -> bool:
        """Whether more than the tolerated share of all records was rejected."""
        return self.rejected > self.tolerated_share * self.seen

    def check_rejected(self, too_many: bool) -> None:
        """Warn of rejected records. Raises TooManyRejected if there are ``too_many``."""
        if self.rejected:
            self.warn(f"{self.rejected} of {self.seen} records were rejected: see kalshi_rejected_record.")
        if too_many:
            raise TooManyRejected(
                f"{self.rejected} of {self.seen} records were rejected, more than the tolerated "
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
    engine: sa.Engine, key: ledger.RunKey, traffic: Traffic, tolerated_share: float = 0.01
) -> Iterator[SyncRun]:
    """Record the block as a run in the ledger: success, warning or failed, with its report, however it ends."""
    run_id = in_transaction(engine, ledger.start_run, key)
    run = SyncRun(run_id, key.job, key.scope, engine, traffic, tolerated_share)
    began, before = time.monotonic(), replace(traffic)
    error: BaseException | None = None
    try:
        yield run
    except BaseException as raised:
        error = raised
        raise
    finally:
        state = "failed" if error else "warning" if run.warnings else "success"
        total = WriteCounts()
        for written in run.counts.values():
            total.add(written)
        counts = {
            "inserted": total.inserted,
            "updated": total.updated,
            "unchanged": total.unchanged,
            "rejected": run.rejected,
            "requests": traffic.requests - before.requests,
            "retries": traffic.retries - before.retries,
            "throttled_seconds": round(traffic.throttled_seconds - before.throttled_seconds, 3),
        }
        tables = {
            table: {"inserted": w.inserted, "updated": w.updated, "unchanged": w.unchanged}
            for table, w in run.counts.items()
        }
        run.report = {
            "run_id": run.run_id,
            "job": key.job,
            "scope": key.scope,
            "state": state,
            "error": f"{type(error).__name__}: {error}" if error else None,
            "warnings": run.warnings,
            **counts,
            "tables": tables,
            "pages": run.pages,
            "duration_seconds": round(time.monotonic() - began, 3),
            **run.report,
        }
        in_transaction(engine, ledger.end_run, run.run_id, state=state, counts=counts, report=run.report)
