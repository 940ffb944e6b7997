"""Connections to the MySQL-compatible server."""

from __future__ import annotations

import ipaddress
import logging
import re
import ssl
import time
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Concatenate, ParamSpec, TypeVar

import pymysql
import sqlalchemy as sa
import tenacity
from pydantic import SecretStr
from pymysql.connections import MySQLResult
from pymysql.constants import CLIENT
from pymysql.protocol import LoadLocalPacketWrapper

log = logging.getLogger(__name__)
Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")

SESSION = (
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', "
    "group_concat_max_len = 16777216"
)
"""Bad values are errors instead of being rounded; CURRENT_TIMESTAMP is UTC; GROUP_CONCAT is cut at 16 MB, or where a
packet of the server ends."""

LOST = {1053: "server shuts down", 1927: "connection killed", 2006: "server gone", 2013: "connection lost"}
READ_ONLY = {1290: "server is read-only", 1836: "server is in read-only mode"}
"""What a primary says that has become a replica. A new connection, through a router, leads to the new primary."""
WORTH_RETRYING = {
    **LOST,
    **READ_ONLY,
    1020: "row changed since the transaction began",
    1040: "too many connections",
    1205: "lock wait timeout",
    1412: "table changed since the transaction began",
    1213: "deadlock",
    3100: "the cluster could not commit",
    3101: "the cluster rolled back the transaction",
    2003: "server can't be reached",
}
LOCAL_INFILE_REFUSED = {1148, 2068, 3948, 4166}
"""Error numbers of servers that don't accept LOAD DATA LOCAL: MySQL and MariaDB, old and new."""
VALUE_REFUSED = {1048, 1062, 1264, 1265, 1292, 1300, 1366, 1406, 3140, 3157, 4025}
"""Error numbers for values that don't fit: null, duplicate, out of range, truncated, not a date, not text, too long,
not JSON."""
PATIENCE_SECONDS = 60
"""How long a transaction is retried: long enough for a server to restart."""


SSL_MODES = ("DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY")
"""MySQL's own names: no TLS; TLS with any certificate; one from a known CA; one that also matches the host."""


class InsecureServer(ConnectionError):
    """The connection to the server can't be as secure as required; the message says why and what to do."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine; nothing is resolved."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True)
class ServerAddress:
    """Where the warehouse is.

    ``ssl_mode``: one of :data:`SSL_MODES`; None means VERIFY_IDENTITY for a remote host, and DISABLED for a
    Unix socket or a loopback address. ``ssl_ca``: a file of CA certificates instead of the system's;
    ``ssl_cert`` and ``ssl_key``: our client certificate and its key, if the server requires one.
    """

    host: str
    database: str
    user: str
    password: SecretStr = field(default_factory=partial(SecretStr, ""))
    port: int = 3306
    unix_socket: str | None = None
    ssl_mode: str | None = None
    ssl_ca: str | None = None
    ssl_cert: str | None = None
    ssl_key: str | None = None

    def __post_init__(self) -> None:
        if self.ssl_mode not in (None, *SSL_MODES):
            raise ValueError(f"ssl_mode must be one of {', '.join(SSL_MODES)}, not {self.ssl_mode!r}.")

    def tls(self) -> ssl.SSLContext | None:
        """The TLS settings to connect with; None for no TLS.

        Raises:
            InsecureServer: a certificate file can't be read.
        """
        is_local = bool(self.unix_socket) or is_loopback(self.host)
        mode = self.ssl_mode or ("DISABLED" if is_local else "VERIFY_IDENTITY")
        if mode == "DISABLED":
            return None
        try:
            context = ssl.create_default_context(cafile=self.ssl_ca)
            if self.ssl_cert:
                context.load_cert_chain(self.ssl_cert, self.ssl_key)
        except OSError as error:
            files = ", ".join(file for file in (self.ssl_ca, self.ssl_cert, self.ssl_key) if file)
            raise InsecureServer(f"The certificates of kalshi_warehouse ({files}) can't be used: {error}.") from error
        context.check_hostname = mode == "VERIFY_IDENTITY"
        if mode == "REQUIRED":
            context.verify_mode = ssl.CERT_NONE
        # The certificates that MySQL generates lack what Python 3.13 requires of a CA.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context


ROWS = "kalshi_rows"
"""The file name in LOAD DATA LOCAL. There is no such file: the rows come from memory."""
ROWS_PACKET = 2**14
"""Bytes of rows per packet, as in PyMySQL; larger packets are no faster, and a server may refuse them."""


class _Result(MySQLResult):
    """A result that sends the rows being loaded, where PyMySQL's sends whatever file the server names."""

    connection: Any

    def _read_load_local_packet(self, first_packet: Any) -> None:
        self.connection.send_rows(LoadLocalPacketWrapper(first_packet).filename)
        self._read_ok_packet(self.connection._read_packet())  # type: ignore[attr-defined]


