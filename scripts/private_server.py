"""A private MySQL-compatible server: own data folder, own loopback port, generated password.

No system service is touched. The server outlives the process that starts it, until ``stop``.
"""

from __future__ import annotations

import getpass
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import psutil
import pymysql
import pymysql.cursors

DURABLE = ("--innodb-flush-log-at-trx-commit=1",)
FORGETFUL = ("--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--innodb-doublewrite=0")


class ServerError(RuntimeError):
    """The server isn't available; the message says why and what to do."""


@dataclass(frozen=True)
class Program:
    """How to run one server: commands that make its data folder and that start it."""

    initialize: list[str]
    serve: list[str]


@dataclass(frozen=True)
class PrivateServer:
    """A running server and its generated passwords. Each database has a user of the same name."""

    port: int
    socket: str
    password: str = field(repr=False)
    root_password: str = field(repr=False)

    def database(self, name: str) -> str:
        """Create the database ``name`` unless it exists, and return it as an Airflow connection.

        Its user has rights on this database only.
        """
        if not name.isidentifier():
            raise ValueError(f"{name!r} isn't a valid database name.")
        with self.as_root() as cursor:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
            for host in ("127.0.0.1", "localhost"):
                cursor.execute(f"CREATE USER IF NOT EXISTS '{name}'@'{host}' IDENTIFIED BY %s", (self.password,))
                cursor.execute(f"GRANT ALL ON `{name.replace('_', chr(92) + '_')}`.* TO '{name}'@'{host}'")
        return f"mysql://{name}:{self.password}@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def as_root(self) -> Iterator[pymysql.cursors.Cursor]:
        """A cursor with root's rights."""
        root = pymysql.connect(unix_socket=self.socket, user="root", password=self.root_password, autocommit=True)
        with root, root.cursor() as cursor:
            yield cursor


def installed_program() -> Program:
    """The MariaDB or MySQL server installed on this system."""
    mariadb, mysql = _find("mariadbd"), _find("mysqld")
    if mariadb:
        install = _find("mariadb-install-db")
        if install:
            normal = [install, "--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]
            return Program(normal, [mariadb, "--no-defaults"])
    if mysql and not mariadb:
        return Program([mysql, "--no-defaults", "--initialize-insecure"], [mysql, "--no-defaults", "--mysqlx=OFF"])
    raise ServerError(
        "No MariaDB or MySQL server is installed. As root: apt-get install mariadb-server-core "
        "mariadb-client-core. Or point AIRFLOW_CONN_KALSHI_WAREHOUSE at your own server."
    )


def _find(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin:/usr/bin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_up(server: PrivateServer) -> bool:
    try:
        with server.as_root():
            return True
    except pymysql.err.MySQLError:
        return False


def process_in(pid_file: Path) -> psutil.Process | None:
    """The process whose id a file holds, if it lives and works in the file's folder: ids are given again."""
    try:
        process = psutil.Process(int(pid_file.read_text()))
        is_ours = any(str(pid_file.parent) in word for word in process.cmdline())
    except (FileNotFoundError, psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    return process if is_ours and process.status() != psutil.STATUS_ZOMBIE else None


def ensure(
    folder: Path, program: Program | None = None, *, is_durable: bool = True, port: int | None = None
) -> PrivateServer:
    """The server in ``folder``, created and started if necessary.

    ``is_durable``: whether what it commits survives a crash of the machine or of the server. One that isn't durable
    never waits for the disk. ``port``: to listen on; None: any that is free.

    Raises:
        ServerError: no server program is installed, or it doesn't start; the message quotes its log.
    """
    folder = folder.resolve()
    state = folder / "server.json"
    fresh = not state.exists()
    if fresh:
        server = PrivateServer(
            port or free_port(), _socket(folder), secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        )
    else:
        server = PrivateServer(**json.loads(state.read_text()))
        if _is_up(server):
            return server
        server = replace(server, port=port or free_port())
    folder.mkdir(parents=True, exist_ok=True)
    program = program or installed_program()
    if fresh:
        shutil.rmtree(folder / "data", ignore_errors=True)
        _run([*program.initialize, f"--datadir={folder / 'data'}", f"--user={getpass.getuser()}"], folder)
    _start(folder, program, server, DURABLE if is_durable else FORGETFUL)
    if fresh:
        _set_root_password(server)
    state.touch(mode=0o600)
    state.write_text(json.dumps(asdict(server)))
    return server


def _socket(folder: Path) -> str:
    path = str(folder / "my.sock")
    # A Unix socket's path may not be longer than about 107 characters.
    return path if len(path) < 100 else str(Path(tempfile.mkdtemp(prefix="kalshi-")) / "my.sock")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=_environment(folder), check=False)
    if done.returncode:
        raise ServerError(f"{command[0]} failed:\n{(done.stderr or done.stdout)[-2000:]}")


def _environment(folder: Path) -> dict[str, str]:
    """This environment with a private TMPDIR: a starting MariaDB deletes the temporary files of all others in /tmp."""
    own = folder / "tmp"
    own.mkdir(exist_ok=True)
    return {**os.environ, "TMPDIR": str(own)}


def _start(folder: Path, program: Program, server: PrivateServer, settings: tuple[str, ...]) -> None:
    log = folder / "server.log"
    command = [
        *program.serve,
        f"--user={getpass.getuser()}",
        f"--datadir={folder / 'data'}",
        f"--socket={server.socket}",
        f"--pid-file={folder / 'server.pid'}",
        f"--port={server.port}",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        "--local-infile=1",
        "--character-set-server=utf8mb4",
        "--secure-file-priv=",
        "--max-allowed-packet=64M",
        "--innodb-buffer-pool-size=512M",
        # With the default, 100 MB, a long backfill writes its pages over and over. MySQL's name, and MariaDB's:
        "--loose-innodb-redo-log-capacity=256M",
        "--loose-innodb-log-file-size=256M",
        # A compressed page takes whole blocks of the disk: as many at level 1 as at the default, 6, in half the time.
        "--innodb-compression-level=1",
        "--loose-innodb-segment-reserve-factor=1",  # MySQL keeps an eighth of each file free, and uncompressed
        *settings,
        f"--log-error={log}",
    ]
    process = subprocess.Popen(
        command,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if _listens(server):
            return
        time.sleep(0.05)
    raise ServerError(f"The private server didn't start. The end of {log}:\n{log.read_text()[-2000:]}")


def _listens(server: PrivateServer) -> bool:
    """Whether the server accepts TCP and socket connections: MySQL opens its port before its Unix socket."""
    try:
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=1),
            socket.socket(socket.AF_UNIX) as local,
        ):
            local.connect(server.socket)
            return True
    except OSError:
        return False


def _set_root_password(server: PrivateServer) -> None:
    with replace(server, root_password="").as_root() as cursor:
        cursor.execute("ALTER USER 'root'@'localhost' IDENTIFIED BY %s", (server.root_password,))


def stop(folder: Path) -> None:
    """Stop the server in ``folder`` if it is running, and wait until it has stopped."""
    state = folder.resolve() / "server.json"
    if not state.exists():
        return
    server = PrivateServer(**json.loads(state.read_text()))
    if not _is_up(server):
        return
    with server.as_root() as cursor:
        cursor.execute("SHUTDOWN")
    pid_file = folder / "server.pid"
    deadline = time.monotonic() + 30
    while pid_file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
