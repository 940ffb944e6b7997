"""A private MySQL-compatible server: own data folder, own loopback port, generated password.

No system service is touched. The server outlives the process that starts it, until ``stop``.
"""

from __future__ import annotations

import getpass
import json
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import pymysql

DATABASE = USER = "kalshi"


class ServerError(RuntimeError):
    """The server can't be had; the message says why and what to do."""


@dataclass(frozen=True)
class Program:
    """How to run one server: commands that make its data folder and that start it."""

    initialize: list[str]
    serve: list[str]


@dataclass(frozen=True)
class PrivateServer:
    """A running server. ``root_password`` and ``password`` were generated for it."""

    port: int
    socket: str
    password: str
    root_password: str

    @property
    def uri(self) -> str:
        """As an Airflow connection."""
        return f"mysql://{USER}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"


def installed_program() -> Program:
    """The MariaDB or MySQL server of this system."""
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
        "mariadb-client-core. Or set AIRFLOW_CONN_KALSHI_WAREHOUSE to a server of yours."
    )


def _find(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin:/usr/bin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_up(server: PrivateServer) -> bool:
    try:
        pymysql.connect(
            host="127.0.0.1", port=server.port, user=USER, password=server.password, database=DATABASE
        ).close()
    except pymysql.err.MySQLError:
        return False
    return True


def ensure(folder: Path, program: Program | None = None) -> PrivateServer:
    """The server in ``folder``, made and started where it isn't yet."""
    folder = folder.resolve()
    state = folder / "server.json"
    if state.exists():
        server = PrivateServer(**json.loads(state.read_text()))
        if _is_up(server):
            return server
    else:
        server = PrivateServer(free_port(), _socket(folder), secrets.token_urlsafe(24), secrets.token_urlsafe(24))
    folder.mkdir(parents=True, exist_ok=True)
    program = program or installed_program()
    fresh = not state.exists()
    if fresh:
        shutil.rmtree(folder / "data", ignore_errors=True)
        _run([*program.initialize, f"--datadir={folder / 'data'}", f"--user={getpass.getuser()}"], folder)
    if not fresh:
        server = PrivateServer(free_port(), _socket(folder), server.password, server.root_password)
    _start(folder, program, server)
    if fresh:
        _create_database(server)
    state.touch(mode=0o600)
    state.write_text(json.dumps(asdict(server)))
    return server


def _socket(folder: Path) -> str:
    path = str(folder / "my.sock")
    # A Unix socket's path may not be longer than about 107 characters.
    return path if len(path) < 100 else str(Path(tempfile.mkdtemp(prefix="kalshi-")) / "my.sock")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    if done.returncode:
        raise ServerError(f"{command[0]} failed:\n{(done.stderr or done.stdout)[-2000:]}")


def _start(folder: Path, program: Program, server: PrivateServer) -> None:
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
        "--innodb-flush-log-at-trx-commit=1",
        f"--log-error={log}",
    ]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise ServerError(f"The private server didn't start. The end of {log}:\n{log.read_text()[-2000:]}")


def _create_database(server: PrivateServer) -> None:
    root = pymysql.connect(unix_socket=server.socket, user="root")
    with root, root.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        for host in ("127.0.0.1", "localhost"):
            cursor.execute(f"CREATE USER '{USER}'@'{host}' IDENTIFIED BY %s", (server.password,))
            cursor.execute(f"GRANT ALL ON {DATABASE}.* TO '{USER}'@'{host}'")
        cursor.execute("ALTER USER 'root'@'localhost' IDENTIFIED BY %s", (server.root_password,))


def stop(folder: Path) -> None:
    """Stop the server in ``folder``, where it runs."""
    state = folder / "server.json"
    if not state.exists():
        return
    server = PrivateServer(**json.loads(state.read_text()))
    try:
        root = pymysql.connect(unix_socket=server.socket, user="root", password=server.root_password)
    except pymysql.err.MySQLError:
        return
    with root, root.cursor() as cursor:
        cursor.execute("SHUTDOWN")
