"""``python -m kalshi``: what an operator runs by hand, in an Airflow of any kind."""

from __future__ import annotations

import argparse
import os

from airflow.configuration import conf
from airflow.sdk.exceptions import AirflowFailException
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from tabulate import tabulate

from kalshi.doctor import Finding, examine
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.operators.common import failing_for_good
from kalshi.settings import load_settings
from kalshi.warehouse import migrate as migrations

POOL = "kalshi_api"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m kalshi", description="A Kalshi warehouse on Airflow.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="look at everything that a run needs; exit code 1 where something is wrong")
    commands.add_parser("migrate", help="bring the schema of kalshi_warehouse to the newest version")
    command = parser.parse_args().command
    # Outside of tasks Airflow reads the connections of its own database for its servers only: this is like one.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    {"doctor": doctor, "migrate": migrate}[command]()


def doctor() -> None:
    """Print every finding."""
    findings = [*examine(), _pool(), _driver()]
    print(tabulate([(f.state, f.check, f.words) for f in findings], tablefmt="plain", disable_numparse=True))
    failed = sum(f.state == "fail" for f in findings)
    warned = sum(f.state == "warn" for f in findings)
    print(f"\n{failed} failed, {warned} worth a look, {len(findings) - failed - warned} well.")
    raise SystemExit(1 if failed else 0)


def _pool() -> Finding:
    """Pools are in Airflow's own database, which tasks don't see."""
    from airflow.models.pool import Pool

    try:
        pool = Pool.get_pool(POOL)
    except DBAPIError as error:
        return Finding("pool", "fail", f"Airflow's own database can't be asked: {error.orig}.")
    if pool is None:
        return Finding(
            "pool", "fail", f'There is no pool {POOL}: airflow pools set {POOL} 8 "Tasks that ask the exchange"'
        )
    return Finding("pool", "ok", f"{POOL}: {pool.slots} tasks at the same time")


def _driver() -> Finding:
    """Whether the scheduler survives a callback: see docs/operations.md, Alerts."""
    driver = make_url(conf.get("database", "sql_alchemy_conn")).get_dialect().driver
    if driver == "mysqldb" and load_settings().notifiers:
        words = "with mysqlclient the scheduler dies of an alert: write mysql+pymysql:// in sql_alchemy_conn"
        return Finding("Airflow's database", "fail", words)
    return Finding("Airflow's database", "ok", f"driver {driver}")


def migrate() -> None:
    """Migrate, and print the version."""
    try:
        with failing_for_good(), WarehouseHook().connected() as engine:
            print(f"The warehouse is at schema version {migrations.migrate(engine)}.")
    except AirflowFailException as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
