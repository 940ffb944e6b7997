"""What a DAG run asks once, before it syncs its series: where the historical tier ends, and which exchange answers."""

from __future__ import annotations

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.transport import Identity
from kalshi.records import HistoricalCutoff
from kalshi.sync.run import recorded_run
from kalshi.warehouse import exchanges
from kalshi.warehouse.ledger import PLAN, RunKey
from kalshi.warehouse.server import in_transaction


def find_cutoff(exchange: Exchange, engine: sa.Engine, job: str, dag_run_id: str | None = None) -> HistoricalCutoff:
    """``GET /historical/cutoff``, as a separate run in the ledger with the scope ``(plan)``.

    Records in ``kalshi_exchange`` which exchange answered.

    Raises:
        ForeignData: the warehouse is of another exchange.
    """
    with recorded_run(engine, RunKey(job, PLAN, dag_run_id), exchange.traffic) as run:
        cutoff = exchange.historical_cutoff()
        identity = exchange.identity()
        in_transaction(engine, exchanges.note, identity.name, run.run_id, is_synthetic=identity.is_synthetic)
        return cutoff


def accept(exchange: Exchange, engine: sa.Engine) -> Identity:
    """Accept data of this exchange, and portfolios that are read with its key, and return which exchange it is.

    Raises:
        RequestRefused: the key isn't valid.
        ForeignData: the exchange is synthetic and the warehouse isn't, or the other way round.
    """
    exchange.historical_cutoff()
    if exchange.key_id:
        exchange.account_limits()
    identity, key_id = exchange.identity(), exchange.key_id

    def work(connection: sa.Connection) -> None:
        exchanges.accept(connection, identity.name, is_synthetic=identity.is_synthetic)
        if key_id:
            exchanges.accept_key(connection, key_id)

    in_transaction(engine, work)
    return identity
