"""Three real MySQL servers in Group Replication on this machine: one primary, which writes, and two copies of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pymysql
import tenacity

from scripts import private_server
from scripts.private_server import PrivateServer, Program, ServerError, free_port

Result = TypeVar("Result")
NODES = 3
"""The fewest of which one may fail: the others are still a majority."""
PATIENCE_SECONDS = 60
NOT_ADMITTED = 3092
"""The server's error number, whatever the reason; its log has that."""
REPLICATOR = "replicator"
"""The user as which a node that joins copies what it missed."""
SETTINGS = (
    "--log-bin=binlog",
    "--gtid-mode=ON",
    "--enforce-gtid-consistency=ON",
    "--report-host=127.0.0.1",
    "--plugin-load-add=group_replication.so",
    "--group-replication-start-on-boot=OFF",
    "--group-replication-ip-allowlist=127.0.0.1/8",
    "--group-replication-recovery-get-public-key=ON",
    # A node that is silent is suspected after five seconds; then it is expelled at once.
    "--group-replication-member-expel-timeout=0",
)


@dataclass(frozen=True)
class Member:
    """A node as another sees it: ``state`` such as ONLINE or RECOVERING, ``role`` PRIMARY or SECONDARY."""

    port: int
    state: str
    role: str


@dataclass(frozen=True)
class Group:
    """A group's folder, its name (a UUID), and for each node the port of clients and that of the other nodes."""

    folder: Path
    program: Program = field(repr=False)
    name: str
    password: str = field(repr=False)
    ports: list[int]
    group_ports: list[int]

    def start(self, number: int) -> PrivateServer:
        """Start node ``number`` (from 0) unless it is running. It isn't in the group yet: :meth:`join`."""
        folder = self.folder / f"node{number + 1}"
        settings = (
            f"--server-id={number + 1}",
            f"--group-replication-group-name={self.name}",
            f"--group-replication-local-address=127.0.0.1:{self.group_ports[number]}",
            f"--group-replication-group-seeds={','.join(f'127.0.0.1:{port}' for port in self.group_ports)}",
        )
        serve = [word for word in self.program.serve if word != "--skip-log-bin"]
        program = Program(self.program.initialize, [*serve, *SETTINGS, *settings])
        server = private_server.ensure(folder, program, port=self.ports[number])
        if self.name not in _ask(server, "SELECT @@gtid_executed"):
            with server.as_root() as cursor:  # what made this node isn't part of the group's history
                cursor.execute("RESET BINARY LOGS AND GTIDS")
        return server

    def node(self, number: int) -> PrivateServer:
        return PrivateServer(**json.loads((self.folder / f"node{number + 1}/server.json").read_text()))

    def kill(self, number: int) -> None:
        """Kill a node without warning, as a power failure would, unless it is dead already."""
        if process := private_server.process_in(self.folder / f"node{number + 1}/server.pid"):
            process.kill()
            process.wait(PATIENCE_SECONDS)

    def members(self) -> list[Member]:
        """The group as those see it who are in it, or [] if no node is."""
        return next((seen for number in range(NODES) if (seen := self._seen_by(number))), [])

    def has_majority(self) -> bool:
        """Whether enough nodes are in the group for it to write, or to choose a primary."""
        return 2 * sum(bool(self._seen_by(number)) for number in range(NODES)) > NODES

    def _seen_by(self, number: int) -> list[Member]:
        """The group as a node sees it; [] unless that node is in it. What others say of a node is seconds old."""
        try:
            with self.node(number).as_root() as cursor:
                cursor.execute(
                    "SELECT member_port, member_state, member_role "
                    "FROM performance_schema.replication_group_members ORDER BY member_port"
                )
                members = [Member(*row) for row in cursor.fetchall()]
        except pymysql.err.MySQLError:
            return []
        return members if any((m.port, m.state) == (self.ports[number], "ONLINE") for m in members) else []

    def primary(self) -> int:
        """The number of the node that writes; waits for a minute while a new one is chosen.

        Raises:
            ServerError: there is none.
        """
        found = _until(lambda: [number for number in range(NODES) if self._writes(number)])
        if not found:
            raise ServerError(f"The group has had no primary for {PATIENCE_SECONDS} s: see {self.folder}/*/server.log.")
        return found[0]

    def _writes(self, number: int) -> bool:
        return any((m.port, m.role) == (self.ports[number], "PRIMARY") for m in self._seen_by(number))

    def join(self, number: int) -> None:
        """Let a running node join the group, and wait until it has everything.

        Raises:
            ServerError: it doesn't come online within a minute.
        """

        def is_gone() -> bool:
            members = self.members()
            return bool(members) and all(member.port != self.ports[number] for member in members)

        if self._seen_by(number):
            return
        _until(is_gone)  # where it was killed, the others first have to notice
        if not _until(lambda: self._try_to_join(number)) or not _until(lambda: self._seen_by(number)):
            log = self.folder / f"node{number + 1}/server.log"
            raise ServerError(f"Node {number + 1} didn't join the group. The end of {log}:\n{log.read_text()[-2000:]}")

    def _try_to_join(self, number: int) -> bool:
        """Ask the group for admission; False if it hasn't forgotten the node as it was before."""
        with self.node(number).as_root() as cursor:
            cursor.execute("STOP GROUP_REPLICATION")
            cursor.execute(
                "CHANGE REPLICATION SOURCE TO SOURCE_USER = %s, SOURCE_PASSWORD = %s "
                "FOR CHANNEL 'group_replication_recovery'",
                (REPLICATOR, self.password),
            )
            try:
                cursor.execute("START GROUP_REPLICATION")
            except pymysql.err.OperationalError as error:
                if error.args[0] != NOT_ADMITTED:
                    raise
                return False
        return True

    def server_uuids(self) -> dict[int, str]:
        """The name that each node has in the group, by its port."""
        return {port: _ask(self.node(number), "SELECT @@server_uuid") for number, port in enumerate(self.ports)}

    def found(self) -> None:
        """Found the group anew on the node that has every transaction of the others."""
        nodes = [self.node(number) for number in range(NODES)]
        for node in nodes:  # one that lost the others waits for them for good
            with node.as_root() as cursor:
                cursor.execute("STOP GROUP_REPLICATION")
        with self._newest(nodes).as_root() as cursor:
            cursor.execute("SET GLOBAL group_replication_bootstrap_group = ON")
            try:
                cursor.execute("START GROUP_REPLICATION")
            finally:
                cursor.execute("SET GLOBAL group_replication_bootstrap_group = OFF")

    def make_replicator(self) -> None:
        """Make the user as which nodes copy what they missed, unless there is one."""
        with self.node(self.primary()).as_root() as cursor:
            cursor.execute(f"CREATE USER IF NOT EXISTS {REPLICATOR}@'127.0.0.1' IDENTIFIED BY %s", (self.password,))
            rights = "REPLICATION SLAVE, BACKUP_ADMIN, GROUP_REPLICATION_STREAM, CONNECTION_ADMIN"
            cursor.execute(f"GRANT {rights} ON *.* TO {REPLICATOR}@'127.0.0.1'")

    def _newest(self, nodes: list[PrivateServer]) -> PrivateServer:
        held = [_ask(node, "SELECT @@gtid_executed") for node in nodes]
        for node in nodes:
            if all(_ask(node, "SELECT GTID_SUBSET(%s, @@gtid_executed)", transactions) for transactions in held):
                return node
        raise ServerError(f"Each node in {self.folder} has transactions that the others lack: remove the folder.")


