"""Random histories. KALSHI_HISTORIES sets how many there are (20), KALSHI_HISTORIES_SEED which ones (1).

A failure prints the shortest history that hypothesis finds, as the code of a test for test_known.py.
"""

from __future__ import annotations

import os

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.histories.play import replay
from tests.histories.steps import HISTORIES, JOBS, Step
from tests.support.warehouses import forget

COUNT = int(os.environ.get("KALSHI_HISTORIES", "20"))
SEED = int(os.environ.get("KALSHI_HISTORIES_SEED", "1"))
PARTS = 4
"""Each may run in a process of its own. The first history of each is the simplest there is, so each plays several."""
MOST_JOBS = ("catalog", "settlements", "trades")
SOURCES = st.sampled_from([("api_event",), ("api_event",), ("api_event", "trades")])


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_the_warehouse_comes_to_equal_the_exchange_and_names_what_is_missing_until_then(
    shared_warehouse: sa.Engine, part: int
) -> None:
    _hunt(shared_warehouse, part, COUNT, PARTS, st.just(()))


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS // 2))
def test_the_same_holds_when_scheduled_runs_read_the_whole_exchange(shared_warehouse: sa.Engine, part: int) -> None:
    try:
        _hunt(shared_warehouse, part, COUNT // 4, PARTS // 2, st.sampled_from([MOST_JOBS, tuple(JOBS)]))
    finally:
        forget(shared_warehouse)  # what was read of everything would count for the series of other histories


def _hunt(
    engine: sa.Engine, part: int, count: int, parts: int, of_everything: st.SearchStrategy[tuple[str, ...]]
) -> None:
    @seed(SEED * PARTS + part)
    @settings(
        max_examples=-(-count // parts),
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(steps=HISTORIES, sources=SOURCES, of_everything=of_everything)
    def hunt(steps: list[Step], sources: tuple[str, ...], of_everything: tuple[str, ...]) -> None:
        replay(engine, *steps, sources=sources, of_everything=of_everything)

    hunt()
