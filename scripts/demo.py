"""``make demo``: the catalog sync in Airflow, with a key the portfolio sync too, and what came of them."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import time

import sqlalchemy as sa
from tabulate import tabulate

from kalshi.hooks.kalshi import KalshiHook
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.reports.catalog import CATALOG
from kalshi.reports.portfolio import PORTFOLIO
from kalshi.settings import load_settings
from scripts.backends import EXCHANGES, LOCAL, connections

REPORTS = {"kalshi_catalog_sync": CATALOG, "kalshi_portfolio_sync": PORTFOLIO}
"""What each DAG of the demo reports."""
TABLES = ("kalshi_series", "kalshi_event", "kalshi_market", "kalshi_position", "kalshi_fill")
OWN_LINE = re.compile(r"^\S+T(?P<clock>\d\d:\d\d:\d\d)\S* \[\w+ *\] (?P<message>.*?) *\[(?:kalshi|airflow\.task\.\S*)")


def run_dag(dag: str, environment: dict[str, str]) -> bool:
    """Run the DAG with Airflow's whole output in ``.local/demo.log``, our own lines on the screen."""
    log = LOCAL / "demo.log"
    log.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "airflow", "dags", "test", dag]
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
    parser = argparse.ArgumentParser(description="Run the catalog sync, with a key the portfolio sync too, once.")
    parser.add_argument("--exchange", choices=EXCHANGES, default="sandbox")
    exchange = parser.parse_args().exchange
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.time()
    os.environ.update(connections(exchange))
    (LOCAL / "demo.log").unlink(missing_ok=True)
    has_key = KalshiHook().config().key_id is not None
    succeeded = [show(dag) for dag in REPORTS if has_key or dag != "kalshi_portfolio_sync"]
    with WarehouseHook().get_conn().connect() as connection:
        rows = [(t, connection.execute(sa.text(f"SELECT COUNT(*) FROM {t}")).scalar_one()) for t in TABLES]
    print(f"{tabulate(rows, headers=['table', 'rows'])}\n")
    print(f"That took {time.time() - began:.0f} s.")
    if not all(succeeded):
        raise SystemExit(1)


def show(dag: str) -> bool:
    """Run the DAG and print its report; whether it succeeded."""
    began = time.time()
    succeeded = run_dag(dag, dict(os.environ))
    latest = load_settings().reports_folder / dag / "latest"
    if not (latest / "report.json").exists() or (latest / "report.json").stat().st_mtime < began:
        raise SystemExit(f"\nThe run ended before its report. The end of {LOCAL / 'demo.log'} says why.")
    report = json.loads((latest / "report.json").read_text(encoding="utf-8"))
    print(f"\n{REPORTS[dag].text(report)}\n\n{report['verdict']}. The report: {(latest / 'index.html').resolve()}\n")
    return succeeded


if __name__ == "__main__":
    main()
