"""Decision times: the configured local times in each event's city, converted to UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from kalshi.settings import DecisionTime, load_settings
from kalshi.sync.run import SyncRun
from kalshi.warehouse import catalog
from kalshi.warehouse.catalog import DECISION_TIME
from kalshi.warehouse.checkpoints import EVERYTHING
from kalshi.warehouse.server import in_transaction
from kalshi.warehouse.writer import WriteCounts, upsert


def decided_at(day: date, decision: DecisionTime, zone: ZoneInfo) -> datetime:
    """When to decide on the event of ``day``, in UTC.

    A local time that a clock change skips counts as if the clocks had not changed yet; of one that
    occurs twice, the first counts.
    """
    return datetime.combine(day + timedelta(days=decision.day), decision.time, zone).astimezone(UTC)


def write_decision_times(run: SyncRun) -> None:
    """Bring ``kalshi_decision_time`` up to date for the events of the run's series, where they are configured."""
    for series_ticker in load_settings().series_tickers if run.scope == EVERYTHING else [run.scope]:
        _write(run, series_ticker)


def _write(run: SyncRun, series_ticker: str) -> None:
    settings = load_settings()
    zone = settings.time_zone(series_ticker)
    if zone is None:
        return

    def work(connection: sa.Connection) -> WriteCounts:
        rows = [
            (ticker, decision.name, decided_at(day, decision, zone))
            for ticker, day in catalog.dates_of_events(connection, series_ticker)
            for decision in settings.decision_times
        ]
        return upsert(connection, DECISION_TIME, rows, run_id=run.run_id)

    in_transaction(run.engine, work)
