"""What a quality run checks: one series in a window of UTC days, and the markets open in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from kalshi.settings import QualitySettings
from kalshi.warehouse import catalog
from kalshi.warehouse.ledger import STALE_MINUTES


@dataclass(frozen=True)
class Scope:
    """``start``: of the window, which is whole UTC days; ``until``: its end, or the time of the run if that is earlier;
    both aware UTC. ``markets`` and ``events``: the tickers of those open at any time in it."""

    run_id: int
    series_ticker: str
    start: datetime
    until: datetime
    markets: list[str]
    events: list[str]

    def values(self, rules: QualitySettings) -> dict[str, Any]:
        """The parameters available to the SQL of data quality."""
        return {
            "run_id": self.run_id,
            "series": self.series_ticker,
            # "." is the character after "-": every ticker of the series lies between the two.
            "prefix": f"{self.series_ticker}-",
            "prefix_end": f"{self.series_ticker}.",
            "start": self.start,
            "end": self.until,
            "now": datetime.now(UTC),
            "markets": self.markets,
            "events": self.events,
            "quote_minutes": rules.quote_minutes,
            "gap_minutes": rules.gap_minutes,
            "stale_minutes": STALE_MINUTES,
            "open_minutes": rules.open_minutes,
            "max_spread": rules.max_spread,
            "strike_step": rules.strike_step,
        }


def find_scope(
    connection: sa.Connection, run_id: int, series_ticker: str, start: datetime, end: datetime, asked_at: datetime
) -> Scope:
    """The scope of one run; times are aware UTC."""
    until = max(start, min(end, asked_at.replace(second=0, microsecond=0)))
    lives = catalog.lives_of_markets(connection, series_ticker, start, until)
    return Scope(
        run_id,
        series_ticker,
        start,
        until,
        markets=sorted(ticker for ticker, *_ in lives),
        events=sorted({event for _, event, *_ in lives}),
    )
