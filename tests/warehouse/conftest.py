"""A sample table with a column of every kind, in databases that allow LOAD DATA and in those that don't."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.warehouse.capabilities import CAPABILITIES
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


@pytest.fixture(params=["load_data", "insert", "poorest"])
def samples_each_way(
    request: pytest.FixtureRequest, samples: sa.Engine, server_on_both: PrivateServer
) -> Iterator[sa.Engine]:
    """The same, on a server that allows LOAD DATA LOCAL, on one that doesn't, and on one that lacks whatever there is
    another way for."""
    if request.param == "poorest":

        @sa.event.listens_for(samples, "connect")
        def lack(_: Any, record: Any) -> None:
            record.info["lacking"] = {capability.name for capability in CAPABILITIES if capability.instead}

        samples.dispose()
    with server_on_both.as_root() as cursor:
        cursor.execute("SET GLOBAL local_infile = %s", (request.param != "insert",))
    yield samples
    with server_on_both.as_root() as cursor:
        cursor.execute("SET GLOBAL local_infile = 1")
