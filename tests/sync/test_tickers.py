"""The set of tickers that a run has seen."""

from __future__ import annotations

import random

import pytest

from kalshi.sync.tickers import SeenTickers


@pytest.fixture(params=[0, 7, 10_000], ids=["sorted", "both", "recent"])
def seen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SeenTickers:
    monkeypatch.setattr("kalshi.sync.tickers.MOST_RECENT", request.param)
    return SeenTickers()


def test_it_holds_what_a_set_would_hold(seen: SeenTickers) -> None:
    dice, known = random.Random(5), set[str]()
    for _ in range(300):
        page = [f"KXHIGHNY-{dice.randrange(2_000)}" for _ in range(dice.randrange(20))]
        assert set(seen.add(page)) == set(page) - known
        known |= set(page)
        assert len(seen) == len(known)
    assert [f"KXHIGHNY-{n}" in seen for n in range(2_000)] == [f"KXHIGHNY-{n}" in known for n in range(2_000)]


def test_a_ticker_twice_on_a_page_is_new_once(seen: SeenTickers) -> None:
    assert seen.add(["KXHIGHNY-1", "KXHIGHNY-2", "KXHIGHNY-1"]) == ["KXHIGHNY-1", "KXHIGHNY-2"]
    assert seen.add(["KXHIGHNY-2"]) == []
