"""``make demo``: the catalog in Airflow, a few days of two series and their quality, with a key the portfolio too."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import time
from datetime import timedelta
from typing import Any, TextIO

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.doctor import examine_exchange
from kalshi.hooks.kalshi import KalshiHook
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.reports.candles import CANDLES
from kalshi.reports.catalog import CATALOG
from kalshi.reports.portfolio import PORTFOLIO
from kalshi.reports.quality import QUALITY
from kalshi.reports.runs import RunReport
from kalshi.reports.settlements import SETTLEMENTS
from kalshi.settings import load_settings
from kalshi.warehouse.server import text_with_lists
from scripts.backends import EXCHANGES, LOCAL, connections
from scripts.warm_airflow import WarmAirflow, warm_airflow

SERIES = ("KXHIGHNY", "KXHIGHCHI")
"""Those whose candles the demo reads; the catalog is read of all."""
DAYS = 3
TABLES = ("kalshi_series", "kalshi_event", "kalshi_market", "kalshi_settlement", "kalshi_candle_1m", "kalshi_fill")
OWN_LINE = re.compile(r"^\S+T(?P<clock>\d\d:\d\d:\d\d)\S* \[\w+ *\] (?P<message>.*?) *\[(?:kalshi|airflow\.task\.\S*)")


def run_dag(airflow: WarmAirflow, log: TextIO, dag: str, conf: dict[str, Any]) -> bool:
    """Run the DAG with Airflow's whole output in ``log``, our own lines on the screen."""
    print(f"\nRunning the DAG {dag} in Airflow; its whole log: {log.name}\n", flush=True)
    with airflow.start(["dags", "test", dag, "--conf", json.dumps(conf)], os.environ) as command:
        try:
            for line in command.output:
                log.write(line)
                if own := OWN_LINE.match(line):
                    print(f"{own['clock']}  {own['message']}", flush=True)
        except KeyboardInterrupt:
            os.kill(command.pid, signal.SIGINT)  # `dags test` listens to nothing else
            raise
        return command.wait() == 0


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Run the catalog sync, the candles of a few days, their quality and, with a key, the portfolio "
        "sync once; show what came of them."
    )
    parser.add_argument("--exchange", choices=EXCHANGES, default="sandbox")
    exchange = parser.parse_args().exchange
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.time()
    os.environ.update(connections(exchange))
    if wrong := [finding.words for finding in examine_exchange() if finding.state == "fail"]:
        raise SystemExit("\n".join(wrong))
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "demo.log").open("w", encoding="utf-8") as log, warm_airflow(os.environ, log) as airflow:
        succeeded = run_dags(airflow, log)
    with WarehouseHook().get_conn().connect() as connection:
        rows = [(t, connection.execute(sa.text(f"SELECT COUNT(*) FROM {t}")).scalar_one()) for t in TABLES]
    print(f"{tabulate(rows, headers=['table', 'rows'])}\n")
    print(f"That took {time.time() - began:.0f} s.")
    if not all(succeeded):
        raise SystemExit(1)


def run_dags(airflow: WarmAirflow, log: TextIO) -> list[bool]:
    """Run them and show their reports; whether each succeeded."""
    succeeded = [show(airflow, log, "kalshi_catalog_sync", CATALOG)]
    if KalshiHook().config().key_id is not None:
        succeeded.append(show(airflow, log, "kalshi_portfolio_sync", PORTFOLIO))
    if succeeded[0]:
        some, days = {"series": SERIES}, settled_days()
        succeeded += [
            show(airflow, log, "kalshi_settlements_sync", SETTLEMENTS, **some),
            show(airflow, log, "kalshi_candles_backfill", CANDLES, **some, **days),
            show(airflow, log, "kalshi_data_quality", QUALITY, **some, **days),
        ]
    return succeeded


def settled_days() -> dict[str, str]:
    """The latest days whose events have results, as DAGs take them. They follow the exchange's clock."""
    query = text_with_lists(
        "SELECT MAX(e.event_date) FROM kalshi_event e JOIN kalshi_market m ON m.event_ticker = e.event_ticker "
        "WHERE e.series_ticker IN :series AND m.result IS NOT NULL",
        "series",
    )
    with WarehouseHook().get_conn().connect() as connection:
        last = connection.execute(query, {"series": SERIES}).scalar_one()
    if last is None:
        raise SystemExit(
            f"\nThe catalog knows no settled event of {' or '.join(SERIES)}, so there are no days to look at."
        )
    return {"date_from": str(last - timedelta(days=DAYS - 1)), "date_to": str(last)}


def show(airflow: WarmAirflow, log: TextIO, dag: str, spec: RunReport, **conf: Any) -> bool:
    """Run the DAG and print its report; whether it succeeded."""
    began = time.time()
    succeeded = run_dag(airflow, log, dag, conf)
    latest = load_settings().reports_folder / dag / "latest"
    if not (latest / "report.json").exists() or (latest / "report.json").stat().st_mtime < began:
        raise SystemExit(f"\nThe run ended before its report. The end of {log.name} says why.")
    report = json.loads((latest / "report.json").read_text(encoding="utf-8"))
    print(f"\n{spec.text(report)}\n\n{report['verdict']}. The report: {(latest / 'index.html').resolve()}\n")
    return succeeded


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit("\nStopped. What was read stays, and the next `make demo` goes on.") from None
