"""Errors in connections, and what a check that meets one reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pymysql
import sqlalchemy as sa
from airflow.sdk.exceptions import AirflowNotFoundException

from kalshi.diagnosis import Diagnosis
from kalshi.exchange import ExchangeError
from kalshi.warehouse.server import InsecureServer, error_of


class BadConnection(ValueError):
    """A connection is incomplete or has an unusable part; the message names the part, never its value."""


def reached(name: str, check: Callable[[], Iterator[Diagnosis]]) -> Iterator[Diagnosis]:
    """What ``check`` finds of the connection ``name``, up to the error that ends it."""
    try:
        yield from check()
    except AirflowNotFoundException:
        yield Diagnosis(
            name, "fail", f"There is no connection {name}: define it in Airflow or as AIRFLOW_CONN_{name.upper()}."
        )
    except (sa.exc.DBAPIError, pymysql.err.MySQLError) as error:
        words = error_of(error)[1] or error
        yield Diagnosis(name, "fail", f"The server reports: {words}. Check the connection and include/sql/grants.sql.")
    except (BadConnection, InsecureServer, ExchangeError) as error:
        yield Diagnosis(name, "fail", str(error))
