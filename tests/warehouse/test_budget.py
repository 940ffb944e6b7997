"""The shared budget: one bucket for all workers."""

from __future__ import annotations

import subprocess
import sys

import pytest
import sqlalchemy as sa

from kalshi.settings import PROJECT
from kalshi.warehouse.budget import NOW_US, SharedBudget

RESERVE = """
import sys
sys.path.insert(0, "plugins")
from kalshi.warehouse.budget import SharedBudget
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
budget = SharedBudget(open_engine(address_of(sys.argv[1])), "exchange/key", 0.001)
for _ in range(25):
    print(budget.reserve())
"""


HOUR_US = 3_600_000_000
INTERVAL_US = 1_000_000_000
"""So long that a slow machine doesn't matter."""


def next_free_us(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT next_free_us FROM kalshi_request_budget").scalar_one())


def set_next_free(engine: sa.Engine, from_now_us: int) -> int:
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE kalshi_request_budget SET next_free_us = {NOW_US} + {from_now_us}")
    return next_free_us(engine)


def test_every_reservation_of_every_worker_has_a_slot_of_its_own(
    warehouse_on_both: sa.Engine, warehouse_uri_on_both: str
) -> None:
    SharedBudget(warehouse_on_both, "exchange/key", 0.001)
    began = set_next_free(warehouse_on_both, HOUR_US)
    command = [sys.executable, "-c", RESERVE, warehouse_uri_on_both]
    workers = [subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    waits = [float(wait) for worker in workers for wait in worker.communicate(timeout=60)[0].split()]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert next_free_us(warehouse_on_both) - began == 75 * INTERVAL_US
    assert sorted(round((wait - 3600) / 1000) for wait in waits) == list(range(75))


@pytest.mark.parametrize("requests_per_second", [0.001, 20.0])
def test_an_idle_bucket_lets_the_first_request_through(
    warehouse_on_both: sa.Engine, requests_per_second: float
) -> None:
    budget = SharedBudget(warehouse_on_both, "exchange/key", requests_per_second)
    set_next_free(warehouse_on_both, -HOUR_US)
    assert budget.reserve() == 0


def test_an_idle_bucket_saves_up_no_more_than_a_second(warehouse_on_both: sa.Engine) -> None:
    budget = SharedBudget(warehouse_on_both, "exchange/key", 20)
    idle_since = set_next_free(warehouse_on_both, -HOUR_US)
    budget.reserve()
    assert next_free_us(warehouse_on_both) >= idle_since + HOUR_US - 1_000_000


def test_a_clock_that_was_set_back_holds_nobody_up_for_long(warehouse_on_both: sa.Engine) -> None:
    budget = SharedBudget(warehouse_on_both, "exchange/key", 20)
    set_next_free(warehouse_on_both, HOUR_US)
    assert budget.reserve() <= 60


def test_making_a_bucket_again_keeps_what_is_taken(warehouse_on_both: sa.Engine) -> None:
    SharedBudget(warehouse_on_both, "exchange/key", 0.001).reserve()
    taken = next_free_us(warehouse_on_both)
    SharedBudget(warehouse_on_both, "exchange/key", 0.001)
    assert next_free_us(warehouse_on_both) == taken


def test_buckets_of_other_keys_are_their_own(warehouse_on_both: sa.Engine) -> None:
    SharedBudget(warehouse_on_both, "exchange/a", 0.001).reserve()
    assert SharedBudget(warehouse_on_both, "exchange/a", 0.001).reserve() > 0
    assert SharedBudget(warehouse_on_both, "exchange/b", 1000).reserve() == 0
