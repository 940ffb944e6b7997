"""Every job faces every fault of the exchange; a retry ends with the rows of an undisturbed run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeError, ExchangeUnavailable, RetryPolicy
from tests.resilience.account import Account, asked, assert_same, until
from tests.resilience.jobs import Job
from tests.support.exchange_server import ExchangeServer

FAULTS = {
    "http_429": "HTTP 429: too many requests",
    "http_500": "HTTP 500: internal_server_error",
    "http_502": "HTTP 502: Bad Gateway",
    "dropped_connection": "the connection broke",
    "truncated_json": "unusable JSON",
    "binary": "unusable JSON",
    "html": "unusable JSON",
    "missing_list": "unusable JSON",
    "redirect": "HTTP 307",
    "slow": "the response timed out",
}
PASSING = ["http_429", "http_500", "dropped_connection", "html", "missing_list"]
PATIENT = RetryPolicy(len(PASSING) + 1, 0.001, 0.01)
FOR_EVER = 10_000


def fault(kind: str, job: Job, **others: Any) -> dict[str, Any]:
    value = {"redirect": "http://127.0.0.1:1/", "slow": 3}.get(kind)
    return {"kind": kind, "path": job.path, "times": FOR_EVER, "value": value, **others}


def test_every_page_fails_once_in_every_way_and_the_run_gets_all_of_it(
    job: Job, account: Account, server: ExchangeServer, warehouse: sa.Engine, exchange: Exchange, reference: Any
) -> None:
    whole = reference(job, exchange, warehouse)
    server.faults(*(fault(kind, job, path=".*", once_per_url=True) for kind in PASSING))
    with account.client(server, retry=PATIENT) as patient:
        assert job.run(patient, warehouse).state in ("success", "warning")
        assert patient.traffic.retries >= patient.traffic.requests * len(PASSING) // (len(PASSING) + 1)
    assert_same(warehouse, whole)


def test_a_run_fails_of_every_lasting_fault_in_its_words_and_the_next_one_mends_it(
    job: Job, account: Account, server: ExchangeServer, warehouse: sa.Engine, exchange: Exchange, reference: Any
) -> None:
    whole = reference(job, exchange, warehouse)
    for kind, words in FAULTS.items():
        server.faults(fault(kind, job, skip=job.pages))
        with account.client(server, timeout=(1.0, 0.3)) as hurried, pytest.raises(ExchangeError) as error:
            job.run(hurried, warehouse)
        assert words in str(error.value), kind
    server.reset()
    job.run(exchange, warehouse)
    assert_same(warehouse, whole)


@pytest.mark.parametrize("job", ["catalog", "candles"], indirect=True)
def test_an_exchange_that_is_away_for_longer_than_a_run_waits_costs_that_run_only(
    job: Job, account: Account, warehouse: sa.Engine, exchange: Exchange, reference: Any
) -> None:
    whole = reference(job, exchange, warehouse)
    with ThreadPoolExecutor(1) as pool, ExitStack() as clients:
        with account.server() as there:
            client = clients.enter_context(account.client(there))
            there.faults(fault("slow", job, skip=job.pages, value=1))
            cut_off = pool.submit(job.run, client, warehouse, dag_run_id="manual")
            until(lambda: asked(there, job) > job.pages)
        for run in (cut_off, pool.submit(job.run, client, warehouse, dag_run_id="manual")):
            with pytest.raises(ExchangeUnavailable, match="the connection was refused"):
                run.result()
        with account.server():
            job.run(client, warehouse, dag_run_id="manual")
    assert_same(warehouse, whole)


@pytest.mark.parametrize("hours", [-12, 12])
@pytest.mark.parametrize("job", ["catalog", "settlements", "trades", "candles"], indirect=True)
def test_a_cutoff_that_moves_after_the_run_read_it_costs_nothing(
    job: Job, hours: int, server: ExchangeServer, warehouse: sa.Engine, exchange: Exchange, reference: Any
) -> None:
    whole = reference(job, exchange, warehouse)
    moved = {"kind": "moved_cutoff", "path": "/cutoff", "value": hours, "times": FOR_EVER}
    server.faults(moved)
    job.run(exchange, warehouse)
    server.reset()
    job.run(exchange, warehouse, **job.again)
    assert_same(warehouse, whole)
    server.faults(moved)
    job.run(exchange, warehouse, **job.again)
    assert_same(warehouse, whole)
