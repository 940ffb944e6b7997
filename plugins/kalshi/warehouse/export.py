"""Rows of a table as a Parquet file, for pandas, polars or DuckDB. Needs the extra ``export`` (pyarrow)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from kalshi.warehouse import sql
from kalshi.warehouse.retention import Month

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_PER_BATCH = 50_000
"""Rows in memory at a time, and in a row group of the file."""


class ExportFailed(RuntimeError):
    """The file doesn't hold what the table holds; the message says what differs. Nothing was dropped."""


def export_month(
    connection: sa.Connection, month: Month, path: Path, on_batch: Callable[[], object] = lambda: None
) -> None:
    """Write the month's rows to this file and check it against the table: the number of rows, and the sum of every
    column of decimals. Prices are decimals, times naive UTC in microseconds. The file is there once it is complete.

    Raises:
        ExportFailed: pyarrow isn't installed, the folder can't be written, or the file doesn't hold the month.
    """
    try:
        from pyarrow import parquet
    except ImportError as error:
        raise ExportFailed("Exports need pyarrow: pip install 'kalshi-warehouse[export]'.") from error
    if path.exists():
        raise ExportFailed(f"{path} is there already, and may be the only copy of its rows: nothing was dropped.")
    unfinished = path.with_suffix(".unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        schema = _schema(connection, month.of.table)
        with unfinished.open("wb") as file:
            with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
                for batch in _batches(connection, month, schema):
                    writer.write_batch(batch)
                    on_batch()
            os.fsync(file.fileno())  # the rows are dropped next
        _check(connection, month, schema, unfinished)
        unfinished.replace(path)
    except OSError as error:
        raise ExportFailed(f"{path} can't be written: {error}. Nothing was dropped.") from error


def _schema(connection: sa.Connection, table: str) -> pa.Schema:
    import pyarrow as pa

    def kind(column: Any) -> pa.DataType:
        of = column["type"]
        if isinstance(of, sa.Numeric):
            return pa.decimal128(of.precision, of.scale)
        if isinstance(of, sa.DateTime):
            return pa.timestamp("us")
        if isinstance(of, mysql.TINYINT):
            return pa.bool_()
        return pa.int64() if isinstance(of, sa.Integer) else pa.string()

    columns = sa.inspect(connection).get_columns(table)
    return pa.schema([pa.field(c["name"], kind(c), nullable=bool(c["nullable"])) for c in columns])


def _batches(connection: sa.Connection, month: Month, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows as they come from the server."""
    import pyarrow as pa

    columns = ", ".join(f"`{name}`" for name in schema.names)
    statement = sql.bound(f"SELECT {columns} FROM {month.where}", month.values)
    rows = connection.execution_options(stream_results=True, max_row_buffer=ROWS_PER_BATCH).execute(statement)
    flags = [number for number, field in enumerate(schema) if pa.types.is_boolean(field.type)]
    for some in rows.partitions(ROWS_PER_BATCH):
        values: list[Sequence[Any]] = list(zip(*some, strict=True))
        for number in flags:
            values[number] = [None if value is None else bool(value) for value in values[number]]
        yield pa.record_batch([pa.array(v, f.type) for v, f in zip(values, schema, strict=True)], schema=schema)


def _check(connection: sa.Connection, month: Month, schema: pa.Schema, path: Path) -> None:
    """Compare the file, read again, with the table."""
    import pyarrow as pa
    from pyarrow import compute, parquet

    decimals = [field.name for field in schema if pa.types.is_decimal(field.type)]
    sums = ", ".join(f"COALESCE(SUM(`{name}`), 0)" for name in decimals)
    count, *wanted = sql.run(connection, f"SELECT COUNT(*), {sums} FROM {month.where}", **month.values).one()
    found = dict.fromkeys(decimals, Decimal(0))
    with parquet.ParquetFile(path) as file:
        rows = file.metadata.num_rows
        for batch in file.iter_batches(ROWS_PER_BATCH, columns=decimals):
            for name in decimals:
                found[name] += compute.sum(batch.column(name)).as_py() or 0
    if not rows == count == month.rows:
        raise ExportFailed(f"{path} has {rows:,} rows; {month} had {month.rows:,}, now {count:,}: nothing was dropped.")
    if wrong := [name for name, total in zip(decimals, wanted, strict=True) if found[name] != total]:
        raise ExportFailed(f"{path} differs from {month.of.table} in {', '.join(wrong)}: nothing was dropped.")
