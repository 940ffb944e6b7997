"""The content of a warehouse for comparison: every table, without the columns that name a run or its time."""

from __future__ import annotations

import sqlalchemy as sa

LINEAGE = {
    *("run_id", "id", "position_id", "created_at_utc", "updated_at_utc", "changed_at_utc"),
    *("observed_at_utc", "last_synced_at_utc"),
}
"""Columns that tell of the run, not of the exchange."""
BOOKKEEPING = {
    *("kalshi_sync_run", "kalshi_checkpoint", "kalshi_request_budget", "kalshi_schema_version"),
    "kalshi_account_key",
}


def content(engine: sa.Engine, table: str = "kalshi_candle_1m") -> tuple[int, int]:
    """How many rows a table has, and a checksum of what they say."""
    columns = [column["name"] for column in sa.inspect(engine).get_columns(table)]
    told = ", ".join(f"COALESCE(`{name}`, 'NULL')" for name in columns if name not in LINEAGE)
    checksum = f"CAST(CONV(LEFT(SHA2(CONCAT_WS('|', {told}), 256), 16), 16, 10) AS UNSIGNED)"
    with engine.connect() as connection:
        count, combined = connection.exec_driver_sql(f"SELECT COUNT(*), BIT_XOR({checksum}) FROM {table}").one()
    return count, combined


def contents(engine: sa.Engine) -> dict[str, tuple[int, int]]:
    """The content of every table of data."""
    return {table: content(engine, table) for table in sa.inspect(engine).get_table_names() if table not in BOOKKEEPING}
