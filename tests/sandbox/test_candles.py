"""The candles of the chart: built from the tape's quotes and trades, the same in any window."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import chain, pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import candle_json, periods
from sandbox.candles import Candle, Chart, Prices
from sandbox.markets import Market
from sandbox.special import FIRST_ODD, odd_events, wide_event
from sandbox.tape import MINUTE, Tape
from sandbox.weather import CITIES, weather_event

FAR = 2**40
TAPE, CHART, DENSE = Tape(1), Chart(Tape(1)), Chart(Tape(1), dense=True)
MARKETS = [
    market
    for city in (CITIES[1], CITIES[4])
    for day in (date(2026, 3, 8), date(2026, 7, 4), date(2026, 11, 1))
    for market in weather_event(city, day, 1).markets
]
EMPTY, QUIET = [*odd_events(FIRST_ODD)][1].markets[0], wide_event(1).markets[0]
PLACES = st.lists(st.floats(-0.1, 1.1), min_size=2, max_size=6).map(sorted)
"""Where a window and its parts end, as shares of the market's life."""


def candles(chart: Chart, market: Market, period: int = 1, start: int = 0, end: int = FAR) -> list[Candle]:
    return chart.candles(market, period, chart.ends(market, period, start, end, FAR))


def life(market: Market) -> tuple[int, int]:
    """Its first and last second."""
    return market.event.minutes.start * 60, market.event.minutes.stop * 60


def from_the_tape(market: Market) -> list[Candle]:
    """Every minute, computed in the simplest way."""
    trades = sorted(TAPE.trades(market, 0, FAR * 1_000_000))
    previous: float = 0
    found, bid, ask, total = [], 0, 100, 0
    for quote in TAPE.quotes(market, 0, FAR):
        its = [trade for trade in trades if trade.created // MINUTE == quote.minute]
        prices, total = [t.price for t in its], total + sum(t.size for t in its)
        found.append(
            Candle(
                quote.minute * 60 + 60,
                Prices(bid, min(bid, quote.bid), max(bid, quote.bid), quote.bid),
                Prices(ask, min(ask, quote.ask), max(ask, quote.ask), quote.ask),
                Prices(prices[0], min(prices), max(prices), prices[-1]) if prices else None,
                previous,
                sum(t.price * t.size for t in its),
                sum(t.size for t in its),
                total,
            )
        )
        bid, ask, previous = quote.bid, quote.ask, prices[-1] if prices else previous
    return found


@pytest.mark.parametrize("market", MARKETS[::3], ids=lambda market: market.ticker)
def test_dense_candles_are_every_minute_of_the_tape_and_the_others_those_that_changed_something(market: Market) -> None:
    every = from_the_tape(market)
    assert len(every) == len(market.event.minutes)
    assert candles(DENSE, market) == every
    changed = [c for c in every if c.volume or c.bid.low < c.bid.high or c.ask.low < c.ask.high]
    assert candles(CHART, market) == (changed if every[0] in changed else [every[0], *changed])


def test_most_minutes_of_a_quiet_book_are_missing_and_the_first_is_there() -> None:
    opens, _ = life(QUIET)
    found = candles(CHART, QUIET, 1, opens, opens + 6 * 3600)
    assert found[0].end == opens + 60
    assert 5 < len(found) < 180
    assert [candle.end for candle in candles(CHART, EMPTY)] == [life(EMPTY)[0] + 60]


@given(market=st.sampled_from(MARKETS), places=PLACES, period=st.sampled_from(periods.PERIODS), dense=st.booleans())
def test_the_parts_of_a_window_hold_the_candles_of_the_whole(
    market: Market, places: list[float], period: int, dense: bool
) -> None:
    opens, closes = life(market)
    ends = [int(opens + place * (closes - opens)) for place in places]
    chart = Chart(TAPE, dense=dense)
    parts = [candles(chart, market, period, start + 1, end) for start, end in pairwise(ends)]
    assert list(chain(*parts)) == candles(chart, market, period, ends[0] + 1, ends[-1])
    every = candles(DENSE if dense else CHART, market, period)
    assert list(chain(*parts)) == [candle for candle in every if ends[0] < candle.end <= ends[-1]]


@pytest.mark.parametrize("market", MARKETS[::4], ids=lambda market: market.ticker)
@pytest.mark.parametrize("period", periods.PERIODS)
def test_a_candle_opens_where_the_previous_one_closed_and_has_the_last_price(market: Market, period: int) -> None:
    found = candles(CHART, market, period)
    assert (found[0].bid.open, found[0].ask.open, found[0].previous) == (0, 100, 0)
    for before, after in pairwise(found):
        assert before.end < after.end
        assert (before.bid.close, before.ask.close) == (after.bid.open, after.ask.open)
        assert before.last == after.previous
        assert before.total + after.volume == after.total


@pytest.mark.parametrize("market", MARKETS[::4], ids=lambda market: market.ticker)
@pytest.mark.parametrize("period", [periods.HOUR, periods.DAY])
def test_hours_and_days_sum_up_their_minutes(market: Market, period: int) -> None:
    minutes, start = candles(DENSE, market), 0
    for candle in candles(CHART, market, period):
        within = [minute for minute in minutes if start < minute.end <= candle.end]
        traded = [minute.price for minute in within if minute.price]
        for side, sides in ((candle.bid, [m.bid for m in within]), (candle.ask, [m.ask for m in within])):
            assert side == (sides[0].open, min(s.low for s in sides), max(s.high for s in sides), sides[-1].close)
        assert candle.price == (
            (traded[0].open, min(p.low for p in traded), max(p.high for p in traded), traded[-1].close)
            if traded
            else None
        )
        assert candle.volume == sum(minute.volume for minute in within)
        assert candle.turnover == sum(minute.turnover for minute in within)
        start = candle.end
    assert start >= minutes[-1].end


@pytest.mark.parametrize("market", MARKETS, ids=lambda market: market.ticker)
def test_days_end_at_midnight_in_new_york_and_hours_on_the_hour(market: Market) -> None:
    days = [datetime.fromtimestamp(c.end, ZoneInfo("America/New_York")) for c in candles(CHART, market, periods.DAY)]
    assert all((day.hour, day.minute, day.second) == (0, 0, 0) for day in days)
    assert all(after.date() - before.date() == timedelta(days=1) for before, after in pairwise(days))
    hours = [candle.end for candle in candles(CHART, market, periods.HOUR)]
    opens, closes = life(market)
    assert hours == list(range(opens + 3600, closes + 1, 3600))


def test_the_days_on_which_the_clocks_change_have_23_and_25_hours() -> None:
    for day, number in ((date(2026, 3, 9), 23), (date(2026, 11, 2), 25), (date(2026, 7, 5), 24)):
        end = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("America/New_York"))
        assert len(periods.hours(int(end.timestamp()))) == number


