"""The planner of candle requests: every minute once, within every limit, in few requests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from kalshi.sync.candle_plan import (
    MINUTES_PER_BATCH,
    TICKERS_PER_BATCH,
    AliveMarket,
    Unit,
    batches,
    pieces,
    plan_units,
)

START = datetime(2026, 9, 1, tzinfo=UTC)


@st.composite
def markets(draw: st.DrawFn) -> list[AliveMarket]:
    """Events of some markets, each alive for a while around a window of ten days."""
    alive: list[AliveMarket] = []
    for event in range(draw(st.integers(1, 6))):
        opens = START + timedelta(minutes=draw(st.integers(-5_000, 14_000)))
        closes = opens + timedelta(minutes=draw(st.integers(1, 8_000)))
        for number in range(draw(st.sampled_from([1, 2, 6, 130]))):
            archived = draw(st.booleans()) if number == 0 else alive[-1].is_archived
            alive.append(AliveMarket(f"KX-E{event}-{number:03}", f"KX-E{event}", "KX", opens, closes, archived))
    return [m for m in alive if m.closes > START and m.opens < START + timedelta(days=10)]


def minutes_of(units: list[Unit]) -> list[tuple[str, int, int]]:
    return [(ticker, unit.start, unit.end) for unit in units for ticker in unit.tickers]


@given(markets())
def test_every_market_is_in_one_unit_that_holds_all_its_minutes(alive: list[AliveMarket]) -> None:
    end = START + timedelta(days=10)
    units = list(plan_units(alive, START, end))
    planned = {ticker: (first, last) for ticker, first, last in minutes_of(units)}
    assert len(minutes_of(units)) == len(alive) == len(planned)
    for market in alive:
        first, last = planned[market.ticker]
        assert first <= max(START, market.opens).timestamp() + 60
        assert last >= min(end, market.closes).timestamp()
    finished = [event for unit in units for event in unit.finishes]
    assert sorted(finished) == sorted({market.event_ticker for market in alive})


@given(markets())
def test_a_unit_holds_one_tier_and_an_event_finishes_with_its_last_unit(alive: list[AliveMarket]) -> None:
    units = list(plan_units(alive, START, START + timedelta(days=10)))
    for number, unit in enumerate(units):
        assert len({market.is_archived for market in unit.markets}) == 1
        later = {market.event_ticker for after in units[number + 1 :] for market in after.markets}
        assert not later & set(unit.finishes)


@given(st.integers(1, 250), st.integers(1, 30_000))
def test_batches_take_every_minute_once_within_the_limits(number: int, minutes: int) -> None:
    tickers = [f"KX-E-{n}" for n in range(number)]
    start = int(START.timestamp())
    seen: dict[str, int] = dict.fromkeys(tickers, start - 60)
    for some, first, last in batches(tickers, start, start + 60 * (minutes - 1)):
        assert len(some) <= TICKERS_PER_BATCH
        assert len(some) * ((last - first) // 60 + 1) <= MINUTES_PER_BATCH
        for ticker in some:
            assert seen[ticker] + 60 == first
            seen[ticker] = last
    assert set(seen.values()) == {start + 60 * (minutes - 1)}


def _requests(units: Iterable[Unit]) -> int:
    return sum(len(list(batches(unit.tickers, unit.start, unit.end))) for unit in units)


@given(markets())
def test_events_share_a_request_only_where_that_costs_none_more(alive: list[AliveMarket]) -> None:
    end = START + timedelta(days=10)
    alone = [
        unit
        for _, event in groupby(alive, lambda market: market.event_ticker)
        for unit in plan_units(list(event), START, end)
    ]
    assert _requests(plan_units(alive, START, end)) <= _requests(alone)


def test_small_events_fill_their_requests_together() -> None:
    day = timedelta(days=1)
    alive = [
        AliveMarket(f"KX-E{n:03}-{m}", f"KX-E{n:03}", "KX", START, START + day, False)
        for n in range(250)
        for m in range(4)
    ]
    units = list(plan_units(alive, START, START + day))
    assert {len(unit.tickers) for unit in units} == {100}
    assert _requests(units) == 150, "1,000 markets of 1,440 minutes fill 144 requests of 10,000"


def test_a_piece_never_requests_more_of_a_market_than_allowed() -> None:
    assert list(pieces(60, 60 * 9_000)) == [(60, 60 * 4_500), (60 * 4_501, 60 * 9_000)]
