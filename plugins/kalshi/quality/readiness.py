"""Whether a backtest would find prices: a small one over the latest settled events of a series.

In every market and at every decision it buys one YES at the ask, and one at the bid if a seeded random draw
says that a resting order fills; both are held to settlement. Not a strategy: a proof that trades are possible.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from kalshi.quality.fees import fee
from kalshi.quality.scope import Scope
from kalshi.settings import QualitySettings
from kalshi.warehouse import sql

ALWAYS = {"start": datetime(1970, 1, 1, tzinfo=UTC), "end": datetime(9999, 1, 1, tzinfo=UTC)}


@dataclass(frozen=True)
class Fees:
    """How the trades of an event are charged."""

    fee_type: str | None
    multiplier: Decimal | None


@dataclass
class Ready:
    """The result of one decision time in one series; the columns of ``kalshi_readiness``."""

    series_ticker: str
    decision: str
    first_event_date: date | None = None
    last_event_date: date | None = None
    events: int = 0
    markets: int = 0
    settled_markets: int = 0
    quoted_markets: int = 0
    fillable_markets: int = 0
    maker_trades: int = 0
    maker_pnl: Decimal = Decimal(0)
    maker_fees: Decimal = Decimal(0)
    taker_trades: int = 0
    taker_pnl: Decimal = Decimal(0)
    taker_fees: Decimal = Decimal(0)
    reason: str | None = None

    @property
    def trades(self) -> int:
        return self.maker_trades + self.taker_trades


def fills(rules: QualitySettings, market_ticker: str, decision: str) -> bool:
    """Whether a maker's order at the bid fills: the same for the same seed, market and decision."""
    dice = random.Random(f"{rules.readiness.seed}/{market_ticker}/{decision}")
    return dice.random() < rules.readiness.maker_fill_probability


def try_backtest(connection: sa.Connection, scope: Scope, rules: QualitySettings) -> list[Ready]:
    """One result for each decision time, over the latest settled events that closed by the end of the window."""
    values = {**scope.values(rules), "limit": rules.readiness.events}
    rows = sql.run_file(connection, "quality", "readiness_events", **values).mappings()
    events = {row["event_ticker"]: row for row in rows}
    if not events:
        return []
    dates = [row["event_date"] for row in events.values() if row["event_date"]]
    fees = {
        ticker: Fees(row["fee_type"], None if row["fee_multiplier"] is None else Decimal(row["fee_multiplier"]))
        for ticker, row in events.items()
    }
    by_decision: dict[str, list[Any]] = defaultdict(list)
    for row in _quotes(connection, scope, rules, sorted(events)):
        by_decision[row["decision"]].append(row)
    start = Ready(scope.series_ticker, "", min(dates, default=None), max(dates, default=None))
    return [
        _try_decision(replace(start, decision=decision), rows, fees, rules)
        for decision, rows in sorted(by_decision.items())
    ]


def _quotes(connection: sa.Connection, scope: Scope, rules: QualitySettings, events: list[str]) -> list[Any]:
    """The quotes at all decisions on these events, inside the window or not."""
    quotes = sql.read("quality", "decision_quotes").text
    statement = sql.read("quality", "readiness_quotes").text.replace("{quotes}", quotes)
    values = {**scope.values(rules), "events": events, **ALWAYS}
    return list(sql.run(connection, statement, **values).mappings())


def _try_decision(result: Ready, rows: list[Any], fees: dict[str, Fees], rules: QualitySettings) -> Ready:
    result.events = len({row["event_ticker"] for row in rows})
    result.markets = len(rows)
    unknown: set[str] = set()
    for row in rows:
        result.settled_markets += row["payout"] is not None
        result.quoted_markets += row["quote_known"]
        if not (row["quote_known"] and row["yes_bid"] > 0 and row["yes_ask"] < 1 and row["spread"] <= rules.max_spread):
            continue
        result.fillable_markets += 1
        if row["payout"] is not None:
            unknown |= _trade(result, row, fees[row["event_ticker"]], rules)
    result.reason = _why_not(result, rows) or (
        f"before fees: the formula of fee type {', '.join(sorted(unknown))} is unknown" if unknown else None
    )
    return result


def _trade(result: Ready, row: Any, fees: Fees, rules: QualitySettings) -> set[str]:
    """Buy as a taker, and as a maker if the random draw says so; return the fee type if its formula is unknown."""
    payout = Decimal(row["payout"])
    taker = fee(fees.fee_type, fees.multiplier, row["yes_ask"], is_maker=False)
    result.taker_trades += 1
    result.taker_fees += taker or 0
    result.taker_pnl += payout - row["yes_ask"] - (taker or 0)
    if fills(rules, row["market_ticker"], row["decision"]):
        maker = fee(fees.fee_type, fees.multiplier, row["yes_bid"], is_maker=True)
        result.maker_trades += 1
        result.maker_fees += maker or 0
        result.maker_pnl += payout - row["yes_bid"] - (maker or 0)
    return {str(fees.fee_type)} if taker is None else set()


def _why_not(result: Ready, rows: list[Any]) -> str | None:
    """Why there are no trades at all; None if there are."""
    if result.trades:
        return None
    if not any(row["has_candles"] for row in rows):
        return "no candles"
    if not result.quoted_markets:
        return "no quotes"
    if not result.settled_markets:
        return "no settlements"
    return "no fillable spread" if not result.fillable_markets else "no settlements where there are quotes"
