"""The pages' access to the warehouse: one short read-only connection per page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import sqlalchemy as sa
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import Depends

from kalshi.hooks.errors import BadConnection
from kalshi.hooks.warehouse import WarehouseHook
from kalshi.warehouse import sql
from kalshi.warehouse.server import InsecureServer, error_of

SECONDS = 30
"""The time limit for a page's query."""
NO_TABLES = {1049, 1054, 1146, 1356}
"""MySQL's error numbers for: no such database, column, table; a view of a table that doesn't exist."""
NO_ACCESS = {1040, 1044, 1045, 1053, 1129, 1130, 1142}
"""Too many connections, wrong user or password, shutting down, host not allowed, no permission to read the table.
Numbers from 2000 on are the client's: no server, connection lost."""
TOO_LONG = {1969, 3024}
"""Query exceeded its time limit: MariaDB, MySQL."""


class WarehouseUnavailable(RuntimeError):
    """The page has nothing to show; the message says why, and what to do, in one sentence."""


@contextmanager
def reading() -> Iterator[sa.Connection]:
    """A read-only connection, to a copy if one is fit, on which no query runs for longer than ``SECONDS``.

    Raises:
        WarehouseUnavailable: there is no usable connection, or the server doesn't respond.
    """
    try:
        with WarehouseHook().reading() as connection:
            limit = (
                f"max_statement_time = {SECONDS}" if _is_mariadb(connection) else f"max_execution_time = {SECONDS}000"
            )
            sql.run(connection, "SET SESSION TRANSACTION READ ONLY")
            sql.run(connection, f"SET SESSION {limit}")
            yield connection
    except (AirflowNotFoundException, BadConnection) as error:
        raise WarehouseUnavailable(
            f"Airflow has no usable connection kalshi_warehouse ({error}): set it up under Admin, Connections, or as "
            "AIRFLOW_CONN_KALSHI_WAREHOUSE."
        ) from error
    except sa.exc.DBAPIError as error:
        if (reason := _reason(error)) is None:
            raise
        raise WarehouseUnavailable(reason) from error
    except InsecureServer as error:
        raise WarehouseUnavailable(
            "The connection to the warehouse isn't safe: python -m kalshi doctor says why, and what to do."
        ) from error


def _connection() -> Iterator[sa.Connection]:
    with reading() as connection:
        yield connection


Warehouse = Annotated[sa.Connection, Depends(_connection)]
"""What a route that reads the warehouse takes."""


def query(name: str, /, **values: Any) -> str:
    """The statement of ``include/sql/ui/<name>.sql`` with its values, for people to run."""
    return sql.written_out(sql.read("ui", name).text, values)


def ask(connection: sa.Connection, name: str, /, **values: Any) -> list[dict[str, Any]]:
    """The rows of ``include/sql/ui/<name>.sql``."""
    return [dict(row) for row in sql.run_file(connection, "ui", name, **values).mappings()]


def _is_mariadb(connection: sa.Connection) -> bool:
    return bool(getattr(connection.dialect, "is_mariadb", False))


def _reason(error: sa.exc.DBAPIError) -> str | None:
    """Why the query failed. The driver's message stays in the log: it names the server and its user."""
    number, _ = error_of(error)
    if number in NO_TABLES:
        return (
            "The warehouse has no tables yet, or those of an older version: trigger the DAG kalshi_catalog_sync, "
            "which creates and fills them."
        )
    if number in TOO_LONG:
        return f"The warehouse didn't respond within {SECONDS} s: choose fewer days, or try again when it is less busy."
    if number in NO_ACCESS or 2000 <= number < 3000:
        return (
            f"The warehouse can't be reached (MySQL error {number}): check that its server is running and that the "
            "connection kalshi_warehouse has the right address, user and password."
        )
    return None
