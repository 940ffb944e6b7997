"""The size of the synthetic exchange: as asked for, skewed, and never held in memory."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from sandbox import process
from sandbox.synthetic.calendar import Rows, lives, markets_of
from sandbox.synthetic.flow import flow
from sandbox.synthetic.kinds import DAY, KINDS
from sandbox.synthetic.plan import SECOND, Plan, Size, make_plan
from sandbox.synthetic.tape import tradable
from sandbox.synthetic.tickers import Tickers
from sandbox.tape import micros

SINCE = date(2025, 6, 1)
NOW = micros(datetime(2026, 9, 22, 11, 25, tzinfo=UTC))
LIMIT = 300_000_000
"""Bytes of memory."""


@dataclass(frozen=True)
class Server:
    process: psutil.Process
    url: str

    def pages(self, path: str, number: int, **params: Any) -> Iterator[list[dict[str, Any]]]:
        """The first so many pages of a list."""
        name, cursor = path.rpartition("/")[2], ""
        for _ in range(number):
            answer = requests.get(self.url + path, {**params, "limit": 1000, "cursor": cursor}, timeout=30)
            answer.raise_for_status()
            yield answer.json()[name]
            if not (cursor := answer.json()["cursor"]):
                return


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As many open markets as the real exchange has without its combos, and a million trades a day."""
    size = ("--series=1000", "--open-markets=100000", "--trades-a-day=1000000")
    log, clock = tmp_path_factory.mktemp("sandbox") / "log", "--clock=2026-09-22T11:25:00+00:00"
    running, url = process.start(log, clock, *size, f"--since={SINCE}", "--requests-per-second=0")
    yield Server(psutil.Process(running.pid), url)
    running.terminate()
    running.wait(10)


@pytest.mark.exchange
def test_a_hundred_thousand_trades_are_read_without_being_held(large: Server) -> None:
    trades = [(t["created_time"], t["trade_id"], t["ticker"]) for p in large.pages("/markets/trades", 100) for t in p]
    assert len({trade[1] for trade in trades}) == len(trades) == 100_000
    seconds = [datetime.fromisoformat(trade[0]) for trade in trades]
    assert seconds == sorted(seconds, reverse=True)
    assert 1.5 < (seconds[0] - seconds[-1]).total_seconds() / 3600 < 4, "a tenth of a day's"
    assert large.process.memory_info().rss < LIMIT


@pytest.mark.exchange
def test_the_open_markets_are_as_many_as_asked_for_and_none_is_held(large: Server) -> None:
    pages = large.pages("/markets", 200, status="open")
    tickers = [market["ticker"] for page in pages for market in page]
    assert len(set(tickers)) == len(tickers)
    assert 97_000 < len(tickers) < 107_000, "with the weather's"
    assert large.process.memory_info().rss < LIMIT


def plan_of(series: int = 200, open_markets: int = 20_000, trades: int = 200_000, seed: int = 1) -> Plan:
    return make_plan(Size(series, open_markets, trades), seed, SINCE)


@given(
    series=st.integers(9, 400),
    each=st.integers(10, 200),
    seed=st.integers(0, 2**40),
)
def test_a_plan_has_the_open_markets_and_the_trades_that_were_asked_for(series: int, each: int, seed: int) -> None:
    plan = plan_of(series, series * each, series * each * 10, seed)
    assert plan.open_markets() == pytest.approx(series * each, rel=0.15)
    a_day = plan.trades * plan.markets * DAY * SECOND / plan.period
    assert a_day.sum() == pytest.approx(series * each * 10)


def test_the_trades_of_a_day_are_as_many_as_asked_for_and_few_series_have_most() -> None:
    plan = plan_of()
    rows = tradable(plan, NOW - DAY * SECOND, NOW)
    flows = flow(plan, rows, lives(plan, rows))
    made = flows.count(NOW - 1) - flows.count(NOW - DAY * SECOND - 1)
    assert 150_000 < made.sum() < 270_000
    by_series = np.sort(np.bincount(rows.series, made, len(plan.series)))[::-1]
    assert by_series[:20].sum() > 0.6 * made.sum(), "a tenth of the series"


SOME = tradable(plan_of(), NOW - DAY * SECOND, NOW)


@given(place=st.integers(0, len(SOME) - 1), share=st.floats(-0.1, 1.2))
def test_the_trades_until_any_moment_are_counted_without_making_them(place: int, share: float) -> None:
    plan = plan_of()
    rows = SOME.take(np.array([place]))
    flows = flow(plan, rows, lives(plan, rows))
    times = flows.times(np.arange(int(flows.trades[0])))
    assert (np.diff(times) >= 0).all()
    [opens], [closes] = flows.lives.opens, flows.lives.closes
    moments = [int(opens + share * (closes - opens)), *times[:50].tolist(), *(times[:50] - 1).tolist()]
    for moment in moments:
        count = int(flows.count(moment)[0])
        assert count == (times <= moment).sum()
        assert flows.volume(np.array([count]))[0] == flows.sizes(np.arange(count)).sum()
    assert (flows.sizes(np.arange(200)) >= flows.unit).all()


def test_a_market_trades_only_while_it_is_open() -> None:
    plan = plan_of()
    alive = lives(plan, SOME)
    stopped = np.flatnonzero(alive.stops < alive.resumes)
    assert len(stopped) > 10
    for place in stopped[:50]:
        rows = SOME.take(np.array([place]))
        flows = flow(plan, rows, lives(plan, rows))
        times = flows.times(np.arange(int(flows.trades[0])))
        within = (times < flows.lives.stops) | (times >= flows.lives.resumes)
        assert within.all()
        assert ((times >= flows.lives.opens) & (times < flows.lives.closes)).all()


def test_every_ticker_leads_back_to_its_market() -> None:
    plan = plan_of(18, 2000)
    tickers = Tickers(plan)
    events = Rows(np.arange(18), np.arange(18) * 7, np.zeros(18, np.int64))
    seen: Counter[str] = Counter()
    for place in markets_of(plan, events).places():
        ticker = tickers.market(*place)
        assert tickers.market_place(ticker) == place
        event = tickers.event_place(tickers.event(place.series, place.event))
        assert event is not None
        assert event[:2] == place[:2]
        seen[ticker] += 1
    assert set(seen.values()) == {1}
    assert len(seen) > len(KINDS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--series=-1"], "--series must be from 1 to 20,000, not -1"),
        (["--series=30000"], "--series must be from 1 to 20,000, not 30,000"),
        (["--series=100", "--open-markets=99"], "--open-markets must be from 100 (one for each series) to 1,000,000"),
        (["--series=1", "--trades-a-day=-5"], "--trades-a-day must be from 0 to 50,000,000, not -5"),
        (["--series=some"], "invalid int value: 'some'"),
        (["--open-markets=9"], "--open-markets and --trades-a-day need --series"),
    ],
)
@pytest.mark.slow
def test_a_size_that_makes_no_sense_is_refused_with_its_bounds(options: list[str], message: str) -> None:
    command = [sys.executable, "-m", "sandbox", "--port=0", *options]
    refused = subprocess.run(command, cwd=Path(process.PROJECT), capture_output=True, text=True, timeout=60)
    assert refused.returncode == 2
    assert message in refused.stderr
