"""The candle routes: their parameters, their limits, and the bodies of their answers.

As on the exchange, the limits for markets and batches count the periods requested, whether they have candles or
not; the limit for events counts only the periods in which they were open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any, NamedTuple

import msgspec

from sandbox import candle_json
from sandbox.candles import Candle
from sandbox.part import Listed
from sandbox.periods import PERIODS
from sandbox.queries import BadRequest, Query

MARKET_LIMIT = EVENT_LIMIT = 5_000
BATCH_LIMIT = 10_000
BATCH_TICKERS = 100


class _Window(NamedTuple):
    """From ``start`` to ``end``, both included, in unix seconds."""

    start: int
    end: int
    period: int

    @property
    def periods(self) -> float:
        return (self.end - self.start) / (self.period * 60)


def of_market(query: Query, market: Listed) -> dict[str, Any]:
    """A market of the live tier."""
    return {"ticker": market.ticker, "candlesticks": _live(query, market, _market_window(query))}


def of_archived_market(query: Query, market: Listed) -> dict[str, Any]:
    """A market of the historical tier."""
    candles = _candles(market, _market_window(query))
    return {"ticker": market.ticker, "candlesticks": candle_json.listed(map(candle_json.archived, candles))}


def of_batch(query: Query, find: Callable[[str], Listed | None]) -> dict[str, Any]:
    """The markets of a comma-separated list; those not in the live tier are left out."""
    window = _window(query)
    if not (tickers := query.text("market_tickers")):
        raise BadRequest("market_tickers is required")
    wanted = dict.fromkeys(tickers.split(","))
    if len(wanted) > BATCH_TICKERS:
        raise BadRequest(f"market_tickers must not be more than {BATCH_TICKERS}")
    if (asked := len(wanted) * ceil(window.periods)) > BATCH_LIMIT:
        raise _too_many(f"requested candlesticks across all markets: {asked}", BATCH_LIMIT)
    markets = [market for market in map(find, wanted) if market and market.in_live_tier]
    return {"markets": [{"market_ticker": m.ticker, "candlesticks": _live(query, m, window)} for m in markets]}


def of_event(query: Query, markets: Sequence[Listed]) -> dict[str, Any]:
    """The markets of an event in the live tier. An answer over the limit is cut; continue from ``adjusted_end_ts``."""
    window = _window(query)
    if markets:
        ends = max((_ends(market, window) for market in markets), key=len)
        most = max(2, EVENT_LIMIT // len(markets))  # one of them is where the previous page ended
        if len(ends) > most:
            window = window._replace(end=ends[most - 1])
    lists = [candle_json.listed(map(candle_json.live, _candles(market, window))) for market in markets]
    return {
        "market_tickers": [market.ticker for market in markets],
        "market_candlesticks": lists,
        "adjusted_end_ts": window.end,
    }


def _live(query: Query, market: Listed, window: _Window) -> msgspec.Raw:
    texts = map(candle_json.live, _candles(market, window))
    if query.flag("include_latest_before_start"):
        carried = market.carried(window.period, window.start)
        if carried and carried.end <= window.end:
            return candle_json.listed([candle_json.projected(carried), *texts])
    return candle_json.listed(texts)


def _candles(market: Listed, window: _Window) -> list[Candle]:
    return market.candles(window.period, _ends(market, window))


def _ends(market: Listed, window: _Window) -> Sequence[int]:
    return market.ends(window.period, window.start, window.end)


def _window(query: Query) -> _Window:
    start, end, period = query.second("start_ts"), query.second("end_ts"), query.number("period_interval")
    if period not in PERIODS:
        raise BadRequest(f"period_interval must be one of {', '.join(map(str, PERIODS))}")
    if start > end:
        raise BadRequest("start_ts must not be after end_ts")
    return _Window(start, end, period)


def _market_window(query: Query) -> _Window:
    window = _window(query)
    if window.periods > MARKET_LIMIT:
        raise _too_many(f"requested time range with candlesticks: {window.periods:.6f}", MARKET_LIMIT)
    return window


def _too_many(asked: str, most: int) -> BadRequest:
    return BadRequest("bad request", f"{asked}, max candlesticks: {most}")
