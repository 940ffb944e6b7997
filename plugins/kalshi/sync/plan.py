"""What a DAG run asks once, before it syncs its series: where the historical tier ends, and which exchange answers."""

from __future__ import annotations

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.records import HistoricalCutoff
from kalshi.sync.run import recorded_run
from kalshi.warehouse import exchanges
from kalshi.warehouse.ledger import PLAN, RunKey
from kalshi.warehouse.server import in_transaction


def find_cutoff(exchange: Exchange, engine: sa.Engine, job: str, dag_run_id: str | None = None) -> HistoricalCutoff:
    """``GET /historical/cutoff``, as a separate run in the ledger with the scope ``(plan)``.

    Records in ``kalshi_exchange`` which exchange answered.
    """
    with recorded_run(engine, RunKey(job, PLAN, dag_run_id), exchange.traffic) as run:
        cutoff = exchange.historical_cutoff()
        identity = exchange.identity()
        in_transaction(
            engine, lambda c: exchanges.note(c, identity.name, run.run_id, is_synthetic=identity.is_synthetic)
        )
        return cutoff
