"""``kalshi_warehouse``: MySQL."""

from __future__ import annotations

import sqlalchemy as sa
from airflow.sdk import BaseHook

from kalshi.hooks.errors import BadConnection
from kalshi.hooks.masking import hide_masked_values
from kalshi.warehouse.server import ServerAddress, open_engine


class WarehouseHook(BaseHook):
    """An ordinary Airflow ``mysql`` connection. ``extra``: ``unix_socket``, ``ssl`` (as PyMySQL takes it)."""

    conn_name_attr = "warehouse_conn_id"
    default_conn_name = "kalshi_warehouse"

    def __init__(self, warehouse_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.warehouse_conn_id = warehouse_conn_id

    def address(self) -> ServerAddress:
        """The connection, checked. Raises BadConnection saying which part is missing."""
        hide_masked_values()
        conn = self.get_connection(self.warehouse_conn_id)
        if not conn.schema:
            raise BadConnection(f"{self.warehouse_conn_id} names no database: put it into the connection's schema.")
        return ServerAddress(
            host=conn.host or "127.0.0.1",
            port=conn.port or 3306,
            user=conn.login or "",
            password=conn.password or "",
            database=conn.schema,
            unix_socket=conn.extra_dejson.get("unix_socket"),
            ssl=conn.extra_dejson.get("ssl"),
        )

    def get_conn(self) -> sa.Engine:
        """An engine on the warehouse."""
        return open_engine(self.address())
