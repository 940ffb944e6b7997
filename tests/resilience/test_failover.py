"""Every job on a cluster of three servers behind a router, whose primary is killed under it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.warehouse.capabilities import lacks
from kalshi.warehouse.migrate import migrate, versions
from kalshi.warehouse.server import open_engine
from scripts import mysql_cluster
from scripts.address import address_of
from scripts.content import contents
from scripts.mysql_cluster import MysqlCluster
from scripts.pages_client import logged_in
from scripts.private_server import PrivateServer, Program
from tests.resilience.account import Content, asked, assert_same, small, until
from tests.resilience.jobs import JOBS
from tests.support.databases import runs
from tests.support.exchange_server import ExchangeServer
from tests.support.memory import data_folder
from tests.support.warehouses import forget, shared_warehouse


@pytest.fixture(scope="module")
def cluster(mysql_program: Program) -> Iterator[MysqlCluster]:
    with data_folder() as folder, mysql_cluster.passing_cluster(folder) as made:
        yield made
        for number in range(len(made.group.ports)):
            made.group.kill(number)  # quicker than to stop them


@pytest.fixture(scope="module")
def _on_cluster(cluster: MysqlCluster) -> Iterator[sa.Engine]:
    engine = open_engine(address_of(cluster.database("failover")), loads=True)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def on_cluster(cluster: MysqlCluster, _on_cluster: sa.Engine) -> sa.Engine:
    """An empty warehouse on the cluster, all of whose nodes are online."""
    cluster.heal()
    forget(_on_cluster)
    return _on_cluster


@pytest.fixture
def single(mysql: PrivateServer) -> sa.Engine:
    """An empty warehouse on one server."""
    shared = shared_warehouse(mysql)
    shared.empty()
    return shared.engine


def _contains(engine: sa.Engine, expected: Content) -> bool:
    return contents(engine) == expected


def through(cluster: MysqlCluster, port: int, database: str = "failover") -> sa.Engine:
    """The warehouse by way of a port: the Router's, or that of a node."""
    return open_engine(replace(address_of(cluster.database(database)), port=port), loads=True)


def test_every_job_leaves_the_rows_of_one_server_on_every_node(
    cluster: MysqlCluster, on_cluster: sa.Engine, single: sa.Engine, exchange: Exchange
) -> None:
    with on_cluster.connect() as connection:
        assert lacks(connection) == []
    for engine in (single, on_cluster):
        for job in JOBS.values():
            assert job.run(exchange, engine).state in ("success", "warning")
    whole = contents(single)
    assert_same(on_cluster, whole)
    for port in cluster.group.ports:
        node = through(cluster, port)
        until(partial(_contains, node, whole))
        node.dispose()


def test_a_run_outlives_the_primary(
    cluster: MysqlCluster,
    on_cluster: sa.Engine,
    single: sa.Engine,
    server: ExchangeServer,
    exchange: Exchange,
    reference: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = small(JOBS["candles"], monkeypatch)
    whole = reference(job, exchange, single)
    server.faults({"kind": "slow", "path": job.path, "skip": 1, "value": 0.5})
    before = asked(server, job)
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(job.run, exchange, on_cluster)
        until(lambda: asked(server, job) >= before + 2)
        cluster.kill_primary()
        report = done.result()
    assert report.state in ("success", "warning")
    assert set(runs(on_cluster)) == {"success"}
    assert_same(on_cluster, whole)


def test_a_cluster_that_was_stopped_begins_where_the_last_node_ended(
    cluster: MysqlCluster, on_cluster: sa.Engine, exchange: Exchange
) -> None:
    connection = cluster.database("failover")
    cluster.kill_primary()
    assert cluster.database("failover") == connection, "whichever node is the primary"
    JOBS["catalog"].run(exchange, on_cluster)  # which the dead node lacks
    whole = contents(on_cluster)
    mysql_cluster.stop(cluster.group.folder)
    cluster.heal()
    assert contents(on_cluster) == whole
    assert [member.state for member in cluster.group.members()] == ["ONLINE"] * 3


def test_the_pages_read_a_copy_and_go_on_while_the_primary_is_dead(
    cluster: MysqlCluster, on_cluster: sa.Engine, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    JOBS["catalog"].run(exchange, on_cluster)
    writes = cluster.group.primary()
    copy = cluster.group.ports[(writes + 1) % 3]
    monkeypatch.setenv(
        "AIRFLOW_CONN_KALSHI_WAREHOUSE", f"{cluster.database('failover')}?read_port={copy}&read_lag_seconds=5"
    )
    with logged_in() as client:
        until(lambda: "From a copy of the warehouse, 0 s behind." in client.get("/markets").text)
        cluster.group.kill(writes)
        page = client.get("/markets")
    assert page.status_code == 200
    assert "The primary can&#39;t be reached: this is from a copy, as of" in page.text
    assert "KXHIGHNY" in page.text


def test_a_migration_outlives_the_primary_and_a_restart_of_the_router(
    cluster: MysqlCluster, on_cluster: sa.Engine, single: sa.Engine
) -> None:
    connection = cluster.database("migrated")
    engine, watching = (open_engine(address_of(connection)) for _ in range(2))
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(migrate, engine)
        until(lambda: version(watching) > "0003")
        cluster.kill_primary()
        assert not done.done()
        until(lambda: version(watching) > "0005")
        assert not done.done()
        cluster.router.restart()
        newest = done.result()
    assert version(engine) == newest == version(single)
    assert schema(engine) == schema(single)
    for one in (engine, watching):
        one.dispose()


def version(engine: sa.Engine) -> str:
    """Of the schema, "" if there is none or no server."""
    try:
        with engine.connect() as connection:
            return versions(connection)[0] or ""
    except sa.exc.OperationalError:
        return ""


def schema(engine: sa.Engine) -> dict[str, str]:
    """The statement that would make each table and view."""
    with engine.connect() as connection:
        tables = connection.exec_driver_sql("SHOW FULL TABLES").all()
        return {
            name: re.sub(
                r" AUTO_INCREMENT=\d+|DEFINER=\S+ ",
                "",
                connection.exec_driver_sql(f"SHOW CREATE {kind.removeprefix('BASE ')} {name}").all()[0][1],
            )
            for name, kind in tables
        }
