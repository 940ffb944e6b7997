"""The pages of ``kalshi.ui`` without Airflow around them, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import FastAPI
from fastapi.testclient import TestClient


@contextmanager
def logged_in() -> Iterator[TestClient]:
    """The pages for a user who is logged in, under ``/kalshi``, over the warehouse of the environment."""
    from kalshi.ui.app import app  # sets up Airflow's logging, too

    (login,) = app.router.dependencies
    app.dependency_overrides[login.dependency] = lambda: None  # type: ignore[index]
    airflow = FastAPI()
    airflow.mount("/kalshi", app)
    try:
        yield TestClient(airflow, base_url="http://testserver/kalshi")
    finally:
        app.dependency_overrides.clear()
