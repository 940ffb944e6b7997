"""Pages are read ahead by threads; none of them outlives the reading, however that ends.

A thread that is left to the garbage collector may be ended in the middle of another thread's start, and both then wait
for each other for ever.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pymysql
import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from tests.resilience.jobs import Job

ERRORS = (sa.exc.DBAPIError, pymysql.Error)


@contextmanager
def refusing_rows(engine: sa.Engine, table: str) -> Iterator[None]:
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW SIGNAL SQLSTATE '45000' "
            "SET MESSAGE_TEXT = 'refused by the test'"
        )
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER refuse")


def test_a_job_whose_rows_are_refused_leaves_no_thread_behind(
    job: Job, exchange: Exchange, warehouse: sa.Engine
) -> None:
    with (
        refusing_rows(warehouse, job.table),
        pytest.raises(ERRORS, match="refused by the test") as error,
    ):
        job.run(exchange, warehouse)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("read-ahead")]
    assert error.traceback, "and that while the error is still held, with every frame that it passed"
