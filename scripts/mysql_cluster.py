"""`make cluster`: three real MySQL servers in Group Replication behind a MySQL Router, in ``.local/cluster``."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tabulate import tabulate

from scripts import group_replication, mysql_router, private_server, real_mysql
from scripts.backends import LOCAL, WAREHOUSE
from scripts.group_replication import Group
from scripts.mysql_router import Router
from scripts.private_server import ServerError

FOLDER = LOCAL / "cluster"


@dataclass(frozen=True)
class MysqlCluster:
    """The servers, and the Router through which they are reached."""

    group: Group
    router: Router

    def database(self, name: str) -> str:
        """Create the database ``name`` unless it exists, and return it as an Airflow connection through the Router."""
        primary = replace(self.group.node(self.group.primary()), password=self.group.password)
        connection = primary.database(name)
        return connection.replace(f":{primary.port}/", f":{self.router.write_port}/")

    def kill_primary(self) -> None:
        """Kill the node that writes without warning; the others choose one of them."""
        self.group.kill(self.group.primary())

    def heal(self) -> None:
        """Start the nodes that are dead, and wait until they are in the group again and have everything."""
        ensure(self.group.folder)


def ensure(folder: Path) -> MysqlCluster:
    """The cluster in ``folder``, created and started if necessary; nodes that were killed join again.

    Raises:
        ServerError: a part of it doesn't start; the message says why.
    """
    packages = LOCAL / "real-mysql"
    group = group_replication.ensure(folder, real_mysql.download(packages))
    router = mysql_router.ensure(folder / "router", real_mysql.download_router(packages), group)
    return MysqlCluster(group, router)


@contextmanager
def passing_cluster(folder: Path) -> Iterator[MysqlCluster]:
    """A cluster for the length of a with-block."""
    try:
        yield ensure(folder)
    finally:
        stop(folder)


def stop(folder: Path) -> None:
    """Stop the cluster in ``folder`` if it is running."""
    mysql_router.stop(folder / "router")
    for node in sorted(folder.glob("node*")):
        private_server.stop(node)


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a cluster of MySQL servers, and print its connection.")
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument("--database", default="kalshi", help="created unless it exists (default: kalshi)")
    args = parser.parse_args()
    if args.action == "stop":
        stop(FOLDER)
        return
    try:
        cluster = ensure(FOLDER)
    except ServerError as error:
        raise SystemExit(str(error)) from error
    ports = cluster.group.ports
    rows = [(f"node{ports.index(m.port) + 1}", f"127.0.0.1:{m.port}", m.role, m.state) for m in cluster.group.members()]
    print(tabulate(sorted(rows), headers=("node", "address", "role", "state")))
    print("\nMySQL Router leads to the primary. Use the cluster as the warehouse:\n")
    print(f"export {WAREHOUSE}='{cluster.database(args.database)}'")


if __name__ == "__main__":
    main()
