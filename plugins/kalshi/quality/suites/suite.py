"""A suite: the checks of one table, each on a partition of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kalshi.quality import sql

SCHEMA = """
SELECT expected.column_name, expected.data_type AS expected_type, actual.data_type AS type_there,
  expected.is_nullable AS expected_nullable, actual.is_nullable AS nullable_there, expected.column_key AS expected_key,
  actual.column_key AS key_there
FROM ({expected}) AS expected
LEFT JOIN {{batch}} AS actual ON actual.column_name = expected.column_name
WHERE actual.column_name IS NULL OR actual.data_type <> expected.data_type AND NOT
    (expected.data_type = 'json' AND actual.data_type = 'longtext')
  OR actual.is_nullable <> expected.is_nullable OR (actual.column_key = 'PRI') <> (expected.column_key = 'PRI')
"""
COLUMNS = """
SELECT {names} FROM information_schema.columns
WHERE table_schema = DATABASE() AND table_name = '{table}'
"""
TRAITS = ("column_name", "data_type", "is_nullable", "column_key")


@dataclass(frozen=True)
class Check:
    """One rule. ``batch`` names the partition that it checks; both are files in ``include/sql``."""

    name: str
    batch: str

    @property
    def about(self) -> str:
        return sql.read("checks", self.name)[0]

    def query(self) -> str:
        """The query for the rows that violate the rule, with its parameters unbound."""
        return _over(sql.read("checks", self.name)[1], self.partition())

    def partition(self) -> str:
        return sql.read("partitions", self.batch)[1]


@dataclass(frozen=True)
class SchemaCheck(Check):
    """Checks that a table has its columns: type, not null, key. JSON is a LONGTEXT on MariaDB."""

    table: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def about(self) -> str:
        return f"{self.table} has all its columns, with the right types, NOT NULL constraints and key."

    def query(self) -> str:
        expected = " UNION ALL ".join(
            f"SELECT {self._text(name)} AS column_name, {self._text(kind.split()[0])} AS data_type, "
            f"{self._text('YES' if 'null' in kind else 'NO')} AS is_nullable, "
            f"{self._text('PRI' if 'key' in kind else '')} AS column_key"
            for name, kind in self.columns.items()
        )
        return _over(SCHEMA.format(expected=expected), self.partition())

    def partition(self) -> str:
        names = ", ".join(f"CONVERT({name} USING utf8mb4) COLLATE utf8mb4_bin AS {name}" for name in TRAITS)
        return COLUMNS.format(names=names, table=self.table).strip()

    @staticmethod
    def _text(word: str) -> str:
        return f"_utf8mb4'{word}' COLLATE utf8mb4_bin"


@dataclass(frozen=True)
class Suite:
    """The checks of a table. ``columns``: the type by name, with "null" if it may be null or "key" if it is part of the
    key; columns that every table has are left out."""

    table: str
    short: str
    columns: Mapping[str, str]
    rules: tuple[Check, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        always = {"updated_at_utc": "datetime"} if self.columns else {}
        schema = SchemaCheck(f"{self.short}_schema", f"{self.short}_columns", self.table, {**self.columns, **always})
        return (schema, *self.rules) if self.columns else self.rules


def over(batch: str, *names: str) -> tuple[Check, ...]:
    """Checks on the same partition."""
    return tuple(Check(name, batch) for name in names)


def _over(query: str, partition: str) -> str:
    named = query.replace("{batch} AS", f"(\n{partition}\n) AS")
    return named.replace("{batch}", f"(\n{partition}\n) AS batch")
