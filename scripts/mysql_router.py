"""A MySQL Router before a group of servers: one port leads to the primary, whichever it is, another to its copies.

The Router learns from tables of the group who its servers are. MySQL Shell would make them, which Debian lacks;
those that the Router reads are made here.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from scripts.group_replication import Group
from scripts.private_server import ServerError, free_port, process_in
from scripts.real_mysql import RouterPrograms

METADATA = "mysql_innodb_cluster_metadata"
USER = "router"
VERSION = (2, 0, 0)
"""Of the tables: the last in which a group needs no set of groups around it."""
PID = "router.pid"
SECONDS_TO_START = 30
GREETING = b"\x0a"
"""The byte after a packet's header of four with which a server's greeting begins, and no error of the Router's own."""
CONFIGURATION = """\
[DEFAULT]
logging_folder={folder}
runtime_folder={folder}
data_folder={folder}
plugin_folder={plugins}
keyring_path={folder}/keyring
master_key_path={folder}/master.key
dynamic_state={folder}/state.json

[metadata_cache:kalshi]
cluster_type=gr
router_id=1
user=router
metadata_cluster=kalshi
ttl=0.5

[routing:write]
bind_address=127.0.0.1
bind_port={write_port}
destinations=metadata-cache://kalshi/?role=PRIMARY
routing_strategy=first-available
protocol=classic
client_ssl_mode=PASSTHROUGH
server_ssl_mode=AS_CLIENT

[routing:read]
bind_address=127.0.0.1
bind_port={read_port}
destinations=metadata-cache://kalshi/?role=SECONDARY
routing_strategy=round-robin-with-fallback
protocol=classic
client_ssl_mode=PASSTHROUGH
server_ssl_mode=AS_CLIENT
"""


@dataclass(frozen=True)
class Router:
    """``write_port`` leads to the primary, ``read_port`` to a copy, or to the primary if there is none."""

    folder: Path
    programs: RouterPrograms = field(repr=False)
    write_port: int
    read_port: int

    def start(self) -> None:
        """Start it unless it is running, and wait until it leads to a server.

        Raises:
            ServerError: it doesn't; the message names its logs.
        """
        if not self.is_running():
            with (self.folder / "output.log").open("wb") as file:
                process = subprocess.Popen(
                    [*self.programs.router, "--config", str(self.folder / "mysqlrouter.conf")],
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    start_new_session=True,
                )
            (self.folder / PID).write_text(str(process.pid))
        deadline = time.monotonic() + SECONDS_TO_START
        while self.is_running() and time.monotonic() < deadline:
            if self._leads_to_primary():
                return
            time.sleep(0.05)
        raise ServerError(f"MySQL Router leads nowhere: see output.log and mysqlrouter.log in {self.folder}.")

    def is_running(self) -> bool:
        """Whether its process lives."""
        return process_in(self.folder / PID) is not None

    def _leads_to_primary(self) -> bool:
        """Whether the primary greets who connects: there may be none, or the Router doesn't know it yet."""
        try:
            with socket.create_connection(("127.0.0.1", self.write_port), timeout=1) as probe:
                return probe.recv(5)[4:] == GREETING
        except OSError:
            return False

    def restart(self) -> None:
        """Stop it, and with it the connections through it, and start it again."""
        stop(self.folder)
        self.start()


def stop(folder: Path) -> None:
    """Stop the Router in ``folder`` if it is running."""
    if process := process_in(folder.resolve() / PID):
        process.terminate()
        process.wait(SECONDS_TO_START)


def ensure(folder: Path, programs: RouterPrograms, group: Group) -> Router:
    """The Router in ``folder``, created and started if necessary.

    Raises:
        ServerError: it doesn't start, or its password can't be stored.
    """
    folder = folder.resolve()
    state = folder / "router.json"
    if not state.exists():
        folder.mkdir(parents=True, exist_ok=True)
        ports = {"write_port": free_port(), "read_port": free_port()}
        _make_metadata(group)
        _store_password(folder, programs, group.password)
        servers = [f"mysql://127.0.0.1:{port}" for port in group.ports]
        known = {"group-replication-id": group.name, "cluster-metadata-servers": servers}
        (folder / "state.json").write_text(json.dumps({"version": "1.0.0", "metadata-cache": known}))
        configuration = CONFIGURATION.format(folder=folder, plugins=programs.plugins, **ports)
        (folder / "mysqlrouter.conf").write_text(configuration)
        state.write_text(json.dumps(ports))
    router = Router(folder, programs, **json.loads(state.read_text()))
    router.start()
    return router


def _store_password(folder: Path, programs: RouterPrograms, password: str) -> None:
    master, keyring = f"--master-key-file={folder / 'master.key'}", str(folder / "keyring")
    for path in (folder / "master.key", folder / "keyring"):
        path.unlink(missing_ok=True)
    for command in (["init", master, keyring], ["set", master, keyring, USER, "password"]):
        done = subprocess.run(
            [*programs.keyring, *command], input=password, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServerError(f"MySQL Router's password can't be stored: {done.stderr or done.stdout}")


def _make_metadata(group: Group) -> None:
    """Make the tables that the Router reads, with the nodes of the group, and the user as which it reads them."""
    instances = " UNION ALL ".join(
        f"SELECT '{uuid}' AS mysql_server_uuid, '127.0.0.1:{port}' AS label, '127.0.0.1:{port}' AS endpoint, "
        "NULL AS xendpoint, CAST('{}' AS JSON) AS attributes, 'kalshi' AS cluster_id"
        for port, uuid in group.server_uuids().items()
    )
    own_uuid = "SELECT variable_value FROM performance_schema.global_variables WHERE variable_name = 'server_uuid'"
    with group.node(group.primary()).as_root() as cursor:
        for statement in (
            f"DROP DATABASE IF EXISTS {METADATA}",
            f"CREATE DATABASE {METADATA}",
            f"CREATE VIEW {METADATA}.schema_version (major, minor, patch) AS SELECT {', '.join(map(str, VERSION))}",
            f"CREATE VIEW {METADATA}.v2_gr_clusters AS "
            f"SELECT 'kalshi' AS cluster_id, 'kalshi' AS cluster_name, '{group.name}' AS group_name",
            f"CREATE VIEW {METADATA}.v2_instances AS {instances}",
            f"CREATE VIEW {METADATA}.v2_this_instance AS SELECT cluster_id, 'gr' AS cluster_type "
            f"FROM {METADATA}.v2_instances WHERE CONVERT(mysql_server_uuid USING utf8mb4) COLLATE utf8mb4_bin = "
            f"({own_uuid}) COLLATE utf8mb4_bin",
            f"CREATE TABLE {METADATA}.v2_routers (router_id INT PRIMARY KEY, router_name VARCHAR(255), address TEXT, "
            "version VARCHAR(12), last_check_in TIMESTAMP NULL, attributes JSON, options JSON)",
            f"CREATE USER IF NOT EXISTS {USER}@'127.0.0.1'",
            f"GRANT SELECT ON {METADATA}.* TO {USER}@'127.0.0.1'",
            f"GRANT SELECT ON performance_schema.* TO {USER}@'127.0.0.1'",
            f"GRANT UPDATE ON {METADATA}.v2_routers TO {USER}@'127.0.0.1'",
        ):
            cursor.execute(statement)
        cursor.execute(f"ALTER USER {USER}@'127.0.0.1' IDENTIFIED BY %s", (group.password,))
