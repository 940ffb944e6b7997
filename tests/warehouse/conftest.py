"""A sample table with a column of every kind, in databases that allow LOAD DATA and in those that don't."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from kalshi.warehouse.server import open_engine
from scripts.private_server import PrivateServer
from tests.support.databases import address_of
from tests.warehouse.sample import CREATE_SAMPLE


@pytest.fixture
def server(request: pytest.FixtureRequest, empty_database_on_both: str) -> PrivateServer:
    """The server of this test's database, for what only its root may do."""
    server: PrivateServer = request.getfixturevalue(request.node.callspec.params["empty_database_on_both"])
    return server


@pytest.fixture
def samples(empty_database_on_both: str) -> Iterator[sa.Engine]:
    """A database with the sample table."""
    engine = open_engine(address_of(empty_database_on_both), loads=True)
    with engine.begin() as connection:
        connection.exec_driver_sql(CREATE_SAMPLE)
    yield engine
    engine.dispose()


@pytest.fixture(params=[True, False], ids=["load_data", "insert"])
def samples_each_way(request: pytest.FixtureRequest, samples: sa.Engine, server: PrivateServer) -> Iterator[sa.Engine]:
    """The same, on a server that allows LOAD DATA LOCAL and on one that doesn't."""
    with server.as_root() as cursor:
        cursor.execute("SET GLOBAL local_infile = %s", (request.param,))
    yield samples
    with server.as_root() as cursor:
        cursor.execute("SET GLOBAL local_infile = 1")
