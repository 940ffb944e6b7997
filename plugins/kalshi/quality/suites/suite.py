"""A suite: the checks of one table, each on a partition of it."""

from __future__ import annotations

from dataclasses import dataclass

from kalshi.warehouse import sql
from kalshi.warehouse.tables import Column, Table

COLUMNS = """
SELECT {names} FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = '{table}'
"""
TRAITS = ("column_name", "data_type", "is_nullable", "column_key")
ALWAYS = (Column("run_id", "bigint", null=False), Column("updated_at_utc", "datetime", null=False))
"""The columns that every table has besides those that are written to it."""


@dataclass(frozen=True)
class Check:
    """One rule. ``batch`` names the partition that it checks; both are files in ``include/sql``."""

    name: str
    batch: str

    @property
    def about(self) -> str:
        return sql.read("checks", self.name).about

    def query(self) -> str:
        """The query for the rows that violate the rule, with its parameters unbound."""
        return _over(sql.read("checks", self.name).text, self.partition())

    def partition(self) -> str:
        return sql.read("partitions", self.batch).text


@dataclass(frozen=True)
class SchemaCheck(Check):
    """Checks that a table has the columns that are declared: type, not null, key. JSON is a LONGTEXT on MariaDB."""

    table: Table

    @property
    def about(self) -> str:
        return f"{self.table.name} has all its columns, with the right types, NOT NULL constraints and key."

    def query(self) -> str:
        expected = " UNION ALL ".join(map(self._expected, (*self.table.columns, *ALWAYS)))
        return _over(sql.read("quality", "schema").text.replace("{expected}", expected), self.partition())

    def _expected(self, column: Column) -> str:
        values = {
            "column_name": column.name,
            "data_type": column.type,
            "is_nullable": "YES" if column.null else "NO",
            "column_key": "PRI" if column.name in self.table.key else "",
        }
        return "SELECT " + ", ".join(f"_utf8mb4'{v}' COLLATE utf8mb4_bin AS {name}" for name, v in values.items())

    def partition(self) -> str:
        names = ", ".join(f"CONVERT({name} USING utf8mb4) COLLATE utf8mb4_bin AS {name}" for name in TRAITS)
        return COLUMNS.format(names=names, table=self.table.name).strip()


@dataclass(frozen=True)
class Suite:
    """The checks of a table. ``declared``: how its columns are declared, if they are to be checked, too."""

    table: str
    short: str
    rules: tuple[Check, ...]
    declared: Table | None = None

    @property
    def checks(self) -> tuple[Check, ...]:
        schema = (SchemaCheck(f"{self.short}_schema", f"{self.short}_columns", self.declared),) if self.declared else ()
        return (*schema, *self.rules)


def suite_of(table: Table, short: str, *rules: Check) -> Suite:
    """The checks of a table that the writer writes, its columns included."""
    return Suite(table.name, short, rules, table)


def over(batch: str, *names: str) -> tuple[Check, ...]:
    """Checks on the same partition."""
    return tuple(Check(name, batch) for name in names)


def _over(query: str, partition: str) -> str:
    named = query.replace("{batch} AS", f"(\n{partition}\n) AS")
    return named.replace("{batch}", f"(\n{partition}\n) AS batch")
