"""Faults that can be switched on: over HTTP with ``PUT /sandbox/faults``, or from Python.

A fault is ``{"kind": …, "path": regular expression, "skip": n, "times": n, "value": …}``: it hits
requests whose path matches, ``times`` times, after skipping the first ``skip``.
"""

from __future__ import annotations

import re
import threading
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import msgspec

from sandbox.queries import cursor_at
from sandbox.wire import stamp

Kind = Literal[
    "http_400",
    "http_403",
    "http_404",
    "http_429",
    "http_500",
    "http_502",
    "dropped_connection",
    "truncated_json",
    "binary",
    "html",
    "missing_list",
    "redirect",
    "repeated_cursor",
    "slow",
    "malformed_market",
    "malformed_position",
    "malformed_trade",
    "lost_position",
    "foreign_fill",
    "integer_cents",
    "integer_cents_candle",
    "adjusted_end",
    "moved_cutoff",
    "set_market",
    "lost_trades",
    "lost_candles",
]
KINDS: tuple[str, ...] = get_args(Kind)


class Fault(msgspec.Struct, kw_only=True):
    """``value``: seconds for slow; the Retry-After header of http_429; the address for redirect; for adjusted_end the
    unix second where an answer of event candles is cut; hours for moved_cutoff; the subaccount that foreign_fill names;
    for set_market ``{"ticker": …, field: value}``, where the value "(missing)" removes the field, and another
    ``volume_fp`` disagrees with the trades; a list of trade ids for lost_trades; ``{"ticker": …, "ends": [unix
    seconds]}`` for lost_candles.

    ``once_per_url``: hits each URL, query included, once. A request meets only one of several such faults, so
    each URL fails once with each of them.
    """

    kind: Kind
    path: str = ".*"
    skip: int = 0
    times: int = 1
    value: Any = None
    once_per_url: bool = False


class Faults:
    """The active faults."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._struck_urls: set[tuple[int, str]] = set()

    def set(self, faults: list[Fault]) -> None:
        with self._lock:
            self._faults = list(faults)
            self._struck_urls.clear()

    def strike(self, path: str, query: str = "") -> list[Fault]:
        """The faults that hit this request."""
        struck: list[Fault] = []
        with self._lock:
            for number, fault in enumerate(self._faults):
                if not re.search(fault.path, path) or fault.times <= 0:
                    continue
                if fault.once_per_url:
                    if any(other.once_per_url for other in struck) or (number, path + query) in self._struck_urls:
                        continue
                    self._struck_urls.add((number, path + query))
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                struck.append(fault)
        return struck


def distort(body: dict[str, Any], faults: list[Fault], cursor: str | None) -> dict[str, Any]:
    """The body of a list answer, distorted by the faults."""
    for fault in faults:
        markets = [] if _candle_lists(body) else body.get("markets") or []
        if fault.kind == "missing_list":
            body = {}
        elif fault.kind == "repeated_cursor" and "cursor" in body:
            body["cursor"] = cursor or body["cursor"] or cursor_at(0)
        elif fault.kind == "malformed_market" and markets:
            markets[0] = {**markets[0], "close_time": "soon"}
        elif fault.kind == "malformed_position" and body.get("market_positions"):
            body["market_positions"][0]["position_fp"] = "many"
        elif fault.kind == "malformed_trade" and body.get("trades"):
            body["trades"][0] = {**body["trades"][0], "count_fp": "many"}
        elif fault.kind == "lost_position" and body.get("market_positions"):
            del body["market_positions"][0]
        elif fault.kind == "foreign_fill" and body.get("fills"):
            body["fills"][0]["subaccount_number"] = fault.value
        elif fault.kind == "integer_cents" and markets:
            old = {**markets[0], "yes_bid": 56, "yes_ask": 58, "last_price": 57}
            for name in ("yes_bid_dollars", "yes_ask_dollars", "last_price_dollars"):
                old.pop(name)
            markets[0] = old
        elif fault.kind == "integer_cents_candle":
            for holder, key in _candle_lists(body):
                if candles := msgspec.json.decode(holder[key]):
                    holder[key] = msgspec.Raw(msgspec.json.encode([_in_cents(candles[0]), *candles[1:]]))
                    break
        elif fault.kind == "adjusted_end" and "adjusted_end_ts" in body:
            body = _cut_at(int(fault.value), body)
        elif fault.kind == "moved_cutoff" and "market_settled_ts" in body:
            moved = timedelta(hours=float(fault.value))
            body = {name: stamp(datetime.fromisoformat(at) + moved) for name, at in body.items()}
        elif fault.kind == "set_market":
            for number, market in enumerate(markets):
                if market["ticker"] == fault.value["ticker"]:
                    changed = {**market, **fault.value}
                    markets[number] = {n: v for n, v in changed.items() if v != "(missing)"}
        elif fault.kind == "lost_trades" and "trades" in body:
            body["trades"] = [trade for trade in body["trades"] if trade["trade_id"] not in fault.value]
        elif fault.kind == "lost_candles":
            _lose_candles(body, fault.value)
    return body


def _lose_candles(body: dict[str, Any], lost: dict[str, Any]) -> None:
    """Leave these candles of one market out of an answer."""
    for number, (holder, key) in enumerate(_candle_lists(body)):
        ticker = body["market_tickers"][number] if holder is body.get("market_candlesticks") else _ticker_of(holder)
        if ticker == lost["ticker"]:
            left = [c for c in msgspec.json.decode(holder[key]) if c["end_period_ts"] not in lost["ends"]]
            holder[key] = msgspec.Raw(msgspec.json.encode(left))


def _ticker_of(holder: dict[str, Any]) -> str:
    return str(holder.get("market_ticker") or holder.get("ticker"))


def _candle_lists(body: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Where the candle lists are: their containers and the key in each."""
    by_market = [body, *(body.get("markets") or [])]
    by_event = body.get("market_candlesticks", [])
    return [(of, "candlesticks") for of in by_market if "candlesticks" in of] + [
        (by_event, n) for n in range(len(by_event))
    ]


def _cut_at(end: int, body: dict[str, Any]) -> dict[str, Any]:
    """An event's candles up to ``end``, marked as cut there unless cut earlier."""
    end = min(end, body["adjusted_end_ts"])
    for holder, key in _candle_lists(body):
        some = [candle for candle in msgspec.json.decode(holder[key]) if candle["end_period_ts"] <= end]
        holder[key] = msgspec.Raw(msgspec.json.encode(some))
    return {**body, "adjusted_end_ts": end}


def _in_cents(candle: dict[str, Any]) -> dict[str, Any]:
    """A candle in the format used until March 2026: whole cents and contracts, names without suffixes."""
    old = {name.removesuffix("_fp"): value for name, value in candle.items()}
    for name, value in old.items():
        if isinstance(value, dict):
            old[name] = {n.removesuffix("_dollars"): v and round(float(v) * 100) for n, v in value.items()}
        elif isinstance(value, str):
            old[name] = int(float(value))
    return old
