"""How a table is declared: each column once, with its type, where its values come from, and what a new value may do to
the stored one. The declarations stand in the module of their subject; the tables are created, and their columns
described, in ``include/sql/migrations``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from functools import cached_property
from operator import attrgetter
from typing import Any

import msgspec

from kalshi.records import Found, known_time


class Guard(Enum):
    """How an incoming value may change the stored one."""

    REPLACE = "{new}"
    KEEP_KNOWN = "COALESCE(NULLIF({new}, ''), {old})"
    KEEP_KNOWN_VALUE = "COALESCE({new}, {old})"
    INSERT_ONLY = "{old}"
    EXACT_TIME = (  # a proxy never replaces the exchange's own settlement time
        "IF(s.`settled_at_source` = 'settlement_ts' OR {table}.`settled_at_source` <> 'settlement_ts', {new}, {old})"
    )
    WHEN_CLOSED = "IF({table}.`quantity` = 0, {new}, {old})"


class Source(Enum):
    """Where a column's value comes from, if not from a field of the record."""

    GIVEN = "given by the caller"
    RAW = "the bytes that the record was decoded from"


GIVEN, RAW = Source.GIVEN, Source.RAW


@dataclass(frozen=True)
class Column:
    """``type``: as in ``information_schema.columns``. ``source``: the field of the record, with dots for a field of a
    field (None: the field named like the column), a function of the record, or a :class:`Source`."""

    name: str
    type: str
    source: str | Callable[[Any], Any] | Source | None = None
    guard: Guard = Guard.REPLACE
    null: bool = True

    @property
    def field(self) -> str:
        """The field of the record, for a column that has one."""
        return self.source if isinstance(self.source, str) else self.name

    def reader(self, given: dict[str, Any]) -> Callable[[Found[Any]], Any]:
        """A function that takes the column's value from a record; ``given``: by the caller, a value for all records or
        a function of each."""
        if self.source is RAW:
            return attrgetter("raw")
        if self.source is GIVEN:
            value = given[self.name]
            return (lambda found: value(found.record)) if callable(value) else lambda _: value
        take: Callable[[Any], Any] = self.source if callable(self.source) else attrgetter(self.field)
        convert = CONVERSIONS.get(self.type)
        return (lambda found: convert(take(found.record))) if convert else lambda found: take(found.record)


def _json(value: Any) -> bytes | None:
    return None if value is None else msgspec.json.encode(value)


CONVERSIONS: dict[str, Callable[[Any], Any]] = {"datetime": known_time, "json": _json}
"""By type: what a record's value goes through."""


@dataclass(frozen=True)
class Table:
    """A target of the writer: its ``columns``, in the order of the rows' values, and those that are its ``key``.

    ``version``: the column that tells whether a row is older than the stored one and must not change it. Null
    does not count as older, and must be guarded from erasing the stored version.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    version: str | None = None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def data(self) -> tuple[str, ...]:
        """The names of the columns that aren't part of the key."""
        return tuple(name for name in self.names if name not in self.key)

    def rows(self, found: Iterable[Found[Any]], **given: Any) -> list[tuple[Any, ...]]:
        """The rows of these records; ``given``: the values of the columns that are."""
        readers = [column.reader(given) for column in self.columns]
        return [tuple([read(each) for read in readers]) for each in found]

    def insert_only(self, *names: str) -> Table:
        """The same table for rows that never change a stored one, with these columns only, or all."""
        kept = [column for column in self.columns if not names or column.name in names]
        return replace(self, columns=tuple(replace(c, guard=Guard.INSERT_ONLY) for c in kept), version=None)

    def guarded(self, column: str) -> str:
        """The SQL for the new value of ``column`` when the key already exists; ``s`` is the new row."""
        guard = next(c.guard for c in self.columns if c.name == column)
        old = self.qualified(column)
        kept = guard.value.format(old=old, new=f"s.`{column}`", table=f"`{self.name}`")
        return f"IF({self.is_older('s')}, {old}, {kept})" if self.version else kept

    def is_older(self, row: str) -> str:
        """The SQL that tests whether the new ``row`` is older than the stored one."""
        return f"COALESCE({row}.`{self.version}` < {self.qualified(self.version or '')}, FALSE)"

    def qualified(self, column: str) -> str:
        return f"`{self.name}`.`{column}`"
