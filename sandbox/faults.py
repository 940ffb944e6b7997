"""Faults that can be switched on: over HTTP with ``PUT /sandbox/faults``, or from Python.

A fault is ``{"kind": …, "path": regular expression, "skip": n, "times": n, "value": …}``: it strikes
requests whose path matches, after the first ``skip``, ``times`` times.
"""

from __future__ import annotations

import re
import threading
from typing import Any, Literal, get_args

import msgspec

from sandbox.queries import cursor_at

Kind = Literal[
    "http_403",
    "http_429",
    "http_500",
    "http_502",
    "dropped_connection",
    "truncated_json",
    "missing_list",
    "redirect",
    "repeated_cursor",
    "slow",
    "malformed_market",
    "integer_cents",
    "set_market",
]
KINDS: tuple[str, ...] = get_args(Kind)


class Fault(msgspec.Struct, kw_only=True):
    """``value``: seconds for slow; the address for redirect; for set_market ``{"ticker": …, field: value}``,
    where the value "(missing)" takes the field away."""

    kind: Kind
    path: str = ".*"
    skip: int = 0
    times: int = 1
    value: Any = None


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def set(self, faults: list[Fault]) -> None:
        with self._lock:
            self._faults = list(faults)

    def strike(self, path: str) -> list[Fault]:
        """Those that strike this request."""
        struck: list[Fault] = []
        with self._lock:
            for fault in self._faults:
                if not re.search(fault.path, path) or fault.times <= 0:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                struck.append(fault)
        return struck


def distort(body: dict[str, Any], faults: list[Fault], cursor: str | None) -> dict[str, Any]:
    """The body of a list answer, as the faults leave it."""
    for fault in faults:
        markets = body.get("markets") or []
        if fault.kind == "missing_list":
            body = {}
        elif fault.kind == "repeated_cursor":
            body["cursor"] = cursor or body["cursor"] or cursor_at(0)
        elif fault.kind == "malformed_market" and markets:
            markets[0] = {**markets[0], "close_time": "soon"}
        elif fault.kind == "integer_cents" and markets:
            old = {**markets[0], "yes_bid": 56, "yes_ask": 58, "last_price": 57}
            for name in ("yes_bid_dollars", "yes_ask_dollars", "last_price_dollars"):
                old.pop(name)
            markets[0] = old
        elif fault.kind == "set_market":
            for number, market in enumerate(markets):
                if market["ticker"] == fault.value["ticker"]:
                    changed = {**market, **fault.value}
                    markets[number] = {n: v for n, v in changed.items() if v != "(missing)"}
    return body
