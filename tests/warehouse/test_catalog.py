"""Series, events and markets: known settlements stay, amendments are recorded, parents come first."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from kalshi.records import Event, Found, Market, Record, Series, read_record
from kalshi.warehouse import checkpoints, gaps
from kalshi.warehouse.catalog import (
    event_date,
    placeholder_events,
    write_events,
    write_markets,
    write_series,
    write_unknown_markets,
)
from kalshi.warehouse.checkpoints import Window
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts

SERIES = "KXHIGHNY"
EVENT = "KXHIGHNY-26AUG01"
MARKET = "KXHIGHNY-26AUG01-T80"
SETTLED_AT = "2026-08-02T11:30:00.123456Z"
MISSING = "(missing)"
SETTLED = {
    "status": "finalized",
    "result": "no",
    "settlement_ts": SETTLED_AT,
    "settlement_value_dollars": "0.0000",
    "expiration_value": "79.00",
}


def found(record_type: type[Record], **fields: Any) -> Found[Record]:
    raw = msgspec.json.encode({name: value for name, value in fields.items() if value != MISSING})
    return Found(read_record(raw, record_type), raw)


def write_market(engine: sa.Engine, run_id: int, *others: Found[Market], **fields: Any) -> WriteCounts:
    one = found(Market, ticker=MARKET, event_ticker=EVENT, **fields)
    with engine.begin() as connection:
        return write_markets(connection, [one, *others], SERIES, run_id)["kalshi_market"]


def rows(engine: sa.Engine, table: str) -> list[dict[str, Any]]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1")).mappings()]


def only(found_rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    assert len(found_rows) == 1
    return found_rows[0]


@pytest.fixture
def catalog(warehouse_on_both: sa.Engine) -> sa.Engine:
    """A warehouse that knows the series."""
    with warehouse_on_both.begin() as connection:
        write_series(connection, [found(Series, ticker=SERIES, title="Highest temperature in NYC")], 1)
    return warehouse_on_both


@pytest.mark.parametrize("nothing", ["", None, MISSING], ids=["blank", "null", "missing"])
def test_a_known_settlement_is_never_erased(catalog: sa.Engine, nothing: str | None) -> None:
    write_market(catalog, 1, **SETTLED)
    settled = dict.fromkeys(SETTLED, nothing)
    assert write_market(catalog, 2, **settled).updated == 1  # raw_json is the newest answer
    assert write_market(catalog, 3, **settled) == WriteCounts(unchanged=1)
    market = only(rows(catalog, "kalshi_market"))
    assert market["status"] == "finalized"
    assert market["result"] == "no"
    assert market["settlement_ts_utc"] == datetime(2026, 8, 2, 11, 30, 0, 123456)  # noqa: DTZ001
    assert market["settlement_value"] == 0
    assert market["expiration_value"] == "79.00"
    assert market["run_id"] == 2
    assert rows(catalog, "kalshi_settlement_change") == []


@pytest.mark.parametrize("nothing", ["", None, MISSING], ids=["blank", "null", "missing"])
def test_a_first_settlement_is_no_change(catalog: sa.Engine, nothing: str | None) -> None:
    write_market(catalog, 1, **{**dict.fromkeys(SETTLED, nothing), "status": "active"})
    assert only(rows(catalog, "kalshi_market"))["result"] is None
    assert only(rows(catalog, "kalshi_market"))["expiration_value"] is None
    write_market(catalog, 2, **SETTLED)
    assert only(rows(catalog, "kalshi_market"))["result"] == "no"
    assert rows(catalog, "kalshi_settlement_change") == []


def test_an_amended_settlement_wins_and_is_kept_once(catalog: sa.Engine) -> None:
    write_market(catalog, 1, **SETTLED)
    amended = {**SETTLED, "result": "yes", "settlement_value_dollars": "1.0000", "expiration_value": "81.00"}
    for run_id in (2, 3):
        write_market(catalog, run_id, **amended)
    market = only(rows(catalog, "kalshi_market"))
    assert (market["result"], market["settlement_value"], market["expiration_value"]) == ("yes", 1, "81.00")
    change = only(rows(catalog, "kalshi_settlement_change"))
    assert (change["market_ticker"], change["run_id"]) == (MARKET, 2)
    assert (change["old_result"], change["new_result"]) == ("no", "yes")
    assert (change["old_settlement_value"], change["new_settlement_value"]) == (0, 1)
    assert market["created_at_utc"] < change["changed_at_utc"] <= market["updated_at_utc"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"settlement_value_dollars": "0.250000"}, ("no", "no", Decimal(0), Decimal("0.25"))),
        ({"result": "", "settlement_value_dollars": "0.250000"}, ("no", "no", Decimal(0), Decimal("0.25"))),
        ({"result": "scalar", "settlement_value_dollars": None}, ("no", "scalar", Decimal(0), Decimal(0))),
    ],
    ids=["value", "value without result", "result without value"],
)
def test_a_change_of_one_half_keeps_the_other(
    catalog: sa.Engine, answer: dict[str, Any], expected: tuple[str, str, Decimal, Decimal]
) -> None:
    write_market(catalog, 1, **SETTLED)
    write_market(catalog, 2, **{**SETTLED, **answer})
    change = only(rows(catalog, "kalshi_settlement_change"))
    market = only(rows(catalog, "kalshi_market"))
    assert (
        change["old_result"],
        change["new_result"],
        change["old_settlement_value"],
        change["new_settlement_value"],
    ) == expected
    assert (market["result"], market["settlement_value"]) == (change["new_result"], change["new_settlement_value"])


def test_an_amendment_there_and_back_is_two_changes(catalog: sa.Engine) -> None:
    for run_id, result in enumerate(["no", "yes", "", "yes", "no", "no"], 1):
        write_market(catalog, run_id, result=result)
    changes = rows(catalog, "kalshi_settlement_change")
    assert [(c["old_result"], c["new_result"], c["run_id"]) for c in changes] == [("no", "yes", 2), ("yes", "no", 5)]


def test_a_change_rolled_back_leaves_no_trace(catalog: sa.Engine) -> None:
    write_market(catalog, 1, **SETTLED)
    with catalog.connect() as connection:
        amended = found(Market, ticker=MARKET, event_ticker=EVENT, result="yes")
        write_markets(connection, [amended], SERIES, 2)
        connection.rollback()
    assert only(rows(catalog, "kalshi_market"))["result"] == "no"
    assert rows(catalog, "kalshi_settlement_change") == []


def test_two_runs_at_once_keep_one_change(catalog: sa.Engine) -> None:
    tickers = [f"{EVENT}-T{n}" for n in range(300)]

    def write(run_id: int, result: str) -> None:
        markets = [found(Market, ticker=t, event_ticker=EVENT, result=result) for t in tickers]
        in_transaction(catalog, write_markets, markets, SERIES, run_id)

    write(1, "no")
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (2, 3), ("yes", "yes")))
    assert sorted(c["market_ticker"] for c in rows(catalog, "kalshi_settlement_change")) == sorted(tickers)


def test_a_market_of_an_unknown_event_makes_a_placeholder(catalog: sa.Engine) -> None:
    with catalog.begin() as connection:
        markets = [found(Market, ticker=f"{EVENT}-T{n}", event_ticker=EVENT) for n in range(3)]
        counts = write_markets(connection, markets, SERIES, 7)
        assert placeholder_events(connection, SERIES) == [EVENT]
    assert counts == {"kalshi_market": WriteCounts(inserted=3), "kalshi_event": WriteCounts(inserted=1)}
    event = only(rows(catalog, "kalshi_event"))
    assert (event["series_ticker"], event["event_date"], event["is_placeholder"]) == (SERIES, date(2026, 8, 1), 1)
    assert event["run_id"] == 7


def test_an_event_enriches_its_placeholder_for_good(catalog: sa.Engine) -> None:
    write_market(catalog, 1)
    with catalog.begin() as connection:
        event = found(Event, event_ticker=EVENT, series_ticker=SERIES, title="Highest?", strike_date=SETTLED_AT)
        assert write_events(connection, [event], 2) == WriteCounts(updated=1)
        assert placeholder_events(connection, SERIES) == []
    enriched = only(rows(catalog, "kalshi_event"))
    assert (enriched["title"], enriched["is_placeholder"], enriched["run_id"]) == ("Highest?", 0, 2)
    assert enriched["event_date"] == date(2026, 8, 1)
    write_market(catalog, 3, title="a later answer")
    assert only(rows(catalog, "kalshi_event")) == enriched


def test_a_child_before_its_series_makes_a_placeholder(warehouse_on_both: sa.Engine) -> None:
    with warehouse_on_both.begin() as connection:
        write_events(connection, [found(Event, event_ticker="OTHER-26AUG01", series_ticker="OTHER")], 1)
    write_market(warehouse_on_both, 2)
    placeholders = {s["series_ticker"]: s["is_placeholder"] for s in rows(warehouse_on_both, "kalshi_series")}
    assert placeholders == {"OTHER": 1, SERIES: 1}
    with warehouse_on_both.begin() as connection:
        assert write_series(connection, [found(Series, ticker=SERIES, title="NYC")], 3) == WriteCounts(updated=1)
    write_market(warehouse_on_both, 4)
    series = {s["series_ticker"]: (s["title"], s["is_placeholder"]) for s in rows(warehouse_on_both, "kalshi_series")}
    assert series == {"OTHER": (None, 1), SERIES: ("NYC", 0)}


@pytest.mark.parametrize(
    "orphan",
    [
        "INSERT INTO kalshi_event SET event_ticker = 'E', series_ticker = 'nowhere', run_id = 1",
        f"INSERT INTO kalshi_market SET market_ticker = '', event_ticker = 'E', series_ticker = '{SERIES}', run_id = 1",
        f"INSERT INTO kalshi_market SET market_ticker = 'M', event_ticker = '{EVENT}', series_ticker = 'S', run_id = 1",
        "INSERT INTO kalshi_settlement_change SET market_ticker = 'nowhere', run_id = 1",
        f"DELETE FROM kalshi_series WHERE series_ticker = '{SERIES}'",
        f"DELETE FROM kalshi_event WHERE event_ticker = '{EVENT}'",
    ],
)
def test_the_server_refuses_orphans(catalog: sa.Engine, orphan: str) -> None:
    write_market(catalog, 1)
    with pytest.raises(sa.exc.IntegrityError, match="foreign key"), catalog.begin() as connection:
        connection.exec_driver_sql(orphan)


def test_a_market_too_long_for_its_column_takes_no_other_with_it(catalog: sa.Engine) -> None:
    other = found(Market, ticker=f"{EVENT}-T81", event_ticker=EVENT, market_type="x" * 65)
    counts = write_market(catalog, 1, other)
    assert only([vars(m) for m in counts.misfits])["row"][-1] == other.raw
    assert only(rows(catalog, "kalshi_market"))["market_ticker"] == MARKET


@pytest.mark.parametrize(
    ("ticker", "day"),
    [
        ("KXHIGHNY-26SEP23", date(2026, 9, 23)),
        ("KXHIGHNY-24FEB29", date(2024, 2, 29)),
        ("KXHIGHNY-26FEB29", None),
        ("KXHIGHNY-26XXX23", None),
        ("KXFED-26SEP", None),
        ("KXOTHER", None),
    ],
)
def test_the_day_of_an_event_is_read_from_its_ticker(ticker: str, day: date | None) -> None:
    assert event_date(ticker) == day


def test_a_response_older_than_the_stored_row_changes_nothing(catalog: sa.Engine) -> None:
    write_market(catalog, 1, **SETTLED, updated_time="2026-09-24T12:00:00Z")
    before = only(rows(catalog, "kalshi_market"))
    stale = {"status": "closed", "result": "yes", "settlement_value_dollars": "1.0000"}
    assert write_market(catalog, 2, **stale, updated_time="2026-09-24T11:00:00Z") == WriteCounts(unchanged=1)
    assert only(rows(catalog, "kalshi_market")) == before
    assert rows(catalog, "kalshi_settlement_change") == []
    assert write_market(catalog, 3, **stale, updated_time="2026-09-24T12:00:00Z").updated == 1


DAY = Window("trades", SERIES, datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 8, 2, tzinfo=UTC))
OPENS, CLOSES, EXTENDED = "2026-08-01T10:00:00Z", "2026-08-01T20:00:00Z", "2026-08-01T22:00:00Z"
LIFE = {"open_time": OPENS, "close_time": CLOSES, "updated_time": "2026-08-01T12:00:00Z"}


@pytest.mark.parametrize(
    ("stored", "answer", "reopened"),
    [
        (None, LIFE, (10, 20)),
        (LIFE, LIFE, None),
        (LIFE, {"updated_time": "2026-08-01T13:00:00Z"}, None),
        (LIFE, {**LIFE, "close_time": EXTENDED}, (10, 22)),
        (LIFE, {**LIFE, "close_time": EXTENDED, "updated_time": "2026-08-01T11:00:00Z"}, None),
        ({}, LIFE, (10, 20)),
    ],
    ids=["new", "the same", "without times", "closes later", "an older answer", "times at last"],
)
def test_a_window_is_reopened_for_a_market_whose_life_there_is_news(
    catalog: sa.Engine, stored: dict[str, str] | None, answer: dict[str, str], reopened: tuple[int, int] | None
) -> None:
    if stored is not None:
        write_market(catalog, 1, **stored)
    in_transaction(catalog, checkpoints.claim, DAY, 2)
    write_market(catalog, 3, **answer)
    left = in_transaction(catalog, gaps.open_gaps, "trades", SERIES)
    assert [(g.market, g.window.start.hour, g.window.end.hour) for g in left] == (
        [(MARKET, *reopened)] if reopened else []
    )


def test_a_market_first_seen_in_a_snapshot_reopens_what_was_read_without_it(catalog: sa.Engine) -> None:
    in_transaction(catalog, checkpoints.claim, DAY, 1)
    seen = [found(Market, ticker=MARKET, event_ticker=EVENT, **LIFE)]
    for run_id in (2, 3):
        in_transaction(catalog, write_unknown_markets, seen, run_id)
    (left,) = in_transaction(catalog, gaps.open_gaps, "trades", SERIES)
    assert (left.market, left.window.start.hour, left.window.end.hour) == (MARKET, 10, 20)


def test_a_reading_that_begins_while_a_market_is_written_is_reopened(catalog: sa.Engine) -> None:
    with catalog.begin() as connection:
        connection.execute(sa.text("SELECT COUNT(*) FROM kalshi_series")).scalar()  # from now on it sees this moment
        in_transaction(catalog, checkpoints.claim, DAY, 1)
        write_markets(connection, [found(Market, ticker=MARKET, event_ticker=EVENT, **LIFE)], SERIES, 2)
    (left,) = in_transaction(catalog, gaps.open_gaps, "trades", SERIES)
    assert left.market == MARKET


def test_a_life_is_compared_with_what_another_run_made_of_it_meanwhile(catalog: sa.Engine) -> None:
    write_market(catalog, 1, **LIFE)
    in_transaction(catalog, checkpoints.claim, DAY, 1)
    shorter = {"open_time": OPENS, "close_time": "2026-08-01T18:00:00Z", "updated_time": "2026-08-01T13:00:00Z"}
    again = found(Market, ticker=MARKET, event_ticker=EVENT, **{**LIFE, "updated_time": "2026-08-01T14:00:00Z"})
    with catalog.begin() as connection:
        connection.execute(sa.text("SELECT COUNT(*) FROM kalshi_market")).scalar()  # from now on it sees this moment
        write_market(catalog, 2, **shorter)
        write_markets(connection, [again], SERIES, 3)
    (left,) = in_transaction(catalog, gaps.open_gaps, "trades", SERIES)
    assert (left.market, left.window.start.hour, left.window.end.hour) == (MARKET, 10, 20)


def test_markets_that_are_written_are_locked_before_anything_is_decided(catalog: sa.Engine) -> None:
    write_market(catalog, 1, **SETTLED)
    one = found(Market, ticker=MARKET, event_ticker=EVENT, **SETTLED)
    with catalog.connect() as connection, catalog.connect() as other:
        write_markets(connection, [one], SERIES, 2)  # changes nothing
        other.execute(sa.text("SET SESSION innodb_lock_wait_timeout = 1"))
        with pytest.raises(sa.exc.OperationalError, match="1205"):
            other.execute(sa.text("SELECT title FROM kalshi_market LOCK IN SHARE MODE"))
        other.invalidate()  # its short patience is not for other tests
