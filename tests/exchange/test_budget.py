"""The request budget of one process: how long each request waits, and that the exchange agrees with it."""

from __future__ import annotations

import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kalshi.exchange import Exchange, ExchangeConfig, budget
from kalshi.exchange.budget import LocalBudget
from tests.support.exchange_server import ExchangeServer


class HandClock:
    """A clock that moves only when a test moves it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(budget, "time", types.SimpleNamespace(monotonic=lambda: self.now))


def test_a_second_s_worth_leaves_at_once_and_the_rest_is_spaced(monkeypatch: pytest.MonkeyPatch) -> None:
    HandClock(monkeypatch)
    bucket = LocalBudget(4)
    assert [bucket.reserve() for _ in range(7)] == pytest.approx([0, 0, 0, 0, 0.25, 0.5, 0.75])


def test_idle_time_fills_the_bucket_no_further_than_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = HandClock(monkeypatch)
    bucket = LocalBudget(4)
    bucket.reserve()
    clock.now += 3600
    assert [bucket.reserve() for _ in range(5)] == pytest.approx([0, 0, 0, 0, 0.25])


def test_less_than_one_request_a_second_lets_the_first_one_leave_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    HandClock(monkeypatch)
    bucket = LocalBudget(0.1)
    assert [bucket.reserve() for _ in range(3)] == pytest.approx([0, 10, 20])


@given(
    rate=st.floats(0.2, 50),
    pauses=st.lists(st.floats(0, 3), max_size=60),
)
def test_no_stretch_of_time_sees_more_than_its_share_and_one_bucket(rate: float, pauses: list[float]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        clock = HandClock(monkeypatch)
        bucket = LocalBudget(rate)
        leaves = []
        for pause in pauses:
            clock.now += pause
            leaves.append(clock.now + bucket.reserve())
    depth = max(rate, 1)
    for first, start in enumerate(leaves):
        for last, end in enumerate(leaves[first:], first):
            assert last - first + 1 <= depth + rate * (end - start) + 1e-6


def test_sixty_requests_at_the_basic_rate_are_all_admitted() -> None:
    with ExchangeServer("--since=2026-09-01", "--requests-per-second=20", "--wide-markets=0") as server:
        with Exchange(ExchangeConfig(server.base_url)) as exchange:
            for _ in range(60):
                exchange.historical_cutoff()
        stats = server.stats()
    assert sum(stats["by_path"].values()) == exchange.traffic.requests == 60
    assert stats["refused"] == exchange.traffic.retries == 0
    assert exchange.traffic.throttled_seconds > 0


def test_a_client_over_the_rate_limit_is_refused_and_still_gets_its_responses() -> None:
    with ExchangeServer("--since=2026-09-01", "--requests-per-second=2", "--wide-markets=0") as server:
        with Exchange(ExchangeConfig(server.base_url, requests_per_second=10_000)) as exchange:
            answers = {exchange.historical_cutoff() for _ in range(8)}
        refused = server.stats()["refused"]
    assert len(answers) == 1
    assert refused == exchange.traffic.retries > 0
