"""The request budget: how long to wait before sending the next request."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class RequestBudget(Protocol):
    """A token bucket: ``reserve()`` books one request and returns how many seconds to wait before sending it."""

    def reserve(self) -> float: ...


class LocalBudget:
    """A token bucket for the threads of one process; it holds one second's worth of requests.

    Workers on several machines share a bucket in the warehouse instead
    (:class:`kalshi.warehouse.budget.SharedBudget`).
    """

    def __init__(self, requests_per_second: float) -> None:
        self._interval = 1.0 / requests_per_second
        self._saved_up = max(0.0, 1.0 - self._interval)
        self._next_free = 0.0
        self._lock = threading.Lock()

    def reserve(self) -> float:
        with self._lock:
            now = time.monotonic()
            slot = max(self._next_free, now - self._saved_up)
            self._next_free = slot + self._interval
            return max(0.0, slot - now)
