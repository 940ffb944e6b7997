"""Every job meets every fault of the exchange: a retry ends with the rows of a run that met none."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, ExchangeError, RetryPolicy
from tests.exchange_server import ExchangeServer
from tests.resilience.conftest import Account, assert_same
from tests.resilience.jobs import Job

FAULTS = {
    "http_429": "HTTP 429: too many requests",
    "http_500": "HTTP 500: internal_server_error",
    "http_502": "HTTP 502: Bad Gateway",
    "dropped_connection": "the connection broke",
    "truncated_json": "JSON that can't be used",
    "binary": "JSON that can't be used",
    "html": "JSON that can't be used",
    "missing_list": "JSON that can't be used",
    "redirect": "HTTP 307",
    "slow": "it took too long",
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
        assert job.run(patient, warehouse)["state"] in ("success", "warning")
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
