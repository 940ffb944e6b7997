"""What a DAG run asks once, before it syncs its series: where the historical tier ends."""

from __future__ import annotations

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.records import HistoricalCutoff
from kalshi.sync.run import recorded_run
from kalshi.warehouse.ledger import PLAN, RunKey


def find_cutoff(exchange: Exchange, engine: sa.Engine, job: str, dag_run_id: str | None = None) -> HistoricalCutoff:
    """``GET /historical/cutoff``, as a separate run in the ledger with the scope ``(plan)``."""
    with recorded_run(engine, RunKey(job, PLAN, dag_run_id), exchange.traffic):
        return exchange.historical_cutoff()