class _Connection(pymysql.connections.Connection):
    """PyMySQL's connection with three fixes. Without them it sends any file the server requests, sends the password
    in clear text to a server without TLS, and masks a lost connection with its own error in the rollback.

    ``rows``: what the server may read as the file :data:`ROWS`, if anything.
    """

    rows: bytes | None = None

    def send_rows(self, name: bytes) -> None:
        """Respond to the server's request for a file.

        Raises:
            InsecureServer: it isn't the one being loaded. The connection is closed.
        """
        if self.rows is None or name != ROWS.encode():
            self._force_close()  # type: ignore[attr-defined]
            requested = name[:200].decode(errors="replace")
            raise InsecureServer(
                f"The server on {self.host} requested the file {requested!r} of this machine, "
                "which isn't being loaded. Nothing was sent and the connection is closed: check that kalshi_warehouse "
                "points to your own server, over TLS with certificate verification (ssl_mode VERIFY_IDENTITY)."
            )
        rows, self.rows = memoryview(self.rows), None
        for start in range(0, len(rows), ROWS_PACKET):
            self.write_packet(rows[start : start + ROWS_PACKET])
        self.write_packet(b"")

    def _read_query_result(self, unbuffered: bool = False) -> int | None:
        """PyMySQL's own, with our result."""
        self._result = None
        result = _Result(self)
        if unbuffered:
            result.init_unbuffered_query()
        else:
            result.read()
        self._result = result
        if result.server_status is not None:
            self.server_status = result.server_status
        return result.affected_rows

    def rollback(self) -> None:
        if self.open:  # else the server has already rolled back
            super().rollback()

    def _request_authentication(self) -> None:
        if self.ssl and not self.server_capabilities & CLIENT.SSL:  # type: ignore[attr-defined]
            raise InsecureServer(
                f"The server on {self.host} offers no TLS. Enable it there; or, if the network can be trusted, "
                'put this into the extra of kalshi_warehouse: {"ssl_mode": "DISABLED"}.'
            )
        super()._request_authentication()  # type: ignore[misc]


def _connect(address: ServerAddress, loads: bool) -> Any:
    try:
        connection = _Connection(
            host=address.host,
            port=address.port,
            unix_socket=address.unix_socket,
            user=address.user,
            password=address.password.get_secret_value(),
            database=address.database,
            charset="utf8mb4",
            # Not local_infile, with which PyMySQL would open files: it is _Connection that answers.
            client_flag=CLIENT.LOCAL_FILES if loads else 0,
            ssl=address.tls(),
            init_command=SESSION,
            connect_timeout=10,
            read_timeout=600,
            write_timeout=600,
            defer_connect=True,  # so that no error leads through the frame of __init__, which holds the password
        )
        connection.connect()
        return connection
    except pymysql.err.OperationalError as error:
        cause = getattr(error, "original_exception", None)
        if isinstance(cause, InsecureServer):
            raise cause from None
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise InsecureServer(
                f"The certificate of the server on {address.host} can't be trusted: {cause.verify_message}. Set its "
                'CA in the extra of kalshi_warehouse: {"ssl": {"ca": "/path/ca.pem"}}; if the certificate lacks the '
                'host name (as those that MySQL generates do), add "ssl_mode": "VERIFY_CA".'
            ) from None
        raise error.with_traceback(None) from None  # PyMySQL's frames hold the password as it was sent


