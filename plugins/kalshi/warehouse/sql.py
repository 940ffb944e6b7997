"""The one door to SQL: reads statements from ``include/sql``, binds their values, and runs them.

A statement names its values as in ``:ticker``. A list, tuple or set becomes an IN list, as in
``market_ticker IN :tickers``; an empty one matches nothing. A time with a time zone becomes a DATETIME in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
import sqlparse
from sqlalchemy.dialects import mysql

from kalshi.settings import INCLUDE
from kalshi.warehouse.times import naive_utc

FOLDER = INCLUDE / "sql"


class Statement(NamedTuple):
    """A file of ``include/sql``: its leading comment as one line, and its SQL without comments."""

    about: str
    text: str


@cache
def read(folder: str, name: str) -> Statement:
    """The description and the statement of ``include/sql/<folder>/<name>.sql``."""
    text = _text_of(folder, name)
    comment = re.match(r"(?:--.*\n)*", text)
    about = " ".join(line.removeprefix("--").strip() for line in comment[0].splitlines()) if comment else ""
    return Statement(about, sqlparse.format(text, strip_comments=True).strip().rstrip(";"))


def read_all(folder: str, name: str) -> list[str]:
    """Every statement of a file that holds several, with their comments."""
    return list(sqlparse.split(_text_of(folder, name)))


def run(connection: sa.Connection, statement: str, /, **values: Any) -> sa.CursorResult[*tuple[Any, ...]]:
    """Run a statement with these values; those that it doesn't name are ignored."""
    plain = {name: _plain(value) for name, value in values.items()}
    lists = frozenset(name for name, value in plain.items() if isinstance(value, list))
    return connection.execute(_parsed(statement, lists), plain)


def run_file(connection: sa.Connection, folder: str, name: str, /, **values: Any) -> sa.CursorResult[*tuple[Any, ...]]:
    """Run the statement of ``include/sql/<folder>/<name>.sql``, like :func:`run`."""
    return run(connection, read(folder, name).text, **values)


def bound(statement: str, values: Mapping[str, Any]) -> sa.TextClause:
    """The statement with its values and their types, to be compiled or run by others."""
    plain = {name: _plain(values[name]) for name in _names(statement)}
    return _parsed(statement).bindparams(
        *(sa.bindparam(name, value, expanding=isinstance(value, list)) for name, value in plain.items())
    )


def written_out(statement: str, values: Mapping[str, Any]) -> str:
    """The statement with its values inlined, quoted by SQLAlchemy, for a library that accepts only text."""
    return str(bound(statement, values).compile(dialect=mysql.dialect(), compile_kwargs={"literal_binds": True}))


def _text_of(folder: str, name: str) -> str:
    return (FOLDER / folder / f"{name}.sql").read_text(encoding="utf-8")


# Most statements run thousands of times, and parsing one takes longer than binding its values.
@lru_cache(maxsize=1000)
def _parsed(statement: str, lists: frozenset[str] = frozenset()) -> sa.TextClause:
    return sa.text(statement).bindparams(*(sa.bindparam(name, expanding=True) for name in lists & _names(statement)))


@lru_cache(maxsize=1000)
def _names(statement: str) -> frozenset[str]:
    """The names of the values in a statement."""
    return frozenset(sa.text(statement).compile().params)


def _plain(value: Any) -> Any:
    """A value as the driver takes it."""
    if isinstance(value, datetime):
        return naive_utc(value)
    return [_plain(item) for item in value] if isinstance(value, list | tuple | set | frozenset) else value
