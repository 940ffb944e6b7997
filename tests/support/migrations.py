"""Databases as an older version, or a migration that died, left them."""

from __future__ import annotations

import sqlalchemy as sa
import sqlparse

from kalshi.settings import INCLUDE
from kalshi.warehouse import months
from kalshi.warehouse.months import PARTITIONED, months_of

SQL_FILES = sorted((INCLUDE / "sql" / "migrations").glob("*.sql"))
NEWEST = SQL_FILES[-1].stem


def stop_before(engine: sa.Engine, file_number: int, statement_number: int = 0) -> None:
    """Leave the database as a migration does that died before this statement of this file."""
    with engine.begin() as connection:
        for number, file in enumerate(SQL_FILES[: file_number + 1]):
            statements = sqlparse.split(file.read_text(encoding="utf-8"))
            for statement in statements[: statement_number if number == file_number else None]:
                connection.exec_driver_sql(statement)
        connection.exec_driver_sql("CREATE TABLE kalshi_schema_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        if file_number:
            version = SQL_FILES[file_number - 1].stem
            connection.exec_driver_sql("INSERT INTO kalshi_schema_version VALUES (%s)", (version,))


def drop_months(engine: sa.Engine, number: int) -> None:
    """Take away the last months, as if these tables had been partitioned so many months ago."""
    with engine.connect() as connection:
        for table in PARTITIONED:
            for month in months_of(connection, table)[-number:]:
                connection.exec_driver_sql(f"ALTER TABLE {table} DROP PARTITION {months.name_of(month)}")
