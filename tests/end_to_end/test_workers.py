"""Celery workers on Redis, as docker-compose.yaml runs them, against an exchange with a rate limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.bench.workers import BUCKET, measure
from scripts.private_server import PrivateServer


@pytest.mark.airflow
def test_the_tasks_of_two_celery_workers_share_one_request_budget(tmp_path: Path, mysql: PrivateServer) -> None:
    outcome = measure(tmp_path, mysql, workers=2, tasks=8, days=5)
    assert outcome.states == ("success",) * 8
    assert sum(outcome.tasks_of_workers) == 10, "the plan, eight chunks and the report"
    assert min(outcome.tasks_of_workers) >= 2
    assert outcome.busiest <= BUCKET
    assert outcome.refused == 0
    assert sum(outcome.requests.values()) > 300
    assert outcome.candles > 150_000
