"""Decoding the exchange's JSON into records, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from kalshi.records import Event, HistoricalCutoff, Market, Series, known_time, read_record, sift

OLD_MARKET = json.loads((Path(__file__).parents[1] / "exchange/data/market_of_2026-01.json").read_text("utf-8"))
"""Recorded in January 2026, when integer cents stood beside the dollars."""


def read(**fields: Any) -> Market:
    raw = msgspec.json.encode({"ticker": "KXHIGHNY-26SEP23-T65", "event_ticker": "KXHIGHNY-26SEP23", **fields})
    return read_record(raw, Market)


def empty_in_every_way(wire: str) -> list[Market]:
    return [read(), read(**{wire: None}), read(**{wire: ""})]


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("settlement_ts", "settlement_time"),
        ("close_time", "close_time"),
        ("settlement_value_dollars", "settlement_value"),
        ("yes_bid_dollars", "yes_bid"),
        ("volume_fp", "volume"),
        ("floor_strike", "floor_strike"),
        ("result", "result"),
        ("expiration_value", "expiration_value"),
        ("subtitle", "subtitle"),
        ("can_close_early", "can_close_early"),
    ],
)
def test_missing_null_and_blank_mean_the_same(wire: str, name: str) -> None:
    assert [getattr(market, name) for market in empty_in_every_way(wire)] == [None, None, None]


def test_a_blank_field_takes_no_other_field_with_it() -> None:
    market = read(settlement_ts="", result="yes", cap_strike=65.5, custom_strike={"note": "", "share": 1.10})
    assert (market.settlement_time, market.result, market.cap_strike) == (None, "yes", Decimal("65.5"))
    assert json.loads(bytes(market.custom_strike)) == {"note": "", "share": 1.1}


def test_a_market_without_a_custom_strike_has_null_for_one() -> None:
    assert {bytes(market.custom_strike) for market in empty_in_every_way("custom_strike")} == {b"null"}


@pytest.mark.parametrize("price", ["0.5600", "0.012250", "0", "1.0000", "-12.50", "123456789012345678901234567890.01"])
def test_a_price_stays_the_string_it_came_as(price: str) -> None:
    market = read(yes_bid_dollars=price, settlement_value_dollars=price, open_interest_fp=price)
    assert (market.yes_bid, market.settlement_value, market.open_interest) == (price, price, price)


NO_PRICES = [0.56, 56, True, "56 cents", "0,56", ".56", "1e2", "NaN", " 0.56", "0.56\n", "9" * 41]


@pytest.mark.parametrize("price", NO_PRICES)
def test_a_price_that_is_no_plain_decimal_string_is_refused(price: object) -> None:
    with pytest.raises(msgspec.ValidationError, match="yes_bid_dollars"):
        read(yes_bid_dollars=price)


@pytest.mark.parametrize("name", ["last_price", "yes_bid", "yes_ask", "settlement_value"])
def test_integer_cents_without_their_dollars_are_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=f"{name} is 56 without {name}_dollars: integer prices"):
        read(**{name: 56})
    assert getattr(read(**{name: 56, f"{name}_dollars": "0.5600"}), name) == "0.5600"
    assert getattr(read(**{name: None}), name) is None


def test_a_market_of_january_2026_is_read_from_its_dollars() -> None:
    market = read_record(json.dumps(OLD_MARKET).encode(), Market)
    assert OLD_MARKET["yes_bid"] == 6
    assert (market.yes_bid, market.yes_ask, market.last_price) == ("0.0600", "0.0700", "0.0600")
    assert known_time(market.created_time) is None


def test_a_market_of_january_2026_without_its_dollars_is_rejected() -> None:
    cents = {name: value for name, value in OLD_MARKET.items() if not name.endswith("_dollars")}
    found, [rejected] = sift([Raw(json.dumps(cents).encode())], Market, "/markets")
    assert not found
    assert "cents in the old API" in rejected.reason


def test_unknown_fields_are_kept_in_the_raw_bytes() -> None:
    raw = b'{"ticker":"A-1-T1" , "event_ticker":"A-1","invented_tomorrow":[1.10,{"a":""}],"result":""}'
    [found], rejected = sift([Raw(raw)], Market, "/markets")
    assert found.raw == raw
    assert not rejected


@pytest.mark.parametrize("name", ["status", "result", "strike_type", "market_type"])
def test_a_word_that_the_exchange_invents_is_kept_as_it_is(name: str) -> None:
    assert getattr(read(**{name: "brand-new"}), name) == "brand-new"


def test_a_scalar_market_is_read() -> None:
    market = read(market_type="scalar", result="scalar", settlement_value_dollars="0.3700", strike_type="functional")
    assert (market.market_type, market.result, market.settlement_value) == ("scalar", "scalar", "0.3700")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-09-22T14:00:01.790383Z", datetime(2026, 9, 22, 14, 0, 1, 790383, UTC)),
        ("2026-09-22T14:00:01Z", datetime(2026, 9, 22, 14, 0, 1, 0, UTC)),
        ("2026-09-22T10:00:01.5-04:00", datetime(2026, 9, 22, 14, 0, 1, 500000, UTC)),
        ("2026-09-22T14:00:01.123456789Z", datetime(2026, 9, 22, 14, 0, 1, 123457, UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("9999-12-31T23:59:59-05:00", None),
    ],
)
def test_a_time_is_utc_and_the_zero_time_is_none(text: str, moment: datetime | None) -> None:
    assert known_time(read(close_time=text).close_time) == moment


@pytest.mark.parametrize("text", ["2026-09-22T14:00:01", "2026-09-22", "soon", "2026-13-01T00:00:00Z", 1758549601])
def test_a_time_without_its_zone_or_sense_is_refused(text: object) -> None:
    with pytest.raises(msgspec.ValidationError, match="close_time"):
        read(close_time=text)


@pytest.mark.parametrize("ticker", ["", "two words", "a/b", "a?b", "a#b", "a%20b", "ab\n", "x" * 121, None, 7])
def test_a_ticker_that_could_not_stand_in_an_address_is_refused(ticker: object) -> None:
    with pytest.raises(msgspec.ValidationError, match="ticker"):
        read(ticker=ticker)


def test_a_series_and_an_event_need_little_more_than_their_tickers() -> None:
    series = read_record(b'{"ticker":"KXHIGHNY","fee_multiplier":0.35,"tags":null,"title":""}', Series)
    assert (series.fee_multiplier, series.tags, series.title) == (Decimal("0.35"), None, None)
    event = read_record(b'{"event_ticker":"KXHIGHNY-26SEP23","series_ticker":"KXHIGHNY","strike_date":""}', Event)
    assert (event.ticker, event.strike_date) == ("KXHIGHNY-26SEP23", None)
    with pytest.raises(msgspec.ValidationError, match="series_ticker"):
        read_record(b'{"event_ticker":"KXHIGHNY-26SEP23"}', Event)


def test_a_cutoff_needs_the_time_of_the_markets() -> None:
    with pytest.raises(msgspec.ValidationError, match="market_settled_ts"):
        read_record(b'{"trades_created_ts":"2026-06-24T00:00:00Z"}', HistoricalCutoff)
    assert read_record(b'{"market_settled_ts":"2026-06-24T00:00:00Z"}', HistoricalCutoff).trades_created is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(""),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
WIRE_NAMES = [field.encode_name for field in msgspec.structs.fields(Market)]
RECORDS = st.dictionaries(st.sampled_from(WIRE_NAMES) | st.text(max_size=3), JSON) | JSON
GOOD = b'{"ticker":"A-1-T1","event_ticker":"A-1"}'


@given(records=st.lists(RECORDS))
def test_whatever_comes_each_record_is_either_found_or_rejected_with_its_bytes(records: list[Any]) -> None:
    raws = [GOOD, *map(msgspec.json.encode, records), GOOD]
    found, rejected = sift([Raw(raw) for raw in raws], Market, "/markets")
    assert sorted([f.raw for f in found] + [r.raw for r in rejected]) == sorted(raws)
    assert all(r.reason for r in rejected)
    assert [f.raw for f in found].count(GOOD) >= 2


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(moment=st.datetimes(timezones=OFFSETS))
def test_a_known_time_is_the_same_moment_in_utc(moment: datetime) -> None:
    known = known_time(moment)
    assert known is None or (known == moment and known.tzinfo is UTC)
    assert known is not None or not 1001 <= moment.year <= 9998
