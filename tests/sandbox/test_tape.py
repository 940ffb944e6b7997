"""The tape: any window of any market without the rest of its life, and trades that fit the quotes."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from statistics import fmean
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.markets import Market
from sandbox.special import FIRST_ODD, odd_events, wide_event
from sandbox.tape import HOUR, MINUTE, Tape, Trade
from sandbox.weather import CITIES, weather_event

DAY = 24 * HOUR
MARKETS = [
    market
    for city in CITIES
    for number in range(4)
    for market in weather_event(city, date(2026, 3, 7) + timedelta(days=number), 1).markets
]
MARKET = st.sampled_from(MARKETS)
PLACES = st.lists(st.floats(-0.1, 1.1), min_size=2, max_size=6).map(sorted)
"""Where a window and its parts end, as shares of the market's life."""


def life(market: Market, tape: Tape | None = None) -> list[Trade]:
    return list((tape or Tape(1)).trades(market, 0, 2 * market.event.minutes.stop * MINUTE))


@pytest.fixture(scope="module")
def trades() -> dict[Market, list[Trade]]:
    """All trades of each market, newest first."""
    tape = Tape(1)
    return {market: life(market, tape) for market in MARKETS}


def moments(market: Market, places: list[float], unit: int) -> list[int]:
    minutes = market.event.minutes
    return [int((minutes.start + place * len(minutes)) * unit) for place in places]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # it shares the machine with other tests
@given(market=MARKET, places=PLACES)
def test_the_parts_of_a_window_hold_the_trades_of_the_whole(market: Market, places: list[float]) -> None:
    ends = moments(market, places, MINUTE)
    parts = [list(Tape(1).trades(market, *part)) for part in pairwise(ends)]
    assert [trade for part in reversed(parts) for trade in part] == list(Tape(1).trades(market, ends[0], ends[-1]))


@given(market=MARKET, places=PLACES)
def test_the_parts_of_a_window_hold_the_quotes_of_the_whole(market: Market, places: list[float]) -> None:
    ends = moments(market, places, 1)
    parts = [list(Tape(1).quotes(market, *part)) for part in pairwise(ends)]
    whole = list(Tape(1).quotes(market, ends[0], ends[-1]))
    assert [quote for part in parts for quote in part] == whole
    minutes = market.event.minutes
    open_minutes = range(max(ends[0], minutes.start), min(ends[-1], minutes.stop))
    assert [quote.minute for quote in whole] == list(open_minutes)


@given(market=MARKET, place=st.floats(-0.2, 2))
def test_the_snapshot_of_a_moment_is_what_quotes_and_trades_say(market: Market, place: float) -> None:
    [now] = moments(market, [place], MINUTE)
    tape, minutes = Tape(1), market.event.minutes
    quote, last, volume, volume_24h = tape.snapshot(market, now)
    until = [trade for trade in life(market) if trade.created <= now]
    assert last == (until[0].price if until else 0)
    assert volume == sum(trade.size for trade in until)
    assert volume_24h == sum(trade.size for trade in until if trade.created > now - DAY)
    if now // MINUTE < minutes.start:
        assert (quote.bid, quote.ask) == (0, 100)
    else:
        minute = min(now // MINUTE, minutes.stop - 1)
        assert [quote] == list(tape.quotes(market, minute, minute + 1))


@pytest.mark.parametrize("market", MARKETS[::5], ids=lambda market: market.ticker)
def test_quotes_are_whole_cents_and_an_empty_side_has_no_size(market: Market) -> None:
    for quote in Tape(1).quotes(market, 0, 10**9):
        assert 0 <= quote.bid < quote.ask <= 100
        assert (quote.bid == 0) == (quote.bid_size == 0)
        assert (quote.ask == 100) == (quote.ask_size == 0)


def test_a_taker_of_yes_pays_the_ask_and_one_of_no_hits_the_bid(trades: dict[Market, list[Trade]]) -> None:
    tape = Tape(1)
    for market, its in trades.items():
        quotes = {quote.minute: quote for quote in tape.quotes(market, 0, 10**9)}
        for trade in its:
            quote = quotes[trade.created // MINUTE]
            assert trade.price == (quote.ask if trade.takes_yes else quote.bid)
            assert 1 <= trade.price <= 99
            assert trade.size > 0


def test_trades_are_newest_first_and_have_ids_of_their_own(trades: dict[Market, list[Trade]]) -> None:
    everything = [trade for its in trades.values() for trade in its]
    assert all(later.created > earlier.created for its in trades.values() for later, earlier in pairwise(its))
    assert len({trade.id for trade in everything}) == len(everything) > 5000
    assert all(str(UUID(trade.id)) == trade.id for trade in everything)
    assert any(trade.created % 1_000_000 for trade in everything)


def test_some_counts_are_fractional_and_few_trades_are_block_trades(trades: dict[Market, list[Trade]]) -> None:
    everything = [trade for its in trades.values() for trade in its]
    fractional = [trade for trade in everything if trade.size % 100]
    assert 0.05 < len(fractional) / len(everything) < 0.6
    blocks = [trade for trade in everything if trade.is_block]
    assert 0 < len(blocks) / len(everything) < 0.01


@pytest.mark.parametrize("market", MARKETS[::5], ids=lambda market: market.ticker)
def test_the_block_trades_alone_are_those_among_all(market: Market) -> None:
    assert list(Tape(1).trades(market, 0, 2**60, blocks=True)) == [t for t in life(market) if t.is_block]


def test_trading_is_sparse_grows_towards_the_end_and_is_rare_far_from_the_money(
    trades: dict[Market, list[Trade]],
) -> None:
    minutes = [len({trade.created // MINUTE for trade in its}) / len(m.event.minutes) for m, its in trades.items()]
    assert max(minutes) < 0.2
    assert [] in trades.values(), "a market that nobody traded"
    late = [t for m, its in trades.items() for t in its if t.created > moments(m, [0.5], MINUTE)[0]]
    assert len(late) > 0.6 * sum(map(len, trades.values()))

    counts: dict[bool, list[int]] = {True: [], False: []}
    for market, its in trades.items():
        fair = market.chance(market.event.opens + (market.event.closes - market.event.opens) / 2)
        if not 0.05 < fair < 0.2:
            counts[fair >= 0.2].append(len(its))
    assert fmean(counts[True]) > 5 * fmean(counts[False])


def test_another_seed_is_another_tape() -> None:
    market = max(MARKETS, key=lambda market: len(life(market)))
    assert not {t.id for t in life(market)} & {t.id for t in life(market, Tape(2))}
    assert list(Tape(1).quotes(market, 0, 10**9)) != list(Tape(2).quotes(market, 0, 10**9))


def test_a_quiet_book_has_quotes_and_an_empty_one_has_neither_side() -> None:
    quiet, empty = wide_event(1).markets[0], [*odd_events(FIRST_ODD)][1].markets[0]
    for market in (quiet, empty):
        assert not list(Tape(1).trades(market, 0, market.event.minutes.start * MINUTE + DAY))
    minutes = quiet.event.minutes.start, quiet.event.minutes.start + 120
    assert len({(quote.bid, quote.ask) for quote in Tape(1).quotes(quiet, *minutes)}) > 1
    assert {q[1:] for q in Tape(1).quotes(empty, 0, 10**9)} == {(0, 100, 0, 0)}
