"""Connections to the MySQL-compatible server."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pymysql
import sqlalchemy as sa
import tenacity

log = logging.getLogger(__name__)
Result = TypeVar("Result")

SESSION = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'"
"""Bad values are errors, not roundings; CURRENT_TIMESTAMP is UTC."""

WORTH_RETRYING = {1205: "lock wait timeout", 1213: "deadlock", 2006: "server gone", 2013: "connection lost"}


@dataclass(frozen=True)
class ServerAddress:
    """Where the warehouse is. ``ssl`` goes to PyMySQL as it is (ca, cert, key, check_hostname …)."""

    host: str
    database: str
    user: str
    password: str = field(repr=False, default="")
    port: int = 3306
    unix_socket: str | None = None
    ssl: dict[str, Any] | None = None


def open_engine(address: ServerAddress) -> sa.Engine:
    """An SQLAlchemy engine on the warehouse.

    PyMySQL is connected here rather than by SQLAlchemy, which would turn on CLIENT.FOUND_ROWS and with
    that blur "updated" and "unchanged" rows.
    """

    def connect() -> Any:
        return pymysql.connect(
            host=address.host,
            port=address.port,
            unix_socket=address.unix_socket,
            user=address.user,
            password=address.password,
            database=address.database,
            charset="utf8mb4",
            local_infile=True,
            ssl=address.ssl,
            init_command=SESSION,
            connect_timeout=10,
            read_timeout=600,
            write_timeout=600,
        )

    return sa.create_engine("mysql+pymysql://", creator=connect, pool_pre_ping=True, pool_recycle=1800)


def _is_worth_retrying(error: BaseException) -> bool:
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    return isinstance(cause, pymysql.err.MySQLError) and bool(cause.args) and cause.args[0] in WORTH_RETRYING


def in_transaction(engine: sa.Engine, work: Callable[[sa.Connection], Result]) -> Result:
    """Run ``work`` in one transaction, again from its start after a deadlock or a lost connection.

    ``work`` must have no other effects than on the connection it gets. The last error is raised as it is.
    """

    def attempt() -> Result:
        with engine.begin() as connection:
            return work(connection)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_worth_retrying),
        stop=tenacity.stop_after_attempt(6),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=10),
        before_sleep=tenacity.before_sleep_log(log, logging.WARNING),
        reraise=True,
    )
    return retrying(attempt)
