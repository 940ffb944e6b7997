"""One quality run: coverage, expectation suites and backtest readiness of one series in a window of days."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from kalshi.exchange.transport import Traffic
from kalshi.quality.coverage import write_coverage, write_decision_coverage
from kalshi.quality.readiness import Ready, try_backtest
from kalshi.quality.report import QualityReport
from kalshi.quality.scope import Scope, find_scope
from kalshi.quality.validate import Finding, rule_of, run_suites
from kalshi.settings import QualitySettings
from kalshi.sync.run import JobRequest, SyncRun, recorded_run
from kalshi.warehouse import retention, sql
from kalshi.warehouse.api_candles import CANDLE_1M
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

JOB = "quality"


class NothingChecked(RuntimeError):
    """There was nothing to check in the window: that proves nothing about the data, and must not look like a
    success."""


@dataclass(frozen=True)
class QualityRequest(JobRequest):
    """What to check: one series from ``window_start`` to ``window_end``, whole UTC days."""


def check_series(engine: sa.Engine, request: QualityRequest, rules: QualitySettings) -> QualityReport:
    """Check one series, store the results, and return its report (see ``docs/reports.md``).

    Faults in the data don't raise: they go into the report, and the task that reports on all series fails.

    Raises:
        ValueError: the window doesn't consist of whole days.
        NothingChecked: there was nothing to check.
    """
    report = QualityReport()
    with recorded_run(engine, request.key(JOB), Traffic(), report=report) as run:
        scope = _scope(run, request)
        report.from_utc, report.to_utc, report.markets = scope.start, request.window_end, len(scope.markets)
        _count(run, "kalshi_coverage", write_coverage(engine, scope, rules))
        _count(run, "kalshi_decision_coverage", write_decision_coverage(engine, scope, rules))
        ready = in_transaction(engine, try_backtest, scope, rules)
        findings = [*run_suites(engine, scope, rules), _readiness(ready, rules)]
        in_transaction(engine, _write, scope, findings, ready)
        _count(run, "kalshi_quality_result", len(findings))
        _count(run, "kalshi_readiness", len(ready))
        _describe(report, findings)
        for finding in (f for f in findings if f.is_fault and f.severity != "info"):
            run.warn(
                f"{finding.severity}: {finding.check}: {finding.violations} of {finding.checked} rows. {finding.about}"
            )
    return report


def _scope(run: SyncRun, request: QualityRequest) -> Scope:
    start, end = request.window_start, request.window_end
    if (
        not start
        or not end
        or start >= end
        or any((m.hour, m.minute, m.second, m.microsecond) != (0,) * 4 for m in (start, end))
    ):
        raise ValueError(f"The window of a quality run must be whole UTC days, not {start} to {end}.")
    start = _first_kept(run, start, end)
    scope = in_transaction(run.engine, find_scope, run.run_id, run.scope, start, end, request.asked_at)
    if not scope.markets:
        raise NothingChecked(
            f"No market of {run.scope} was open from {scope.start:%Y-%m-%d} to {scope.until:%Y-%m-%d %H:%M} UTC, so "
            "nothing was checked. Run kalshi_catalog_sync for this series, or choose other days."
        )
    return scope


def _first_kept(run: SyncRun, start: datetime, end: datetime) -> datetime:
    """Where the days begin whose candles weren't dropped on purpose."""
    dropped = in_transaction(run.engine, retention.missing_on_purpose, [CANDLE_1M.name], run.scope, start, end)
    if not dropped:
        return start
    kept = dropped[-1].end
    until = f"The candles of {run.scope} before {kept:%Y-%m-%d} were dropped on purpose (kalshi_dropped_month)"
    if kept >= end:
        raise NothingChecked(f"{until}, so nothing was checked. Choose later days, or read them again.")
    run.warn(f"{until}: only what is later was checked.")
    return kept


def _count(run: SyncRun, table: str, inserted: int) -> None:
    run.count(table, WriteCounts(inserted=inserted))


def _readiness(ready: list[Ready], rules: QualitySettings) -> Finding:
    """The backtest as a check: a series with settled events has trades at some decision time."""
    traded = any(r.trades for r in ready)
    return Finding(
        check="backtest_ready",
        table="kalshi_readiness",
        rule=rule_of(rules, "backtest_ready"),
        state="passed" if traded else "failed" if ready else "empty",
        about="A small backtest over the latest settled events finds something to trade.",
        checked=len(ready),
        violations=0 if traded else len(ready),
        samples=[] if traded else [{"decision": r.decision, "events": r.events, "reason": r.reason} for r in ready],
        query="",
    )


def _describe(report: QualityReport, findings: list[Finding]) -> None:
    report.checks = sum(f.state != "empty" for f in findings)
    report.empty_checks = sum(f.state == "empty" for f in findings)
    broken = {"error": report.broken_errors, "warning": report.broken_warnings, "info": report.broken_infos}
    for finding in findings:
        if finding.is_fault:
            broken[finding.severity].append(finding.check)


def _write(connection: sa.Connection, scope: Scope, findings: list[Finding], ready: list[Ready]) -> None:
    results = [
        {
            "run_id": scope.run_id,
            "check_name": f.check,
            "series_ticker": scope.series_ticker,
            "table_name": f.table,
            "window_start_utc": scope.start,
            "window_end_utc": scope.until,
            "severity": f.severity,
            "state": f.state,
            "about": f.about,
            "checked": f.checked,
            "violations": f.violations,
            "mostly": str(f.rule.mostly),
            "samples": msgspec.json.encode(f.samples).decode(),
            "query": f.query,
        }
        for f in findings
    ]
    _insert(connection, "kalshi_quality_result", results)
    _insert(connection, "kalshi_readiness", [{"run_id": scope.run_id, **asdict(r)} for r in ready])


def _insert(connection: sa.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        values = ", ".join(f":{name}" for name in row)
        sql.run(connection, f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})", **row)