def _ask(server: PrivateServer, query: str, *values: str) -> Any:
    """The only value that a query returns."""
    with server.as_root() as cursor:
        cursor.execute(query, values)
        (value,) = cursor.fetchone() or (None,)
        return value


def _until(found: Callable[[], Result], seconds: int = PATIENCE_SECONDS) -> Result:
    """What ``found`` returns once it is true, or after a minute."""
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda result: not result),
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_fixed(0.2),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )
    return retrying(found)


def ensure(folder: Path, program: Program) -> Group:
    """The group in ``folder``, with all its nodes online; created, started and joined if necessary.

    Raises:
        ServerError: a node doesn't start or doesn't join; the message quotes its log.
    """
    folder = folder.resolve()
    state = folder / "group.json"
    if not state.exists():
        ports = [free_port() for _ in range(2 * NODES)]
        made = {"name": str(uuid.uuid4()), "password": uuid.uuid4().hex}
        folder.mkdir(parents=True, exist_ok=True)
        state.touch(mode=0o600)
        state.write_text(json.dumps({**made, "ports": ports[:NODES], "group_ports": ports[NODES:]}))
    group = Group(folder, program, **json.loads(state.read_text()))
    for number in range(NODES):
        group.start(number)
    if not group.has_majority():
        group.found()
    group.make_replicator()
    for number in range(NODES):
        group.join(number)
    return group
