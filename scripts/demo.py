"""``make demo``: runs every DAG once in Airflow and shows the results."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TextIO

import msgspec
import sqlalchemy as sa
from tabulate import tabulate

from kalshi.hooks.kalshi import KalshiHook
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.reports.candles import CANDLES
from kalshi.reports.catalog import CATALOG
from kalshi.reports.files import SYNTHETIC
from kalshi.reports.portfolio import PORTFOLIO
from kalshi.reports.quality import QUALITY
from kalshi.reports.reconciliation import RECONCILIATION, ReconciliationRun
from kalshi.reports.retention import RETENTION
from kalshi.reports.runs import RunPage, Verdicts
from kalshi.reports.settlements import SETTLEMENTS
from kalshi.reports.snapshots import SNAPSHOTS
from kalshi.reports.trades import TRADES
from kalshi.settings import load_settings
from kalshi.sync.report import Outcome
from kalshi.warehouse.exchanges import is_synthetic
from scripts import demo_page
from scripts.airflow_process import end_on_signals
from scripts.backends import EXCHANGES, LOCAL, connections
from scripts.warm_airflow import WarmAirflow, warm_airflow

OWN_LINE = re.compile(r"^\S+T(?P<clock>\d\d:\d\d:\d\d)\S* \[\w+ *\] (?P<message>.*?) *\[(?:kalshi|airflow\.task\.\S*)")


@dataclass(frozen=True)
class Step:
    """One run of one DAG. ``page``: its report's page; ``date``: its logical date, if it depends on one."""

    dag: str
    does: str
    page: RunPage[Any] | None
    conf: dict[str, Any] = field(default_factory=dict)
    date: date | None = None


def steps() -> Iterator[Step]:
    """Every DAG, on whole days up to yesterday. The first day is only known once the catalog has been read."""
    yield Step("kalshi_catalog_sync", "series, events and markets of every configured city", CATALOG)
    (first, closed), yesterday = opened_and_closed(), datetime.now(UTC).date() - timedelta(days=1)
    two_days_ago = yesterday - timedelta(days=1)
    yield Step("kalshi_settlements_sync", "settlements and their results", SETTLEMENTS)
    if KalshiHook().config().key_id:
        yield Step("kalshi_portfolio_sync", "positions, fills and P&L of the account", PORTFOLIO)
    yield Step("kalshi_trades_sync", "public trades", TRADES, days(first, yesterday))
    yield Step("kalshi_candles_backfill", "1-minute candles of past days", CANDLES, days(first, two_days_ago))
    yield Step("kalshi_candles_daily", "1-minute candles of yesterday", CANDLES, date=yesterday)
    yield Step("kalshi_price_snapshots", "top of the book of open markets", SNAPSHOTS)
    closings = days(closed, yesterday)
    yield Step("kalshi_reconciliation", "settled markets against the exchange's volume", RECONCILIATION, closings)
    yield Step("kalshi_data_quality", "coverage, rules and a small backtest", QUALITY, days(first, yesterday))
    yield Step("kalshi_retention", "months that are older than configured; only counted", RETENTION)
    yield Step("kalshi_health_check", "connections, rights, clocks, disk, stale tables", None)


def days(first: date, last: date) -> dict[str, str]:
    return {"date_from": str(first), "date_to": str(last)}


def opened_and_closed() -> tuple[date, date]:
    """The UTC days on which events opened and closed: those of the latest date before today for which every series has
    one with a result."""
    query = sa.text(
        "SELECT MIN(opened) AS opened, MIN(closed) AS closed FROM (SELECT e.series_ticker, e.event_date, "
        "MIN(m.open_time_utc) AS opened, MAX(m.close_time_utc) AS closed FROM kalshi_event e "
        "JOIN kalshi_market m ON m.event_ticker = e.event_ticker WHERE e.series_ticker IN :series "
        "GROUP BY e.event_ticker HAVING MAX(m.result) IS NOT NULL AND closed < UTC_DATE()) settled "
        "GROUP BY event_date HAVING COUNT(DISTINCT series_ticker) = :number ORDER BY event_date DESC LIMIT 1"
    ).bindparams(sa.bindparam("series", expanding=True))
    series = load_settings().series_tickers
    with WarehouseHook().connected() as engine, engine.connect() as connection:
        last = connection.execute(query, {"series": series, "number": len(series)}).one_or_none()
    if last is None:
        raise SystemExit(
            f"\nThe catalog has no date with a settled event of each of {', '.join(series)}: no days to read."
        )
    return last.opened.date(), last.closed.date()


