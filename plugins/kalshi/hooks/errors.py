"""Errors in connections, and what a check that meets one reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sqlalchemy as sa
from airflow.sdk.exceptions import AirflowNotFoundException

from kalshi.diagnosis import Diagnosis
from kalshi.exchange import ExchangeError
from kalshi.warehouse.capabilities import UnfitServer
from kalshi.warehouse.server import InsecureServer


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
    except sa.exc.DBAPIError as error:
        words = error.orig.args[-1] if error.orig and error.orig.args else error
        yield Diagnosis(name, "fail", f"The server reports: {words}. Check the connection and include/sql/grants.sql.")
    except (BadConnection, InsecureServer, UnfitServer, ExchangeError) as error:
        yield Diagnosis(name, "fail", str(error))
