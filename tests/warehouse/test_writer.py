"""The writer: exact counts, exact values, bad rows rejected, on both servers and with both ways to load."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from kalshi.warehouse.server import in_transaction, open_engine
from kalshi.warehouse.writer import WriteCounts, upsert
from scripts.address import address_of
from scripts.private_server import PrivateServer
from tests.warehouse.sample import CREATE_SAMPLE, SAMPLE, row, stored, write


def test_a_mixed_batch_is_counted_exactly(samples_each_way: sa.Engine) -> None:
    write(samples_each_way, [row("same", price="1"), row("changed", price="1")])
    batch = [
        row("same", price="1"),
        row("changed", price="2"),
        row("new", price="3"),
        row("repeated", price="4"),
        row("repeated", price="5"),
        row("wrong", price="much"),
    ]
    counts = write(samples_each_way, batch)
    assert [misfit.row for misfit in counts.misfits] == [batch[-1]]
    counts.misfits.clear()
    assert counts == WriteCounts(inserted=2, updated=1, unchanged=1, duplicates=1)


def test_an_empty_batch_writes_nothing(samples_each_way: sa.Engine) -> None:
    assert write(samples_each_way, []) == WriteCounts()
    assert stored(samples_each_way) == {}


def test_a_batch_of_misfits_alone_writes_nothing(samples_each_way: sa.Engine) -> None:
    counts = write(samples_each_way, [row("a", price="much"), row("b", price="more")])
    assert (counts.inserted, counts.updated, counts.unchanged, len(counts.misfits)) == (0, 0, 0, 2)
    assert stored(samples_each_way) == {}


def test_the_last_of_a_repeated_key_counts(samples_each_way: sa.Engine) -> None:
    counts = write(samples_each_way, [row("a", words="first"), row("b"), row("a", words="last")])
    assert counts == WriteCounts(inserted=2, duplicates=1)
    assert stored(samples_each_way)["a"]["words"] == "last"


def test_run_and_time_move_only_with_a_rows_values(samples_each_way: sa.Engine) -> None:
    write(samples_each_way, [row("same", price="0.5"), row("changed", price="0.5")], run_id=1)
    before = stored(samples_each_way)
    counts = write(samples_each_way, [row("same", price="0.500000"), row("changed", price="0.500001")], run_id=2)
    after = stored(samples_each_way)
    assert counts == WriteCounts(updated=1, unchanged=1)
    assert after["same"] == before["same"]
    assert after["changed"]["run_id"] == 2
    assert after["changed"]["updated_at_utc"] > before["changed"]["updated_at_utc"]


@pytest.mark.parametrize("change", [{"words": None}, {"words": ""}, {"words": "A"}, {"words": "á"}])
def test_every_change_of_a_text_moves_the_run(samples_each_way: sa.Engine, change: dict[str, str | None]) -> None:
    write(samples_each_way, [row("it", words="a")], run_id=1)
    assert write(samples_each_way, [row("it", **change)], run_id=2) == WriteCounts(updated=1)
    assert (stored(samples_each_way)["it"]["words"], stored(samples_each_way)["it"]["run_id"]) == (change["words"], 2)


VALUES: dict[str, tuple[str, Any, Any]] = {
    "many digits": ("price", "9876.543210", Decimal("9876.543210")),
    "negative price": ("price", "-0.000001", Decimal("-0.000001")),
    "decimal": ("price", Decimal("0.560000"), Decimal("0.56")),
    "decimal exponent": ("price", Decimal("1E+3"), Decimal(1000)),
    "zeros too many": ("price", "0.560000000000", Decimal("0.56")),
    "largest number": ("number", 2**31 - 1, 2**31 - 1),
    "microseconds": ("moment_utc", datetime(2026, 9, 23, 1, 2, 3, 4, UTC), datetime(2026, 9, 23, 1, 2, 3, 4)),  # noqa: DTZ001
    "other time zone": (
        "moment_utc",
        datetime(2026, 9, 23, 1, tzinfo=timezone(timedelta(hours=-5))),
        datetime(2026, 9, 23, 6),  # noqa: DTZ001
    ),
    "date": ("day", date(2024, 2, 29), date(2024, 2, 29)),
    "true": ("flag", True, 1),
    "false": ("flag", False, 0),
    "emoji": ("words", "65° 🌡️ é", "65° 🌡️ é"),
    "tab and newlines": ("words", "a\tb\nc\r\nd\re\n", "a\tb\nc\r\nd\re\n"),
    "backslashes": ("words", "\\ \\n \\\\", "\\ \\n \\\\"),
    "null in words": ("words", "\\N", "\\N"),
    "NULL": ("words", "NULL", "NULL"),
    "quotes": ("words", "'\"`", "'\"`"),
    "percent": ("words", "%s %(a)s %%", "%s %(a)s %%"),
    "zero byte": ("words", "a\0b", "a\0b"),
    "control Z": ("words", "a\x1ab", "a\x1ab"),
    "empty": ("words", "", ""),
    "nothing": ("words", None, None),
    "bytes": ("words", "é\t\\\n\0'".encode(), "é\t\\\n\0'"),
    "trailing blanks": ("words", "a  ", "a  "),
    "long": ("words", "x" * 60_000, "x" * 60_000),
}


def test_values_come_out_as_they_went_in(samples_each_way: sa.Engine) -> None:
    rows = [row(name, **{column: value}) for name, (column, value, _) in VALUES.items()]
    assert write(samples_each_way, rows) == WriteCounts(inserted=len(rows))
    found = {name: of[VALUES[name][0]] for name, of in stored(samples_each_way).items()}
    assert found == {name: expected for name, (_, _, expected) in VALUES.items()}
    assert write(samples_each_way, rows, run_id=2) == WriteCounts(unchanged=len(rows))


@pytest.mark.parametrize(
    "document",
    [b'{"b":1,"a":[1.50,2]}', b'{ "b" : 1,\n "a" : [1.50, 2] }', b'"text"', b"null", b"[]", '{"ü":"🌡️ \\" \\u00e9"}'],
)
def test_the_same_document_twice_is_unchanged(samples_each_way: sa.Engine, document: bytes | str) -> None:
    write(samples_each_way, [row("it", document=document)])
    assert msgspec.json.decode(stored(samples_each_way)["it"]["document"]) == msgspec.json.decode(document)
    before = stored(samples_each_way)
    assert write(samples_each_way, [row("it", document=document)], run_id=2) == WriteCounts(unchanged=1)
    assert stored(samples_each_way) == before


def test_a_changed_document_is_an_update(samples_each_way: sa.Engine) -> None:
    write(samples_each_way, [row("it", document=b'{"a":[1,2]}')])
    assert write(samples_each_way, [row("it", document=b'{"a":[2,1]}')]) == WriteCounts(updated=1)
    assert msgspec.json.decode(stored(samples_each_way)["it"]["document"]) == {"a": [2, 1]}


MISFITS = {
    "key too long": {"name": "x" * 21},
    "key missing": {"name": None},
    "price too high": {"price": "10000"},
    "price of words": {"price": "much"},
    "price empty": {"price": ""},
    "price not a number": {"price": Decimal("NaN")},
    "more decimals than the column keeps": {"price": "0.1234567"},
    "number out of range": {"number": 2**31},
    "null where none may be": {"number": None},
    "no such date": {"moment_utc": "2026-02-30 00:00:00"},
    "no such day": {"day": "2026-02-30"},
    "moment of words": {"moment_utc": "soon"},
    "text too long": {"words": "x" * 65_536},
    "not JSON": {"document": b"{"},
    "JSON empty": {"document": b""},
    "JSON too deep": {"document": b"[" * 200 + b"]" * 200},
    "bytes that are no text": {"words": b"\xff"},
    "half an emoji": {"words": "\ud83c"},
    "bytes of half an emoji": {"words": b"\xed\xa0\xbc"},
}


@pytest.mark.parametrize("values", MISFITS.values(), ids=MISFITS)
def test_a_row_that_does_not_fit_is_set_apart(samples_each_way: sa.Engine, values: dict[str, Any]) -> None:
    wrong = row(**{"name": "wrong", **values})
    counts = write(samples_each_way, [row("a", price="1"), wrong, row("b", price="2")])
    assert [misfit.row for misfit in counts.misfits] == [wrong]
    assert counts.misfits[0].reason
    assert (counts.inserted, counts.updated, counts.unchanged) == (2, 0, 0)
    assert {name: r["price"] for name, r in stored(samples_each_way).items()} == {"a": 1, "b": 2}


@pytest.mark.parametrize("every", [10, 997])
def test_misfits_among_a_thousand_rows_are_all_found(samples_each_way: sa.Engine, every: int) -> None:
    rows = [row(f"row {n}", number=None if n % every == 0 else n) for n in range(1000)]
    counts = write(samples_each_way, rows)
    wrong = [f"row {n}" for n in range(0, 1000, every)]
    assert [misfit.row[0] for misfit in counts.misfits] == wrong
    assert counts.inserted == 1000 - len(wrong)
    assert stored(samples_each_way).keys() == {f"row {n}" for n in range(1000)} - set(wrong)


def test_a_float_is_refused(samples_each_way: sa.Engine) -> None:
    with pytest.raises(TypeError, match=r"0\.56.*string or a Decimal"):
        write(samples_each_way, [row("it", price=0.56)])
    assert stored(samples_each_way) == {}


def test_a_server_without_load_data_is_tried_only_once(samples_each_way: sa.Engine) -> None:
    with samples_each_way.begin() as connection:
        for _ in range(2):
            upsert(connection, SAMPLE, [row("it")], run_id=1)
        refused = connection.exec_driver_sql("SELECT @@local_infile").scalar_one() == 0
        assert (connection.info.get("local_infile") is False) == refused


def test_a_rollback_leaves_nothing_half_written(samples_each_way: sa.Engine) -> None:
    write(samples_each_way, [row("old", price="1")])
    before = stored(samples_each_way)
    with pytest.raises(RuntimeError, match="stop"), samples_each_way.begin() as connection:
        upsert(connection, SAMPLE, [row("old", price="2"), row("new"), row("wrong", price="much")], run_id=2)
        raise RuntimeError("stop")
    assert stored(samples_each_way) == before
    assert write(samples_each_way, [row("old", price="2"), row("new")]) == WriteCounts(inserted=1, updated=1)


def test_two_writers_of_the_same_keys_lose_no_row(samples: sa.Engine) -> None:
    starts = threading.Barrier(2)

    def write_all(run_id: int) -> list[WriteCounts]:
        starts.wait()
        batches = [range(first, first + 300) for first in range(0, 2000, 200)]
        if run_id == 2:
            batches.reverse()
        return [
            in_transaction(
                samples,
                lambda c, b=batch: upsert(  # type: ignore[misc]
                    c, SAMPLE, [row(f"row {n}", number=run_id) for n in b], run_id=run_id
                ),
            )
            for batch in batches
        ]

    with ThreadPoolExecutor(2) as pool:
        counts = [c for some in pool.map(write_all, (1, 2)) for c in some]
    rows = stored(samples)
    assert rows.keys() == {f"row {n}" for n in range(2100)}
    assert sum(c.inserted for c in counts) == 2100
    assert sum(c.inserted + c.updated + c.unchanged for c in counts) == 2 * 10 * 300
    assert all(r["number"] == r["run_id"] for r in rows.values())


def test_the_loser_of_a_deadlock_tries_again(samples: sa.Engine) -> None:
    write(samples, [row("a"), row("b")])
    both_hold_one = threading.Barrier(2)
    attempts: list[str] = []

    def add(first: str, second: str) -> None:
        def work(connection: sa.Connection) -> None:
            attempts.append(first)
            add_one = sa.text("UPDATE sample SET number = number + 1 WHERE name = :name")
            connection.execute(add_one, {"name": first})
            if attempts.count(first) == 1:
                both_hold_one.wait()
            connection.execute(add_one, {"name": second})

        in_transaction(samples, work)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(add, "a", "b"), pool.submit(add, "b", "a")]:
            done.result()
    assert len(attempts) == 3
    assert {name: r["number"] for name, r in stored(samples).items()} == {"a": 2, "b": 2}


def test_a_misfit_does_not_hide_an_earlier_row_of_its_key(samples_each_way: sa.Engine) -> None:
    batch = [row("a", words="first"), row("a", words="good"), row("a", price="much"), row("a", price="more")]
    counts = write(samples_each_way, batch)
    assert [misfit.row for misfit in counts.misfits] == [batch[3], batch[2]]
    assert (counts.inserted, counts.duplicates) == (1, 1)
    assert stored(samples_each_way)["a"]["words"] == "good"


def test_staging_commits_nothing(samples: sa.Engine) -> None:
    with pytest.raises(KeyboardInterrupt), samples.begin() as connection:
        upsert(connection, SAMPLE, [row(f"row {n}") for n in range(1000)], run_id=1)
        upsert(connection, SAMPLE, [row(f"row {n}", number=1) for n in range(1000)], run_id=1)
        raise KeyboardInterrupt
    assert stored(samples) == {}


@pytest.mark.parametrize("storage", ["COMPRESSION='zlib'", "TABLESPACE innodb_system"])
def test_rows_are_staged_wherever_and_however_their_table_is_stored(mysql: PrivateServer, storage: str) -> None:
    engine = open_engine(address_of(mysql.database("stored_otherwise")), loads=True)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS sample")
        connection.exec_driver_sql(f"{CREATE_SAMPLE} {storage}")
    assert write(engine, [row("it")]) == WriteCounts(inserted=1)
    assert write(engine, [row("it", words="new")]) == WriteCounts(updated=1)
    engine.dispose()
