"""A sample table with a column of every kind, in databases that allow LOAD DATA and in those that don't."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.private_server import PrivateServer
from tests.warehouse.sample import CREATE_SAMPLE


@pytest.fixture
def samples(server_on_both: PrivateServer) -> Iterator[sa.Engine]:
    """A database with nothing but the sample table."""
    engine = open_engine(address_of(server_on_both.database("samples")), loads=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS sample")
        connection.exec_driver_sql(CREATE_SAMPLE)
    yield engine
    engine.dispose()


@pytest.fixture(params=[True, False], ids=["load_data", "insert"])
def samples_each_way(
    request: pytest.FixtureRequest, samples: sa.Engine, server_on_both: PrivateServer
) -> Iterator[sa.Engine]:
    """The same, on a server that allows LOAD DATA LOCAL and on one that doesn't."""
    with server_on_both.as_root() as cursor:
        cursor.execute("SET GLOBAL local_infile = %s", (request.param,))
    yield samples
    with server_on_both.as_root() as cursor:
        cursor.execute("SET GLOBAL local_infile = 1")
