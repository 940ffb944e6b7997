"""``kalshi_warehouse``: MySQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from airflow.sdk import BaseHook

from kalshi.hooks.errors import BadConnection
from kalshi.hooks.masking import read_connection
from kalshi.warehouse.copies import read_from
from kalshi.warehouse.server import ServerAddress, open_engine

MOST_LAG_SECONDS = 60


@dataclass(frozen=True)
class Copy:
    """A server that has a copy of the warehouse, and how far behind it may be."""

    address: ServerAddress
    most_lag: timedelta


class WarehouseHook(BaseHook):
    """An ordinary Airflow ``mysql`` connection.

    ``extra``: ``unix_socket``; ``ssl_mode`` (DISABLED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY; the last is the
    default for a remote host); ``ssl``: files ``ca``, ``cert``, ``key``, as an object or as its JSON;
    ``read_host``, ``read_port``: a copy of the warehouse for the pages, at most ``read_lag_seconds`` (60) behind.
    """

    conn_name_attr = "warehouse_conn_id"
    default_conn_name = "kalshi_warehouse"

    def __init__(self, warehouse_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.warehouse_conn_id = warehouse_conn_id

    def address(self) -> ServerAddress:
        """The connection, checked. Raises BadConnection saying which part is missing."""
        return self._addresses()[0]

    def _addresses(self) -> tuple[ServerAddress, Copy | None]:
        conn = read_connection(self.warehouse_conn_id)
        if not conn.schema:
            raise BadConnection(f"{self.warehouse_conn_id} has no database: set it as the connection's schema.")
        extra = conn.extra
        try:
            files = _files(extra.get("ssl"))
            primary = ServerAddress(
                host=conn.host or "127.0.0.1",
                port=conn.port or 3306,
                user=conn.login or "",
                password=conn.password,
                database=conn.schema,
                unix_socket=extra.get("unix_socket"),
                ssl_mode=extra.get("ssl_mode"),
                ssl_ca=files.get("ca"),
                ssl_cert=files.get("cert"),
                ssl_key=files.get("key"),
            )
            host, port = extra.get("read_host"), extra.get("read_port")
            if not host and not port:
                return primary, None
            there = replace(primary, host=host or primary.host, port=int(port or primary.port), unix_socket=None)
            return primary, Copy(there, timedelta(seconds=float(extra.get("read_lag_seconds", MOST_LAG_SECONDS))))
        except ValueError as error:
            raise BadConnection(f"The connection {self.warehouse_conn_id} can't be used: {error}") from error

    def get_conn(self, *, loads: bool = False) -> sa.Engine:
        """An engine on the warehouse; ``loads``: for jobs that write rows, as in :func:`open_engine`."""
        return open_engine(self.address(), loads=loads)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to read from: to the copy, if there is one that is fit, as in :func:`read_from`."""
        address, copy = self._addresses()
        with ExitStack() as stack:
            primary = open_engine(address)
            stack.callback(primary.dispose)
            if not copy:
                yield stack.enter_context(primary.connect())
                return
            other = open_engine(copy.address)
            stack.callback(other.dispose)
            yield stack.enter_context(read_from(primary, other, copy.most_lag))

    @contextmanager
    def connected(self, *, loads: bool = False) -> Iterator[sa.Engine]:
        """An engine whose connections are closed afterwards: the server logs each one that is dropped."""
        engine = self.get_conn(loads=loads)
        try:
            yield engine
        finally:
            engine.dispose()


def _files(ssl: Any) -> dict[str, str]:
    """The files of ``extra.ssl``; in a URI it is JSON within JSON."""
    files = json.loads(ssl) if isinstance(ssl, str) else ssl or {}
    if not isinstance(files, dict) or not files.keys() <= {"ca", "cert", "key"}:
        raise ValueError("extra.ssl may hold only the files ca, cert and key; extra.ssl_mode sets how to verify them.")
    return files
