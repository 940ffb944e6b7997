"""Any batches of any rows, against a model of the writer in a few lines of Python."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kalshi.warehouse.tables import Guard
from kalshi.warehouse.writer import WriteCounts, upsert
from tests.warehouse.sample import SAMPLE, stored

GUARDS = {"price": Guard.KEEP_KNOWN_VALUE, "words": Guard.KEEP_KNOWN, "day": Guard.INSERT_ONLY}
GUARDED = replace(
    SAMPLE,
    columns=tuple(
        replace(column, guard=GUARDS.get(column.name, Guard.REPLACE))
        for column in SAMPLE.columns
        if column.name != "document"
    ),
    version="moment_utc",
)
Row = dict[str, Any]
Batch = tuple[bool, list[Row]]

NAMES = st.sampled_from(["a", "b", "A", "é", "\\N", "-", "%s", "'"]) | st.text(max_size=22).map(str.strip)
ROWS = st.fixed_dictionaries(
    {
        "name": NAMES,
        "price": st.none() | st.decimals(-11_000, 11_000, places=6) | st.sampled_from(["0.56", "much", "", "1e1"]),
        "number": st.integers(-(2**31) - 1, 2**31) | st.integers(0, 3) | st.none(),
        "moment_utc": st.none() | st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        "day": st.none() | st.dates(date(1970, 1, 1)),
        "words": st.none() | st.text(max_size=8),
        "flag": st.none() | st.booleans(),
    }
)
BATCHES: st.SearchStrategy[list[Batch]] = st.lists(st.tuples(st.booleans(), st.lists(ROWS, max_size=6)), max_size=4)


def values_of(row: Row) -> tuple[Any, ...]:
    return tuple(row[column] for column in GUARDED.names)


def fits(row: Row) -> bool:
    try:
        price = Decimal(row["price"] or 0) if row["price"] != "" else None
    except ArithmeticError:
        return False
    number = row["number"]
    return (
        len(row["name"]) <= 20
        and price is not None
        and abs(price) < 10_000
        and number is not None
        and -(2**31) <= number < 2**31
    )


def as_stored(row: Row) -> Row:
    moment, price, flag = row["moment_utc"], row["price"], row["flag"]
    return {
        **row,
        "price": None if price is None else Decimal(price),
        "moment_utc": moment and moment.replace(tzinfo=None),
        "flag": None if flag is None else int(flag),
    }


def merged(old: Row, new: Row) -> Row:
    """What is stored after ``new`` came to ``old``."""
    if new["moment_utc"] and old["moment_utc"] and new["moment_utc"] < old["moment_utc"]:
        return old
    return {
        **new,
        "price": old["price"] if new["price"] is None else new["price"],
        "words": new["words"] or old["words"],
        "day": old["day"],
    }


def expect(there: dict[str, Row], rows: list[Row]) -> tuple[WriteCounts, list[Row]]:
    """Change ``there`` as the writer should; the counts, and the rows that it should set apart."""
    counts, misfits = WriteCounts(), []
    for name in {row["name"]: None for row in rows}:
        named = [row for row in rows if row["name"] == name]
        while named and not fits(named[-1]):
            misfits.append(named.pop())
        if not named:
            continue
        counts.duplicates += len(named) - 1
        new = as_stored(named[-1])
        after = merged(there[name], new) if name in there else new
        if name not in there:
            counts.inserted += 1
        elif after != there[name]:
            counts.updated += 1
        else:
            counts.unchanged += 1
        there[name] = after
    return counts, misfits


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES)
def test_any_rows_end_up_as_the_guards_say_and_are_counted(samples_each_way: sa.Engine, batches: list[Batch]) -> None:
    with samples_each_way.begin() as connection:
        connection.exec_driver_sql("DELETE FROM sample")
    there: dict[str, Row] = {}
    for run_id, (likely_new, rows) in enumerate(batches, start=1):
        values = [values_of(row) for row in rows]
        with samples_each_way.begin() as connection:
            counts = upsert(connection, GUARDED, values, run_id=run_id, likely_new=likely_new)
        expected, misfits = expect(there, rows)
        assert replace(counts, misfits=[]) == expected
        assert sorted(repr(misfit.row) for misfit in counts.misfits) == sorted(repr(values_of(row)) for row in misfits)
        assert all(misfit.reason for misfit in counts.misfits)
        found = {name: {c: row[c] for c in GUARDED.names} for name, row in stored(samples_each_way).items()}
        assert found == there
