"""The request budget shared by all workers: one row in the warehouse."""

from __future__ import annotations

import sqlalchemy as sa

from kalshi.warehouse import sql
from kalshi.warehouse.server import in_transaction

NOW_US = "CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)"
"""The server's clock, so that workers whose clocks differ still agree."""


LONGEST_QUEUE = 1000
"""If a bucket is booked ahead by more requests than this, and by over a minute, its clock was set back."""


class SharedBudget:
    """A token bucket, stored as one row per key and host; it holds one second's worth of requests.

    ``next_free_us`` is when the next request may be sent. A reservation advances it by one interval, from
    no earlier than one bucket's worth ago. MySQL's row lock serializes reservations.
    """

    def __init__(self, engine: sa.Engine, budget: str, requests_per_second: float) -> None:
        self._engine = engine
        self._budget = budget[:190]
        self._interval_us = round(1_000_000 / requests_per_second)
        self._longest_us = max(60_000_000, LONGEST_QUEUE * self._interval_us)
        self._saved_up_us = max(0, 1_000_000 - self._interval_us)
        insert = "INSERT IGNORE INTO kalshi_request_budget (budget) VALUES (:budget)"
        in_transaction(engine, sql.run, insert, budget=self._budget)

    def reserve(self) -> float:
        """Book one request; return how many seconds to wait before sending it."""
        return in_transaction(self._engine, self._reserve)

    def _reserve(self, connection: sa.Connection) -> float:
        sql.run(
            connection,
            "UPDATE kalshi_request_budget SET next_free_us = LAST_INSERT_ID("
            f"GREATEST(LEAST(next_free_us, {NOW_US} + :longest), {NOW_US} - :saved_up) + :interval) "
            "WHERE budget = :budget",
            budget=self._budget,
            interval=self._interval_us,
            saved_up=self._saved_up_us,
            longest=self._longest_us,
        )
        ahead = f"SELECT CAST(LAST_INSERT_ID() AS SIGNED) - :interval - {NOW_US}"
        return max(0.0, int(sql.run(connection, ahead, interval=self._interval_us).scalar_one()) / 1_000_000)
