"""Where the live tier begins."""

from __future__ import annotations

from msgspec import Struct, field

from kalshi.records.types import Time


class HistoricalCutoff(Struct, frozen=True, kw_only=True):
    """Where the live tier begins. Markets settled and trades created earlier are in the historical tier only."""

    markets_settled: Time = field(name="market_settled_ts")
    trades_created: Time | None = field(name="trades_created_ts", default=None)