def open_engine(address: ServerAddress, *, loads: bool = False) -> sa.Engine:
    """An SQLAlchemy engine on the warehouse. Its connections raise InsecureServer if TLS isn't as required, or if the
    server requests a file of this machine.

    ``loads``: whether its connections offer the server LOAD DATA LOCAL, which makes the writer twice as fast. Even
    then the server gets the rows of :func:`load_data`, never a file.

    We connect PyMySQL here rather than letting SQLAlchemy do it, because SQLAlchemy turns on
    CLIENT.FOUND_ROWS, which makes "updated" and "unchanged" rows indistinguishable.
    """
    return sa.create_engine(
        "mysql+pymysql://",
        creator=lambda: _connect(address, loads),
        isolation_level="REPEATABLE READ",  # the default, unless the server has another
        pool_pre_ping=True,
        pool_recycle=1800,
        # SQLAlchemy ends each of our transactions; by default its pool would also send a ROLLBACK after every COMMIT.
        pool_reset_on_return=None,
    )


def wait_for_long(connection: sa.Connection) -> None:
    """Let the connection's next statements run for longer than the ten minutes after which any other is given up."""
    connection.connection.driver_connection._read_timeout = None  # type: ignore[union-attr]


def load_data(cursor: Any, rows: bytes, statement: str, *values: Any) -> None:
    """Run a ``LOAD DATA LOCAL INFILE %s …`` whose file is ``rows``, on a cursor of :func:`open_engine`'s connections.

    ``values``: for the statement's other ``%s``. Raises PyMySQL's errors.
    """
    cursor.connection.rows = rows
    try:
        cursor.execute(statement, (ROWS, *values))
    finally:
        cursor.connection.rows = None


def statement_info(cursor: Any) -> dict[str, int]:
    """The server's "Records: 5  Duplicates: 2  Warnings: 0" of the last statement. PyMySQL keeps it on its private
    result."""
    message = cursor._result.message or b""
    text = message.decode(errors="replace") if isinstance(message, bytes) else message
    return {name: int(number) for name, number in re.findall(r"(Records|Duplicates|Warnings): (\d+)", text)}


def error_of(error: BaseException) -> tuple[int, str]:
    """The server's or the driver's error number, and its words; 0 and "" if it is another error."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if not isinstance(cause, pymysql.err.MySQLError) or not cause.args or not isinstance(cause.args[0], int):
        return 0, ""
    return cause.args[0], str(cause.args[-1])


def _is_one_of(codes: Container[int], error: BaseException) -> bool:
    return error_of(error)[0] in codes


def in_transaction(
    engine: sa.Engine,
    work: Callable[Concatenate[sa.Connection, Arguments], Result],
    *arguments: Arguments.args,
    **named: Arguments.kwargs,
) -> Result:
    """Run ``work`` with a connection and these arguments in one transaction. Retry it for about a minute after a
    deadlock, a lock wait timeout or a lost connection, or while a cluster changes its primary.

    ``work`` must have no effects other than on the connection it is given. The last error is raised unchanged.
    """

    def attempt() -> Result:
        with engine.begin() as connection:
            return work(connection, *arguments, **named)

    return patiently(engine, attempt)


def patiently(engine: sa.Engine, attempt: Callable[[], Result]) -> Result:
    """Call ``attempt``, which may be called again, until the server is fit for it, for a minute from its first failure
    on."""
    failed_at: list[float] = []

    def is_enough(state: tenacity.RetryCallState) -> bool:
        failed_at.append(time.monotonic())
        return failed_at[-1] - failed_at[0] >= PATIENCE_SECONDS

    def renew(state: tenacity.RetryCallState) -> None:
        tenacity.before_sleep_log(log, logging.WARNING)(state)
        if state.outcome and (error := state.outcome.exception()) and _is_one_of(READ_ONLY, error):
            engine.dispose()  # what the pool would hand out again leads to a replica

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(partial(_is_one_of, WORTH_RETRYING)),
        stop=is_enough,
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=10),
        before_sleep=renew,
        reraise=True,
    )
    return retrying(attempt)
