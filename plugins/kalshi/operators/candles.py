"""The operators of ``kalshi_candles_daily`` and ``kalshi_candles_backfill``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from airflow.sdk import Param

from kalshi.exchange import Exchange
from kalshi.operators.common import day_range
from kalshi.operators.runs import PlanOperator, SeriesSyncOperator
from kalshi.reports.candles import CANDLES
from kalshi.settings import load_settings
from kalshi.sync.candles import SOURCES, CandlesRequest, sync_candles
from kalshi.sync.chunks import plan_chunks
from kalshi.sync.report import JobReport

SOURCES_IN_WORDS = {"api_event": "api_event: the exchange's own candles", "trades": "trades: built from public trades"}


def sources_param() -> Param:
    """The param ``sources``."""
    return Param(
        ["api_event"],
        type="array",
        items={"type": "string", "enum": list(SOURCES)},
        minItems=1,
        uniqueItems=True,
        examples=list(SOURCES),  # makes Airflow's form a picker
        values_display=SOURCES_IN_WORDS,
        title="Sources",
        description="Candles built from trades have no quotes; missing trades are read first.",
    )


def dense_param() -> Param:
    """The param ``dense``."""
    return Param(
        load_settings().candles.dense,
        type="boolean",
        title="Dense minutes",
        description="Build every minute of a market's life too. A later run can: it then reads nothing again.",
    )


class CandlesSyncOperator(SeriesSyncOperator):
    """Syncs the one-minute candles of one series in the data interval. ``dense``: as configured if None."""

    template_fields: Sequence[str] = ("planned", "sources", "dense", "force")
    report = CANDLES

    def __init__(self, *, sources: Any = ("api_event",), dense: Any = None, force: Any = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sources = sources
        self.dense = dense
        self.force = force

    def sync(self, exchange: Exchange, engine: sa.Engine, context: Any) -> list[JobReport]:
        about = self.about(context)
        if about["window_start"] == about["window_end"]:  # a run without a data interval: the last complete day
            day = about["asked_at"].replace(hour=0, minute=0, second=0, microsecond=0)
            about |= {"window_start": day - timedelta(days=1), "window_end": day}
        request = CandlesRequest(
            cutoff=self.cutoff,
            trades_cutoff=self.trades_cutoff,
            sources=tuple(self.sources),
            dense=load_settings().candles.dense if self.dense is None else self.dense,
            force=self.force,
            **about,
        )
        return [sync_candles(exchange, engine, request)]


class CandleChunksOperator(PlanOperator):
    """Plans one task per series and chunk of days, from ``date_from`` to ``date_to``.

    XCom: the plan's entry for the series, with the ``start`` and ``end`` of the chunk, ISO 8601.
    """

    template_fields: Sequence[str] = ("series", "date_from", "date_to", "chunk_days")

    def __init__(self, *, date_from: Any, date_to: Any, chunk_days: Any, **kwargs: Any) -> None:
        super().__init__(job=CANDLES.job, **kwargs)
        self.date_from = date_from
        self.date_to = date_to
        self.chunk_days = chunk_days

    def execute(self, context: Any) -> list[dict[str, Any]]:
        first, last = day_range(self.date_from, self.date_to, is_required=True)
        planned = {plan["scope"]: plan for plan in super().execute(context)}
        return [
            {**planned[chunk.series_ticker], "start": chunk.start.isoformat(), "end": chunk.end.isoformat()}
            for chunk in plan_chunks(list(planned), first, last, self.chunk_days)
        ]


class CandleChunkSyncOperator(CandlesSyncOperator):
    """Syncs the one-minute candles of one chunk."""

    def about(self, context: Any) -> dict[str, Any]:
        window = {f"window_{edge}": datetime.fromisoformat(self.planned[edge]) for edge in ("start", "end")}
        return super().about(context) | window
