"""The table that the writer's tests write, and its content."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from kalshi.warehouse.tables import Column, Table
from kalshi.warehouse.writer import WriteCounts, upsert

CREATE_SAMPLE = """
CREATE TABLE sample (
  name           VARCHAR(20) NOT NULL,
  price          DECIMAL(10,6) NULL,
  number         INT NOT NULL,
  moment_utc     DATETIME(6) NULL,
  day            DATE NULL,
  words          TEXT NULL,
  document       JSON NULL,
  flag           BOOLEAN NULL,
  run_id         BIGINT UNSIGNED NOT NULL,
  updated_at_utc DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  PRIMARY KEY (name),
  KEY day (day),
  KEY number (number, day)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin
"""
SAMPLE = Table(
    "sample",
    key=("name",),
    columns=(
        Column("name", "varchar", null=False),
        Column("price", "decimal"),
        Column("number", "int", null=False),
        Column("moment_utc", "datetime"),
        Column("day", "date"),
        Column("words", "text"),
        Column("document", "json"),
        Column("flag", "tinyint"),
    ),
)


def row(name: str, **values: Any) -> list[Any]:
    """A row of the sample table; what isn't named is null, and ``number`` is 0."""
    return [{"name": name, "number": 0, **values}.get(column) for column in SAMPLE.names]


def write(engine: sa.Engine, rows: list[list[Any]], run_id: int = 1) -> WriteCounts:
    with engine.begin() as connection:
        return upsert(connection, SAMPLE, rows, run_id=run_id)


def stored(engine: sa.Engine) -> dict[str, dict[str, Any]]:
    """Every row of the sample table, by name."""
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT * FROM sample ORDER BY name"))
        return {r["name"]: dict(r) for r in rows.mappings()}
