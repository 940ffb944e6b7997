"""``make demo``: the catalog in Airflow, a few days of two series and their quality, with a key the portfolio too."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.hooks.kalshi import KalshiHook
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.reports.candles import CANDLES
from kalshi.reports.catalog import CATALOG
from kalshi.reports.portfolio import PORTFOLIO
from kalshi.reports.quality import QUALITY
from kalshi.reports.runs import RunReport
from kalshi.reports.settlements import SETTLEMENTS
from kalshi.settings import load_settings
from scripts.backends import EXCHANGES, LOCAL, connections

SERIES = ("KXHIGHNY", "KXHIGHCHI")
"""Those whose candles the demo reads; the catalog is read of all."""
DAYS = 3
TABLES = ("kalshi_series", "kalshi_event", "kalshi_market", "kalshi_settlement", "kalshi_candle_1m", "kalshi_fill")
OWN_LINE = re.compile(r"^\S+T(?P<clock>\d\d:\d\d:\d\d)\S* \[\w+ *\] (?P<message>.*?) *\[(?:kalshi|airflow\.task\.\S*)")


def run_dag(dag: str, environment: dict[str, str], conf: dict[str, Any]) -> bool:
    """Run the DAG with Airflow's whole output in ``.local/demo.log``, our own lines on the screen."""
    log = LOCAL / "demo.log"
    log.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "airflow", "dags", "test", dag, "--conf", json.dumps(conf)]
    print(f"\nRunning the DAG {dag} in Airflow; its whole log: {log}\n", flush=True)
    with (
        log.open("a", encoding="utf-8") as file,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                file.write(line)
                if own := OWN_LINE.match(line):
                    print(f"{own['clock']}  {own['message']}", flush=True)
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)  # `dags test` listens to nothing else
            raise
    return process.returncode == 0


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
    (LOCAL / "demo.log").unlink(missing_ok=True)
    has_key = KalshiHook().config().key_id is not None
    succeeded = [show("kalshi_catalog_sync", CATALOG)]
    if has_key:
        succeeded.append(show("kalshi_portfolio_sync", PORTFOLIO))
    if succeeded[0]:
        some, days = {"series": SERIES}, settled_days()
        succeeded += [
            show("kalshi_settlements_sync", SETTLEMENTS, **some),
            show("kalshi_candles_backfill", CANDLES, **some, **days),
            show("kalshi_data_quality", QUALITY, **some, **days),
        ]
    with WarehouseHook().get_conn().connect() as connection:
        rows = [(t, connection.execute(sa.text(f"SELECT COUNT(*) FROM {t}")).scalar_one()) for t in TABLES]
    print(f"{tabulate(rows, headers=['table', 'rows'])}\n")
    print(f"That took {time.time() - began:.0f} s.")
    if not all(succeeded):
        raise SystemExit(1)


def settled_days() -> dict[str, str]:
    """The latest days whose events have results, as DAGs take them. They follow the exchange's clock."""
    query = sa.text(
        "SELECT MAX(e.event_date) FROM kalshi_event e JOIN kalshi_market m ON m.event_ticker = e.event_ticker "
        "WHERE e.series_ticker IN :series AND m.result IS NOT NULL"
    ).bindparams(sa.bindparam("series", SERIES, expanding=True))
    with WarehouseHook().get_conn().connect() as connection:
        last = connection.execute(query).scalar_one()
    if last is None:
        raise SystemExit(
            f"\nThe catalog knows no settled event of {' or '.join(SERIES)}, so there are no days to look at."
        )
    return {"date_from": str(last - timedelta(days=DAYS - 1)), "date_to": str(last)}


def show(dag: str, spec: RunReport, **conf: Any) -> bool:
    """Run the DAG and print its report; whether it succeeded."""
    began = time.time()
    succeeded = run_dag(dag, dict(os.environ), conf)
    latest = load_settings().reports_folder / dag / "latest"
    if not (latest / "report.json").exists() or (latest / "report.json").stat().st_mtime < began:
        raise SystemExit(f"\nThe run ended before its report. The end of {LOCAL / 'demo.log'} says why.")
    report = json.loads((latest / "report.json").read_text(encoding="utf-8"))
    print(f"\n{spec.text(report)}\n\n{report['verdict']}. The report: {(latest / 'index.html').resolve()}\n")
    return succeeded


if __name__ == "__main__":
    main()
