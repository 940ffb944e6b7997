"""Where the historical tier ends, and which exchange answers: what a DAG run asks once, before it syncs its series."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from kalshi.exchange import Exchange
from kalshi.exchange.transport import Identity
from kalshi.records import HistoricalCutoff
from kalshi.sync.run import JobRequest, SyncRun, recorded_run
from kalshi.warehouse import exchanges, ledger
from kalshi.warehouse.ledger import PLAN, RunKey
from kalshi.warehouse.server import in_transaction

Planned = TypeVar("Planned", bound=JobRequest)
PLAN_LIFE = timedelta(hours=1)
"""How long the cutoffs of a plan are taken as they are."""


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


def with_current_cutoff(exchange: Exchange, run: SyncRun, request: Planned) -> Planned:
    """The request, with the exchange's cutoffs of now if those of its plan may be outdated: on a retry, for which the
    plan isn't made again, and where the run had to wait.

    By an old cutoff a market or a trade that has been archived since is in neither tier. ``GET /historical/cutoff``.
    """
    is_old = request.planned_at is not None and datetime.now(UTC) - request.planned_at > PLAN_LIFE
    if not is_old and not in_transaction(run.engine, ledger.is_retry, run.run_id):
        return request
    found = exchange.historical_cutoff()
    cutoffs: dict[str, Any] = {"cutoff": found.markets_settled, "trades_cutoff": found.trades_created}
    return replace(request, **{name: value for name, value in cutoffs.items() if hasattr(request, name)})


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
