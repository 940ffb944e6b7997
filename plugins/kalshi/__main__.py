"""``python -m kalshi``: the commands an operator runs by hand, in any Airflow."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from airflow.sdk.exceptions import AirflowFailException
from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from tabulate import tabulate

from kalshi.diagnosis import Diagnosis
from kalshi.exchange import ExchangeError
from kalshi.hooks.kalshi import KalshiHook
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.operations import acknowledging, missing
from kalshi.operations.doctor import examine
from kalshi.operators.common import failing_for_good
from kalshi.settings import DAGS, INCLUDE, POOL, load_settings
from kalshi.sync import cutoff
from kalshi.warehouse import migrate as migrations
from kalshi.warehouse import months

PRINTED = {
    "settings": (INCLUDE / "kalshi.toml", "print the default settings, to start your own file for KALSHI_SETTINGS"),
    "grants": (
        INCLUDE / "sql" / "grants.sql",
        "print the SQL that creates the warehouse's users with minimum privileges",
    ),
}
"""Commands that print a file of the package."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m kalshi", description="A Kalshi warehouse on Airflow.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("doctor", help="check everything that a run depends on; exit code 1 if a check fails")
    commands.add_parser("migrate", help="upgrade the schema of kalshi_warehouse to the newest version")
    commands.add_parser(
        "accept", help="let kalshi_warehouse take data of kalshi_default's exchange and API key from now on"
    )
    missing.add_commands(
        commands.add_parser("gaps", help="list what is known to be missing; gaps accept: accept that it stays missing")
    )
    acknowledging.add_commands(
        commands.add_parser("quality", help="quality acknowledge: say that a rule may stay broken until a day")
    )
    commands.add_parser("dags", help="print the folder of the DAG files, for AIRFLOW__CORE__DAGS_FOLDER")
    for name, (_, purpose) in PRINTED.items():
        commands.add_parser(name, help=purpose)
    asked = parser.parse_args()
    command = asked.command
    if command in PRINTED:
        print(PRINTED[command][0].read_text(encoding="utf-8"), end="")
        return
    if command == "dags":
        print(DAGS)
        return
    # Outside of tasks, Airflow reads connections from its own database only in its servers: act as one.
    os.environ.setdefault("_AIRFLOW_PROCESS_CONTEXT", "server")
    run: dict[str, Callable[[], None]] = {
        "doctor": doctor,
        "migrate": migrate,
        "accept": accept,
        "gaps": partial(printed, missing.run, asked),
        "quality": partial(printed, acknowledging.run, asked),
    }
    run[command]()


def doctor() -> None:
    """Print every finding."""
    findings = [*examine(), *_airflows_own()]
    print(tabulate([(f.state, f.check, f.words) for f in findings], tablefmt="plain", disable_numparse=True))
    failed = sum(f.state == "fail" for f in findings)
    warned = sum(f.state == "warn" for f in findings)
    print(f"\n{failed} failed, {warned} with a warning, {len(findings) - failed - warned} passed.")
    raise SystemExit(1 if failed else 0)


def _airflows_own() -> list[Diagnosis]:
    """Check the pool and the type of Airflow's own database, which tasks can't see."""
    from airflow.models.pool import Pool
    from airflow.utils.session import create_session

    try:
        with create_session() as session:
            pool, dialect = Pool.get_pool(POOL, session=session), session.connection().dialect
            slots = pool.slots if pool else 0
    except DBAPIError as error:
        return [Diagnosis("Airflow's database", "fail", f"it can't be queried: {error.orig}.")]
    return [_pool(slots), _database(dialect)]


def _pool(slots: int) -> Diagnosis:
    if not slots:
        words = f'There is no pool {POOL}: airflow pools set {POOL} 8 "Tasks that send requests to the exchange"'
        return Diagnosis("pool", "fail", words)
    return Diagnosis("pool", "ok", f"{POOL}: {slots} tasks at the same time")


def _database(dialect: Dialect) -> Diagnosis:
    """Whether the scheduler survives on it: see docs/operations.md, Airflow's own database."""
    check = "Airflow's database"
    if getattr(dialect, "is_mariadb", False):
        return Diagnosis(check, "fail", "Airflow's scheduler crashes on MariaDB: use MySQL or PostgreSQL")
    if dialect.driver == "mysqldb" and load_settings().alerts:
        words = "with mysqlclient the scheduler crashes on alerts: use mysql+pymysql:// in sql_alchemy_conn"
        return Diagnosis(check, "fail", words)
    return Diagnosis(check, "ok", f"{dialect.name}, driver {dialect.driver}")


def migrate() -> None:
    """Migrate, and print the version. Says how long it takes, and makes partitions for the months ahead."""
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    logging.getLogger(months.__name__).setLevel(logging.INFO)
    with _exiting(), WarehouseHook().connected() as engine:
        print(f"The warehouse is at schema version {migrations.migrate(engine, is_attended=True)}.")


def printed(run: Callable[[argparse.Namespace], str], asked: argparse.Namespace) -> None:
    """Print what a command with arguments of its own says."""
    with _exiting():
        print(run(asked))


@contextmanager
def _exiting() -> Iterator[None]:
    """Exit with one line if the warehouse can't be used."""
    try:
        with failing_for_good():
            yield
    except AirflowFailException as error:
        raise SystemExit(str(error)) from error


def accept() -> None:
    """Accept the exchange and the key, and print which they are."""
    try:
        with (
            failing_for_good(),
            WarehouseHook().connected() as engine,
            KalshiHook().get_conn(attempts=2) as exchange,
        ):
            migrations.migrate(engine)
            identity = cutoff.accept(exchange, engine)
    except (AirflowFailException, ExchangeError) as error:
        raise SystemExit(str(error)) from error
    key = f", and portfolios read with the API key {exchange.key_id}" if exchange.key_id else ""
    print(f"kalshi_warehouse accepts data of {identity.name}{key}.")


if __name__ == "__main__":
    main()
