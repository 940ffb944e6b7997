"""Upgrades the schema to the newest version, with Alembic and the SQL files in ``include/sql/migrations``."""

from __future__ import annotations

import logging
from collections.abc import Container
from datetime import date
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from kalshi.warehouse import months, sql
from kalshi.warehouse.capabilities import require
from kalshi.warehouse.server import error_of, patiently, wait_for_long

log = logging.getLogger(__name__)
LOCK_SECONDS, EXTEND_SECONDS = 120, 2
LOCK_NAME = "LEFT(CONCAT('migrate.', DATABASE()), 64)"
"""MySQL allows no longer names; databases whose names share this prefix wait for each other."""

EXISTS = {1060, 1061, 1347}
"""The server's error numbers for a column and an index that are there already, and a view that is a table by now."""


UNATTENDED_ROWS = 5_000_000
"""A job migrates by itself if no more are to be rewritten: about a minute."""


class LongMigration(RuntimeError):
    """The migration takes so long that a person should choose the time."""


class MigrationLocked(RuntimeError):
    """Another worker has been migrating for longer than we are willing to wait."""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def run_sql_file(name: str, *, tolerated: Container[int] = ()) -> None:
    """Run every statement of ``include/sql/migrations/<name>.sql``. Called by the revisions.

    ``tolerated``: the error numbers with which the server may refuse a statement that the schema can do without.
    """
    for statement in sql.read_all("migrations", name):
        try:  # the text as it stands: here a colon names no value
            op.get_bind().exec_driver_sql(statement.replace("%", "%%"))
        except sa.exc.DBAPIError as error:
            # A migration that was killed runs again, and ALTER TABLE … ADD can't say IF NOT EXISTS on MySQL.
            if error_of(error)[0] not in EXISTS and error_of(error)[0] not in tolerated:
                raise


def versions(connection: sa.Connection) -> tuple[str | None, str]:
    """The schema's current version (None: no schema yet), and the newest."""
    return _version(connection), str(ScriptDirectory.from_config(_config()).get_current_head())


def migrate(engine: sa.Engine, *, is_attended: bool = False) -> str:
    """Apply pending migrations and return the schema's version. Safe when several workers start at once.

    The first worker holds a lock on the server, which is released when its connection ends; the others wait. A
    migration whose server is lost goes on where it was, once there is one again. ``is_attended``: a person waits, so
    that it may take long. Partitions for the months ahead are made, too: in good time, or now if a person asks.

    Raises:
        LongMigration: it may not; nothing was changed.
        MigrationLocked: the lock wasn't free within two minutes.
        UnfitServer: the server lacks what the warehouse relies on; nothing was changed.
    """
    with engine.connect() as connection:  # a server that isn't there is an error at once
        current, newest = versions(connection)
        if current == newest and not is_attended:
            if short := months.ending(connection, months.ahead(months.FEWEST)):
                _extend(connection, short)
            return newest
    return patiently(engine, partial(_upgrade, engine, is_attended))


def _extend(connection: sa.Connection, tables: dict[str, date]) -> None:
    """Make partitions for the months ahead, by table with its last month, unless another worker does. No job fails for
    this: a year is left, in which the next ones try again."""
    connection.detach()  # closed rather than pooled afterwards, which releases the lock
    if sql.run(connection, f"SELECT GET_LOCK({LOCK_NAME}, 0)").scalar() != 1:
        return
    connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {EXTEND_SECONDS}")
    for table, last in tables.items():
        try:
            if months.has_later_rows(connection, table):
                log.warning("%s has rows after its last month, %s: run python -m kalshi migrate.", table, last)
                continue
            connection.commit()  # an open transaction would hold up its own ALTER TABLE
            months.extend(connection, table, last)
        except sa.exc.DBAPIError as error:
            again = "The next run tries again; python -m kalshi migrate, by the user that migrates, does it now."
            log.warning("%s has no months after %s yet. %s %s", table, last, again, error.orig)


def _upgrade(engine: sa.Engine, is_attended: bool) -> str:
    with engine.connect() as connection:
        wait_for_long(connection)  # a table may be rebuilt
        connection.detach()  # closed rather than pooled afterwards, which releases the lock
        if sql.run(connection, f"SELECT GET_LOCK({LOCK_NAME}, :seconds)", seconds=LOCK_SECONDS).scalar() != 1:
            raise MigrationLocked(
                f"Another worker has been migrating the warehouse for {LOCK_SECONDS} s. "
                "Find it with SHOW PROCESSLIST; the lock is released when its connection ends."
            )
        if not is_attended:
            # While an ALTER TABLE waits for a long read to end, all later reads of the table wait for it.
            connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}")
        require(connection)
        connection.commit()
        if not is_attended and (rows := months.rows_to_partition(connection)) > UNATTENDED_ROWS:
            raise LongMigration(
                f"The upgrade of the warehouse rewrites about {rows:,} rows, which takes minutes, and as much disk "
                "again as its largest table. Pause the DAGs and run python -m kalshi migrate; it says how long."
            )
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        if is_attended:
            months.partition(connection)
        connection.commit()
        return str(_version(connection))


def _version(connection: sa.Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table": "kalshi_schema_version"})
    version = context.get_current_revision()
    connection.rollback()
    return version
