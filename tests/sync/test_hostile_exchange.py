"""Records with anything in their fields: each is stored as sent or rejected with a reason, and stops nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec import Raw, Struct

from kalshi.exchange.pages import Page
from kalshi.exchange.transport import Traffic
from kalshi.records import Event, Fill, Market, PortfolioSettlement, Position, Series, Trade, sift
from kalshi.records.candles import LiveCandle, read_candles
from kalshi.sync import settlements
from kalshi.sync.pages import write_page
from kalshi.sync.run import recorded_run
from kalshi.warehouse import api_candles, catalog, portfolio, snapshots, trades
from kalshi.warehouse.ledger import RunKey
from kalshi.warehouse.writer import WriteCounts
from tests.support.databases import count, select

NOW = datetime(2026, 9, 22, 15, tzinfo=UTC)
TICKER = "KXHIGHNY-26SEP23-T65"
Write = Callable[[sa.Connection, Page[Any]], dict[str, WriteCounts]]

NASTY_TEXTS = [
    "",
    " ",
    "a\tb\nc\rd\\e\\N\0f",
    "'; DROP TABLE kalshi_market; -- ",
    '"<script>alert(1)</script>&amp;',
    "\ud83c",
    "\U0001f321\ufe0f",
    "\u202eevil",
    "x" * 100_000,
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "2026-02-30T00:00:00Z",
    "2026-09-23T00:00:00+23:59",
    "-0.0000",
    "1e5",
    "NaN",
    "0.12345678901234567890",
    "9" * 40,
]
DEEP: Any = []
for _ in range(500):
    DEEP = [DEEP]
NASTY_VALUES: list[Any] = [
    *NASTY_TEXTS,
    *(10**400, -(10**25), 2**63, 2**40, -1, 0, 1, 0.1, 1e300, True, False, None),
    *([], {}, [[]], DEEP, {"a": {"b": [1.5, "\ud800"]}}),
]
nasty: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(NASTY_VALUES),
    st.text(max_size=30),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
)


@dataclass(frozen=True)
class Kind:
    """A record as the exchange sends it, its table, and the function that writes a page of them."""

    record: type[Struct]
    good: dict[str, Any]
    key: tuple[str, str]
    table: str
    write: Write


def market_page(connection: sa.Connection, page: Page[Market]) -> dict[str, WriteCounts]:
    return settlements._write(connection, page, "KXHIGHNY", 1)


def snapshot_page(connection: sa.Connection, page: Page[Market]) -> dict[str, WriteCounts]:
    counts = catalog.write_unknown_markets(connection, page.records, 1)
    misfits = {misfit.row[0] for misfit in counts["kalshi_market"].misfits}
    stored = [found for found in page.records if found.record.ticker not in misfits]
    taken = snapshots.write_snapshots(connection, stored, NOW, NOW, 1)
    return {**counts, "kalshi_price_snapshot": taken}


def position_page(connection: sa.Connection, page: Page[Position]) -> dict[str, WriteCounts]:
    figures = portfolio.write_exchange_positions(connection, page.records, 0, "unsettled", 1)
    held = [found for found in page.records if Decimal(found.record.quantity) != 0]
    return {
        "kalshi_exchange_position": figures,
        "kalshi_position": portfolio.write_positions(connection, held, 0, NOW, 1),
    }


MARKET = {
    "ticker": TICKER,
    "event_ticker": "KXHIGHNY-26SEP23",
    "title": "High?",
    "status": "finalized",
    "result": "yes",
    "settlement_ts": "2026-09-24T12:00:00Z",
    "settlement_value_dollars": "1.0000",
    "open_time": "2026-09-22T14:00:00Z",
    "close_time": "2026-09-24T05:00:00Z",
    "floor_strike": 65.5,
    "custom_strike": {"a": 1},
    "expiration_value": "66.00",
    "yes_bid_dollars": "0.5600",
    "yes_ask_dollars": "0.5800",
    "volume_fp": "12.00",
    "open_interest_fp": "3.00",
    "can_close_early": True,
    "settlement_timer_seconds": 60,
}
KINDS = {
    "series": Kind(
        Series,
        {"ticker": "KXHIGHNY", "title": "New York", "tags": ["a"], "fee_type": "quadratic", "fee_multiplier": 1},
        ("ticker", "series_ticker"),
        "kalshi_series",
        lambda c, page: {"kalshi_series": catalog.write_series(c, page.records, 1)},
    ),
    "event": Kind(
        Event,
        {
            "event_ticker": "KXHIGHNY-26SEP23",
            "series_ticker": "KXHIGHNY",
            "title": "High?",
            "mutually_exclusive": True,
            "strike_date": "2026-09-24T05:00:00Z",
        },
        ("event_ticker", "event_ticker"),
        "kalshi_event",
        lambda c, page: {"kalshi_event": catalog.write_events(c, page.records, 1)},
    ),
    "market": Kind(Market, MARKET, ("ticker", "market_ticker"), "kalshi_market", market_page),
    "snapshot": Kind(Market, MARKET, ("ticker", "market_ticker"), "kalshi_price_snapshot", snapshot_page),
    "trade": Kind(
        Trade,
        {
            "trade_id": "t",
            "ticker": TICKER,
            "created_time": "2026-09-23T12:00:00.123456Z",
            "yes_price_dollars": "0.5600",
            "no_price_dollars": "0.4400",
            "count_fp": "2.00",
            "taker_outcome_side": "yes",
            "taker_book_side": "bid",
        },
        ("trade_id", "trade_id"),
        "kalshi_trade",
        lambda c, page: {"kalshi_trade": trades.write_trades(c, page.records, 1)},
    ),
    "fill": Kind(
        Fill,
        {
            "fill_id": "f",
            "ticker": TICKER,
            "order_id": "o",
            "yes_price_dollars": "0.5600",
            "no_price_dollars": "0.4400",
            "count_fp": "2.00",
            "fee_cost": "0.0200",
            "is_taker": True,
            "ts": 1_790_000_000,
            "outcome_side": "yes",
            "book_side": "bid",
        },
        ("fill_id", "fill_id"),
        "kalshi_fill",
        lambda c, page: {"kalshi_fill": portfolio.write_fills(c, page.records, 0, 1)},
    ),
    "position": Kind(
        Position,
        {
            "ticker": TICKER,
            "position_fp": "-2.00",
            "market_exposure_dollars": "1.1200",
            "realized_pnl_dollars": "0.0000",
            "fees_paid_dollars": "0.0200",
            "total_traded_dollars": "1.1200",
            "last_updated_ts": "2026-09-23T12:00:00Z",
        },
        ("ticker", "market_ticker"),
        "kalshi_exchange_position",
        position_page,
    ),
    "settlement of the portfolio": Kind(
        PortfolioSettlement,
        {
            "ticker": TICKER,
            "event_ticker": "KXHIGHNY-26SEP23",
            "market_result": "yes",
            "yes_count_fp": "2.00",
            "no_count_fp": "0.00",
            "yes_total_cost_dollars": "1.1200",
            "no_total_cost_dollars": "0.0000",
            "revenue": 200,
            "value": 100,
            "fee_cost": "0.0200",
            "settled_time": "2026-09-24T12:00:00Z",
        },
        ("ticker", "market_ticker"),
        "kalshi_portfolio_settlement",
        lambda c, page: {"kalshi_portfolio_settlement": portfolio.write_settlements(c, page.records, 0, 1)},
    ),
}
"""Every kind of record of a list, with the writer that its job uses."""


def spoilt(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    """A good record with anything in some of its fields, or without them, and a key of its own where that is kept."""
    fields = st.sampled_from(sorted(kind.good))
    return st.dictionaries(fields, nasty | st.just("(missing)"), min_size=1, max_size=3).map(
        lambda changes: {n: v for n, v in {**kind.good, **changes}.items() if v != "(missing)"}
    )


def check_page(engine: sa.Engine, kind: Kind, records: list[dict[str, Any]]) -> None:
    """Write these and a good record as a page: all are accounted for, and the good one is stored."""
    wire, column = kind.key
    numbered = [
        {**record, wire: f"{kind.good[wire]}{n}"} if record.get(wire) == kind.good[wire] else record
        for n, record in enumerate(records)
    ]
    raws = [Raw(json.dumps(record).encode()) for record in [*numbered, kind.good]]
    found, rejected = sift(raws, kind.record, "/test")
    page: Page[Any] = Page("/test", 1, found, rejected, None)
    with recorded_run(engine, RunKey("test", "test"), Traffic()) as run:
        write_page(run, page, kind.write)
    counts = run.counts[kind.table]
    # Of some kinds more than one table can refuse a record.
    assert len(found) <= counts.inserted + counts.updated + counts.unchanged + counts.duplicates + run.report.rejected
    assert len(raws) - len(found) <= run.report.rejected
    rows = select(engine, f"SELECT * FROM {kind.table} WHERE {column} = '{kind.good[wire]}'")
    assert rows, "the good record of the page is stored"
    assert count(engine, "kalshi_rejected_record WHERE reason = ''") == 0


@pytest.mark.parametrize("name", KINDS)
def test_every_field_may_hold_anything(name: str, warehouse_on_both: sa.Engine) -> None:
    kind = KINDS[name]
    for field in kind.good:
        check_page(warehouse_on_both, kind, [{**kind.good, field: value} for value in NASTY_VALUES])


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_spoilt_record_is_stored_or_set_apart_and_takes_no_other_with_it(
    name: str, warehouse: sa.Engine, data: st.DataObject
) -> None:
    kind = KINDS[name]
    check_page(warehouse, kind, data.draw(st.lists(spoilt(kind), min_size=1, max_size=6)))


PRICES = st.decimals(0, 1, places=4).map(lambda d: f"{d:.4f}")
QUOTE = st.fixed_dictionaries({f"{name}_dollars": PRICES for name in ("open", "high", "low", "close")})
CANDLE: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "end_period_ts": st.integers(28_333_333, 30_000_000).map(lambda minutes: minutes * 60),
        "yes_bid": QUOTE,
        "yes_ask": QUOTE,
        "price": st.fixed_dictionaries(
            {},
            optional={
                f"{name}_dollars": PRICES | st.none()
                for name in ("open", "high", "low", "close", "mean", "previous", "min", "max")
            },
        ),
        "volume_fp": st.decimals(0, 10**9, places=2).map(lambda d: f"{d:.2f}"),
        "open_interest_fp": st.decimals(0, 10**9, places=2).map(lambda d: f"{d:.2f}"),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(sent=st.lists(CANDLE, min_size=1, max_size=20, unique_by=lambda candle: candle["end_period_ts"]))
def test_any_candle_comes_out_of_the_warehouse_as_it_was_sent(warehouse: sa.Engine, sent: list[dict[str, Any]]) -> None:
    found = api_candles.candle_lines(read_candles(msgspec.json.encode(sent), LiveCandle, "/test", TICKER))
    assert found.rejected == []
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM kalshi_candle_1m")
        assert api_candles.write_candles(connection, [found], 1).inserted == len(sent)
    rows = {row["bucket_start_utc"]: row for row in select(warehouse, "SELECT * FROM kalshi_candle_1m")}
    for candle in sent:
        row = rows[datetime.fromtimestamp(candle["end_period_ts"] - 60, UTC).replace(tzinfo=None)]
        for side in ("bid", "ask"):
            for name in ("open", "high", "low", "close"):
                assert row[f"yes_{side}_{name}"] == Decimal(candle[f"yes_{side}"][f"{name}_dollars"])
        for name in ("open", "high", "low", "close", "mean", "previous", "min", "max"):
            price = candle["price"].get(f"{name}_dollars")
            assert row[f"trade_{name}"] == (None if price is None else Decimal(price))
        assert (row["volume"], row["open_interest"]) == (
            Decimal(candle["volume_fp"]),
            Decimal(candle["open_interest_fp"]),
        )


def is_json(raw: bytes) -> bool:
    """Whether the client accepts it as JSON: it refuses a response with half a surrogate pair as unusable."""
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_spoilt_candle_is_stored_or_set_apart_and_takes_no_other_with_it(
    warehouse: sa.Engine, data: st.DataObject
) -> None:
    good = data.draw(CANDLE)
    bad = [
        {**data.draw(CANDLE), name: value}
        for name, value in data.draw(st.lists(st.tuples(st.sampled_from(sorted(good)), nasty), min_size=1, max_size=5))
    ]
    raw = json.dumps([*bad, good]).encode()
    assume(is_json(raw))
    found = api_candles.candle_lines(read_candles(raw, LiveCandle, "/test", TICKER))
    assert len(found.lines) + len(found.rejected) == len(bad) + 1
    assert all(bad.reason for bad in found.rejected)
    with warehouse.begin() as connection:
        connection.exec_driver_sql("DELETE FROM kalshi_candle_1m")
        written = api_candles.write_candles(connection, [found], 1)
    assert written.inserted + written.duplicates + len(written.misfits) == len(found.lines)
    at = datetime.fromtimestamp(good["end_period_ts"] - 60, UTC)
    assert count(warehouse, f"kalshi_candle_1m WHERE bucket_start_utc = '{at:%Y-%m-%d %H:%M}'") == 1