def run_dag(airflow: WarmAirflow, log: TextIO, step: Step) -> bool:
    """Run the DAG with Airflow's full output in ``log`` and the project's own lines on the screen."""
    print(f"\n{step.dag}: {step.does}\n", flush=True)
    date = [str(step.date)] if step.date else []
    with airflow.start(["dags", "test", step.dag, *date, "--conf", json.dumps(step.conf)], os.environ) as command:
        try:
            for line in command.output:
                log.write(line)
                if own := OWN_LINE.match(line):
                    print(f"{own['clock']}  {own['message']}", flush=True)
        except KeyboardInterrupt:
            os.kill(command.pid, signal.SIGINT)  # `dags test` ignores other signals
            raise
        return command.wait() == 0


def show(airflow: WarmAirflow, log: TextIO, step: Step) -> tuple[bool, Verdicts[Any]]:
    """Run the DAG and print what it did. Returns whether it succeeded, and its report."""
    began = time.time()
    succeeded = run_dag(airflow, log, step)
    latest = load_settings().reports.path / step.dag / "latest"
    if not (latest / "report.json").exists() or (latest / "report.json").stat().st_mtime < began:
        raise SystemExit(f"\nThe run ended before it wrote a report. The end of {log.name} says why.")
    kind = step.page.report if step.page else Verdicts[Outcome]
    report: Verdicts[Any] = msgspec.json.decode((latest / "report.json").read_bytes(), type=kind)
    if step.page:
        print(f"\n{step.page.table(report.series)}")
    else:
        for part in report.series:
            for words in part.notes:
                print(f"{part.scope}: {words}")
    print(f"\n{report.verdict}. Report: {(latest / 'index.html').resolve()}\n")
    return succeeded, report


def main() -> None:
    parser = argparse.ArgumentParser(description="Run every DAG once and show the results.")
    parser.add_argument("--exchange", choices=EXCHANGES, default="sandbox")
    exchange = parser.parse_args().exchange
    end_on_signals()
    began = time.time()
    os.environ.update(connections(exchange))
    if wrong := [finding.words for finding in KalshiHook().examine() if finding.state == "fail"]:
        raise SystemExit("\n".join(wrong))
    LOCAL.mkdir(exist_ok=True)
    verdicts: dict[str, tuple[str, str]] = {}
    failed: list[str] = []
    proven = ""
    print(f"Airflow's full log: {LOCAL / 'demo.log'}")
    with (LOCAL / "demo.log").open("w", encoding="utf-8") as log, warm_airflow(os.environ, log) as airflow:
        for step in steps():
            succeeded, report = show(airflow, log, step)
            verdicts[step.dag] = report.verdict, step.does
            proven = RECONCILIATION.summary(report) if isinstance(report, ReconciliationRun) else proven
            failed += [] if succeeded else [step.dag]
    finish(verdicts, proven)
    print(f"\nDone in {time.time() - began:.0f} s; {proven}.")
    if failed:
        raise SystemExit(f"Failed: {', '.join(failed)}. The reports say why.")


def finish(verdicts: dict[str, tuple[str, str]], proven: str) -> None:
    """Print an answer, the warehouse's row counts, and the address of the page that links to everything."""
    with WarehouseHook().connected() as engine, engine.connect() as connection:
        found, counts = demo_page.answer(connection), demo_page.row_counts(connection)
        page = demo_page.write_page(connection, verdicts, found, counts, proven)
        if is_synthetic(connection):
            print(f"\n{SYNTHETIC}")
    if found:
        print(f"\n{found.question}\n\n{tabulate(found.rows, headers=found.headers, floatfmt='.2f')}\n")
        print(f"{demo_page.NOTE}\nChart: {page.with_name(demo_page.PICTURE)}")
    print(f"\n{tabulate(counts, headers=['table', 'rows'])}\n")
    print(f"Everything on one page: {page.resolve().as_uri()}\nLive in Airflow:        make ui")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("\nStopped. The data already loaded is kept, and the next `make demo` resumes.") from None
