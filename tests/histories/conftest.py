"""One warehouse for all histories: each has a series of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from kalshi.warehouse.migrate import migrate
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from scripts.private_server import PrivateServer


@pytest.fixture(scope="session")
def shared_warehouse(mariadb: PrivateServer) -> Iterator[sa.Engine]:
    """A migrated warehouse on MariaDB, on a server that doesn't wait for the disk."""
    with mariadb.as_root() as cursor:
        cursor.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 0")
    engine = open_engine(address_of(mariadb.database("histories")), loads=True)
    engine.pool._pre_ping = False  # nobody cuts these connections, and there are thousands of transactions
    migrate(engine)
    yield engine
    engine.dispose()
    with mariadb.as_root() as cursor:
        cursor.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
