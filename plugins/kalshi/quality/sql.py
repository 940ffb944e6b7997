"""Reads the SQL of data quality from ``include/sql`` and binds its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa
import sqlparse
from sqlalchemy.dialects import mysql

from kalshi.settings import INCLUDE

FOLDER = INCLUDE / "sql"


@cache
def read(folder: str, name: str) -> tuple[str, str]:
    """The description (its leading comment) and the statement of ``include/sql/<folder>/<name>.sql``."""
    text = (FOLDER / folder / f"{name}.sql").read_text(encoding="utf-8")
    comment = re.match(r"(?:--.*\n)*", text)
    about = " ".join(line.removeprefix("--").strip() for line in comment[0].splitlines()) if comment else ""
    return about, sqlparse.format(text, strip_comments=True).strip().rstrip(";")


def bound(statement: str, values: Mapping[str, Any]) -> sa.TextClause:
    """The statement with its parameters bound; a list becomes an IN list."""
    text = sa.text(statement)
    names = set(text._bindparams)
    return text.bindparams(
        *(sa.bindparam(name, list(values[name]) or [""], expanding=True) for name in names if _is_list(values[name])),
        **{name: values[name] for name in names if not _is_list(values[name])},
    )


def written_out(statement: str, values: Mapping[str, Any]) -> str:
    """The statement with its values inlined, quoted by SQLAlchemy, for a library that accepts only text."""
    return str(bound(statement, values).compile(dialect=mysql.dialect(), compile_kwargs={"literal_binds": True}))


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
