"""Every job is killed, and runs twice at once: the result is that of a single undisturbed run."""

from __future__ import annotations

import random
import signal
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from time import monotonic
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.warehouse.server import open_engine
from scripts.address import address_of
from tests.resilience.account import Account, assert_same
from tests.resilience.jobs import CUTOFF, Job
from tests.support.exchange_server import ExchangeServer
from tests.support.warehouses import forget

KILLS = 5
SEED = 4
FORK = get_context("fork")


def start(job: Job, account: Account, server: ExchangeServer, database: str, **about: Any) -> BaseProcess:
    """The job in a process forked from this one, which has imported everything; it opens its own connections."""

    def work() -> None:
        with account.client(server) as exchange:
            job.run(exchange, open_engine(address_of(database), loads=True), **about)

    process = FORK.Process(target=work)
    process.start()
    return process


def test_a_worker_that_is_killed_again_and_again_leaves_the_rows_of_one_that_is_not(
    job: Job,
    account: Account,
    server: ExchangeServer,
    exchange: Exchange,
    warehouse: sa.Engine,
    warehouse_uri: str,
    reference: Any,
) -> None:
    whole = reference(job, exchange, warehouse)
    began = monotonic()
    start(job, account, server, warehouse_uri).join()
    whole_time, dice = monotonic() - began, random.Random(SEED)
    forget(warehouse)
    for _ in range(KILLS):
        process = start(job, account, server, warehouse_uri, dag_run_id="manual")
        process.join(dice.uniform(0, whole_time))
        process.kill()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL), "it ended with an error of its own"
    job.run(exchange, warehouse, dag_run_id="manual")
    assert_same(warehouse, whole)


def test_the_same_job_three_times_at_once_leaves_the_rows_of_one(
    job: Job,
    account: Account,
    server: ExchangeServer,
    exchange: Exchange,
    warehouse: sa.Engine,
    warehouse_uri: str,
    reference: Any,
) -> None:
    """Two tries of one DAG run, as after a scheduler that was taken for dead, and another run."""
    whole = reference(job, exchange, warehouse)
    processes = [start(job, account, server, warehouse_uri, dag_run_id=run) for run in ("manual", "manual", "another")]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert_same(warehouse, whole)


@pytest.mark.parametrize("job", ["trades", "candles"], indirect=True)
def test_two_backfills_whose_days_overlap_leave_the_rows_of_one(
    job: Job,
    account: Account,
    server: ExchangeServer,
    exchange: Exchange,
    warehouse: sa.Engine,
    warehouse_uri: str,
    reference: Any,
) -> None:
    whole = reference(job, exchange, warehouse)
    parts = {"window_end": CUTOFF + timedelta(hours=6)}, {"window_start": CUTOFF - timedelta(hours=6)}
    processes = [start(job, account, server, warehouse_uri, dag_run_id=str(part), **part) for part in parts]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert_same(warehouse, whole)
