"""``make demo``: one run of ``kalshi_catalog_sync`` in Airflow, and what came of it."""

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

from kalshi.hooks.warehouse import WarehouseHook
from kalshi.reports.catalog import CATALOG
from kalshi.settings import load_settings
from scripts.backends import EXCHANGES, LOCAL, connections

DAG = "kalshi_catalog_sync"
TABLES = ("kalshi_series", "kalshi_event", "kalshi_market")
OWN_LINE = re.compile(r"^\S+T(?P<clock>\d\d:\d\d:\d\d)\S* \[\w+ *\] (?P<message>.*?) *\[(?:kalshi|airflow\.task\.\S*)")


def run_dag(environment: dict[str, str]) -> bool:
    """Run the DAG with Airflow's whole output in ``.local/demo.log``, our own lines on the screen."""
    log = LOCAL / "demo.log"
    log.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "airflow", "dags", "test", DAG]
    print(f"\nRunning the DAG {DAG} in Airflow; its whole log: {log}\n", flush=True)
    with (
        log.open("w", encoding="utf-8") as file,
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
    parser = argparse.ArgumentParser(description="Run the catalog sync once and show what came of it.")
    parser.add_argument("--exchange", choices=EXCHANGES, default="sandbox")
    exchange = parser.parse_args().exchange
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    began = time.time()
    os.environ.update(connections(exchange))
    succeeded = run_dag(dict(os.environ))
    latest = load_settings().reports_folder / DAG / "latest"
    if not (latest / "report.json").exists() or (latest / "report.json").stat().st_mtime < began:
        raise SystemExit(f"\nThe run ended before its report. The end of {LOCAL / 'demo.log'} says why.")
    report = json.loads((latest / "report.json").read_text(encoding="utf-8"))
    print(f"\n{CATALOG.text(report)}\n")
    with WarehouseHook().get_conn().connect() as connection:
        rows = [(t, connection.execute(sa.text(f"SELECT COUNT(*) FROM {t}")).scalar_one()) for t in TABLES]
    print(f"{tabulate(rows, headers=['table', 'rows'])}\n")
    print(f"{report['verdict']} after {time.time() - began:.0f} s. The report: {(latest / 'index.html').resolve()}")
    if not succeeded:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
