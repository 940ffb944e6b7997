"""Months that are older than configured, of one table: counted, exported if wanted, and dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import sqlalchemy as sa

from kalshi.exchange.transport import Traffic
from kalshi.sync.report import Field, JobReport, first
from kalshi.sync.run import JobRequest, SyncRun, recorded_run
from kalshi.warehouse import ledger, retention
from kalshi.warehouse.export import export_month
from kalshi.warehouse.months import after, month_of
from kalshi.warehouse.retention import DROPPED, PRUNABLE, Month, Prunable
from kalshi.warehouse.server import in_transaction

JOB = "retention"
KEPT = "kept"


@dataclass(frozen=True)
class RetentionRequest(JobRequest):
    """What to drop of the table ``scope``: the months before the ``keep_months`` before the current one; None: nothing.

    ``dry_run``: only count them. ``export_to``: the folder of Parquet files that they are written to first; None: they
    aren't.
    """

    keep_months: int | None
    dry_run: bool = True
    export_to: Path | None = None

    @property
    def before(self) -> date | None:
        """The first month that is kept."""
        return None if not self.keep_months else after(month_of(self.asked_at), -self.keep_months)


class OldMonth(msgspec.Struct):
    """A month that is older than configured."""

    table: Annotated[str, Field("table", "table")]
    month: Annotated[str, Field("`2023-01`, UTC", "month")]
    rows: Annotated[int, Field("its rows", "rows")]
    fate: Annotated[
        str,
        Field("`dropped`, `being dropped` (the next run ends it), `would be dropped` or `kept`", "what became of it"),
    ]
    exported_to: Annotated[str | None, Field("the Parquet file with its rows", "exported to")] = None


class RetentionReport(JobReport, kw_only=True):
    """How dropping the old months of a table went."""

    scope: Annotated[str, Field("table", "table", first)] = ""
    keep_months: Annotated[int | None, Field("months to keep before the current one; null: all", "months to keep")] = (
        None
    )
    kept_from: Annotated[str | None, Field("the first month that is kept", "kept from")] = None
    months_dropped: Annotated[int, Field("months dropped", "months dropped")] = 0
    rows_dropped: Annotated[int, Field("rows dropped", "rows dropped")] = 0
    old_months: Annotated[list[OldMonth], Field("every month that is older")] = msgspec.field(default_factory=list)

    def note(self, month: Month, fate: str, exported_to: str | None = None) -> None:
        self.old_months.append(OldMonth(month.of.table, f"{month.first_day:%Y-%m}", month.rows, fate, exported_to))
        if fate == DROPPED:
            self.months_dropped += 1
            self.rows_dropped += month.rows


def check_order(keep_months: dict[str, int | None]) -> None:
    """``keep_months`` by table.

    Raises:
        ValueError: dense minutes would outlive the candles that they show.
    """
    dense, candles = keep_months["kalshi_candle_1m_dense"], keep_months["kalshi_candle_1m"]
    if candles and (not dense or dense > candles):
        raise ValueError(
            f"Dense minutes show candles, so they can't be kept for longer: candles are kept for {candles} months, "
            f"dense minutes {f'for {dense}' if dense else 'for ever'}. Set dense_months to {candles} or less."
        )


def drop_old_months(engine: sa.Engine, request: RetentionRequest) -> RetentionReport:
    """Drop the old months of one table, the oldest first, and return the report (see ``docs/reports.md``). It counts
    what earlier attempts of the same DAG run have dropped, too.

    What an earlier run left unfinished is finished first, whatever is to be kept now. A month that a living run reads,
    and those after it, are kept for the next time, with a warning.

    Raises:
        ExportFailed: a month couldn't be exported; it and later ones are kept.
        MonthsNotDroppable: nothing was dropped; the message says why.
    """
    prunable = PRUNABLE[request.scope]
    report = RetentionReport(keep_months=request.keep_months)
    with recorded_run(engine, request.key(JOB), Traffic(), report=report) as run:
        if not request.dry_run:
            for gone, file in in_transaction(engine, retention.dropped_by, prunable, request.dag_run_id):
                report.note(gone, DROPPED, file)
            _finish(run, prunable, report)
        if not (before := request.before):
            return report
        report.kept_from = f"{before:%Y-%m}"
        is_kept = False
        for month in retention.old_months(engine, prunable, before):
            _beat(run)
            if request.dry_run:
                report.note(month, "would be dropped")
            elif is_kept:
                report.note(month, KEPT)
            else:
                is_kept = not _was_dropped(run, request, month, report)  # so are later ones: no hole in what is kept
    return report


def _finish(run: SyncRun, prunable: Prunable, report: RetentionReport) -> None:
    """Finish what a run that was killed has left."""
    for month, _ in in_transaction(run.engine, retention.unfinished, prunable, retention.EXPORTING):
        in_transaction(run.engine, retention.keep, month)
    for month, file in in_transaction(run.engine, retention.unfinished, prunable, retention.DROPPING):
        _drop(run, month, file, report)


def _was_dropped(run: SyncRun, request: RetentionRequest, month: Month, report: RetentionReport) -> bool:
    """Export the month if wanted, and drop it, unless it is being read."""
    try:
        retention.check_may_drop(run.engine, month)
        counted = in_transaction(run.engine, retention.begin, month, run.run_id)
        exported_to = _exported(run, request, counted)
        in_transaction(run.engine, retention.decide, counted, exported_to)
    except BaseException as error:
        report.note(month, KEPT)
        if not isinstance(error, retention.BeingRead):
            raise
        run.warn(str(error))
        return False
    _drop(run, counted, exported_to, report)
    return True


def _exported(run: SyncRun, request: RetentionRequest, month: Month) -> str | None:
    """Export the month if wanted; returns the file."""
    if not request.export_to:
        return None
    file = request.export_to / month.of.table / f"{month.first_day:%Y-%m}.{run.run_id}.parquet"
    try:
        with run.engine.connect() as connection:
            export_month(connection, month, file, partial(_beat, run))
    except BaseException:
        in_transaction(run.engine, retention.keep, month)
        raise
    return str(file)


def _drop(run: SyncRun, month: Month, exported_to: str | None, report: RetentionReport) -> None:
    try:
        retention.drop(run.engine, month, run.run_id, partial(_beat, run))
    except BaseException:
        report.note(month, "being dropped", exported_to)  # the next run finishes it
        raise
    report.note(month, DROPPED, exported_to)


def _beat(run: SyncRun) -> None:
    in_transaction(run.engine, ledger.beat, run.run_id)
