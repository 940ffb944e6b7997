"""A clock that is ahead of the exchange's: data that the exchange doesn't have yet is not recorded as read."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from kalshi.exchange import Exchange, RequestRefused
from kalshi.sync.report import WindowReport
from scripts.content import content
from tests.resilience.account import Account, assert_same, small
from tests.resilience.jobs import JOBS, Job
from tests.support.exchange_server import ExchangeServer
from tests.support.warehouses import forget

AHEAD = timedelta(hours=3)


@pytest.mark.parametrize("job", ["trades", "candles"], indirect=True)
def test_a_clock_that_is_ahead_makes_no_window_complete_that_the_exchange_is_still_in(
    job: Job, account: Account, warehouse: sa.Engine
) -> None:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    day = {"window_start": now - timedelta(days=1), "window_end": now, "asked_at": now}

    def clock(moment: datetime) -> tuple[str, ...]:
        return f"--clock={moment.isoformat()}", "--speed=1", f"--since={(now - timedelta(days=4)).date()}"

    with account.server(*clock(now - AHEAD)) as behind, account.client(behind) as exchange:
        report = job.run(exchange, warehouse, **day)
        assert isinstance(report, WindowReport) and report.to_utc
        assert report.state == "warning"
        assert "The exchange's clock says" in report.warnings[0]
        assert timedelta(0) <= now - AHEAD + timedelta(minutes=2) - report.to_utc <= timedelta(minutes=2)
        first = content(warehouse, job.table)
    with account.server(*clock(now)) as right, account.client(right) as exchange:
        left = job.run(exchange, warehouse, **day).warnings
        assert all(
            f"{now:%H:%M} UTC (read so soon" in warning and f" {now - AHEAD:%H:}" not in warning for warning in left
        )
        mended = content(warehouse, job.table)
        forget(warehouse)
        job.run(exchange, warehouse, **day)
        assert mended == content(warehouse, job.table)
    assert mended[0] > first[0] > 0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_signature_of_a_wrong_clock_is_refused_in_words_and_mended_by_the_clock(
    hours: int,
    account: Account,
    server: ExchangeServer,
    warehouse: sa.Engine,
    exchange: Exchange,
    reference: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job = small(JOBS["portfolio"], monkeypatch)
    whole = reference(job, exchange, warehouse)
    with monkeypatch.context() as wrong, account.client(server) as client:
        wrong.setattr("kalshi.exchange.signing.time.time_ns", lambda: int((time.time() + hours * 3600) * 1e9))
        with pytest.raises(RequestRefused, match=r"401.*This machine's clock is wrong: set it"):
            job.run(client, warehouse)
        assert client.traffic.retries == 0
    job.run(exchange, warehouse)
    assert_same(warehouse, whole)