@given(market=st.sampled_from(MARKETS), place=st.floats(-0.1, 1.2), period=st.sampled_from(periods.PERIODS))
def test_the_quotes_carried_into_a_start_are_those_of_the_latest_candle_before_it(
    market: Market, place: float, period: int
) -> None:
    opens, closes = life(market)
    start = int(opens + place * (closes - opens))
    before = [candle for candle in candles(CHART, market, period) if candle.end < start]
    carried = CHART.carried(market, period, start, FAR)
    if not before:
        assert carried is None
        return
    assert carried is not None
    latest = before[-1]
    assert {*carried.bid, *carried.ask} == {latest.bid.close, latest.ask.close}
    assert (carried.price, carried.previous, carried.volume, carried.total) == (None, latest.last, 0, latest.total)
    assert carried.end == periods.ends(period, start + 1, start + 90_000)[0]


def test_a_candle_appears_only_once_its_period_is_over() -> None:
    market = MARKETS[2]
    opens, _ = life(market)
    for period, seconds in ((1, 60), (60, 3600)):
        for late in (0, 1, seconds - 1):
            now = opens + 5 * seconds + late
            assert CHART.ends(market, period, 0, FAR, now)[-1] == opens + 5 * seconds
    assert not CHART.ends(market, 1, 0, FAR, opens)


@pytest.mark.parametrize(
    ("turnover", "volume", "mean"),
    [(50 * 100, 100, "0.5000"), (100 * 1 + 200 * 2, 300, "0.0167"), (1, 200, "0.0001"), (99 * 7, 7, "0.9900")],
)
def test_the_mean_is_weighted_and_rounded_to_four_decimals(turnover: int, volume: int, mean: str) -> None:
    prices = Prices(1, 1, 2, 2)
    candle = Candle(60, prices, prices, prices, 0, turnover, volume, volume)
    for shape, name in ((candle_json.live, "mean_dollars"), (candle_json.archived, "mean")):
        assert decoded(shape(candle))["price"][name] == mean


def decoded(text: str) -> Any:
    return msgspec.json.decode(text)


def test_another_seed_makes_other_candles_and_the_same_one_the_same() -> None:
    market = MARKETS[2]
    assert candles(Chart(Tape(1)), market) == candles(CHART, market) != candles(Chart(Tape(2)), market)


def test_the_wide_market_s_candles_of_an_hour_need_nothing_of_its_years() -> None:
    at = int(datetime(2026, 9, 22, 12, tzinfo=UTC).timestamp())
    found = candles(DENSE, QUIET, 1, at + 1, at + 3600)
    assert [candle.end for candle in found] == list(range(at + 60, at + 3601, 60))
