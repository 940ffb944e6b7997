"""Broken rules that a person knows of, ``kalshi_quality_acknowledgement``: until a day they are no problem."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from kalshi.warehouse import sql

EVERY_SERIES = ""
"""In place of a series' ticker."""
LONGEST_REASON = 1000


@dataclass(frozen=True)
class Acknowledgement:
    """The rule ``check`` may stay broken for ``series`` up to and including the UTC day ``until``."""

    check: str
    series: str
    reason: str
    until: date

    def __post_init__(self) -> None:
        """Raises ValueError, which says what is wrong, in one sentence."""
        if not self.reason.strip():
            raise ValueError("Say why the rule may stay broken: the reason is empty.")
        if len(self.reason) > LONGEST_REASON:
            raise ValueError(f"The reason has {len(self.reason):,} characters: {LONGEST_REASON:,} are allowed.")
        today = datetime.now(UTC).date()
        if self.until < today:
            raise ValueError(f"The last day, {self.until}, is over: choose {today} (UTC) or a later day.")


def acknowledge(connection: sa.Connection, given: Acknowledgement, by: str) -> None:
    """Store it, in place of an earlier one of the same rule and series.

    Raises:
        ValueError: no quality run has checked that rule, or that series.
    """
    known = "SELECT 1 FROM kalshi_quality_result WHERE check_name = :check AND :series IN ('', series_ticker) LIMIT 1"
    if not sql.run(connection, known, check=given.check, series=given.series).first():
        where = f" of {given.series}" if given.series else ""
        raise ValueError(f"No quality run has checked the rule {given.check}{where}: check the spelling.")
    sql.run(
        connection,
        "REPLACE INTO kalshi_quality_acknowledgement (check_name, series_ticker, reason, until_day, acknowledged_by) "
        "VALUES (:check, :series, :reason, :until, :by)",
        check=given.check,
        series=given.series,
        reason=given.reason.strip(),
        until=given.until,
        by=by[:250],
    )


def in_force(connection: sa.Connection) -> list[dict[str, Any]]:
    """Those whose last day isn't over, the first to end first."""
    rows = sql.run(
        connection,
        "SELECT check_name AS `check`, series_ticker AS series, reason, until_day, acknowledged_by, "
        "acknowledged_at_utc FROM kalshi_quality_acknowledgement WHERE until_day >= UTC_DATE() "
        "ORDER BY until_day, check_name, series_ticker LIMIT 500",
    )
    return [dict(row) for row in rows.mappings()]


def covering(acknowledged: Iterable[dict[str, Any]], check: str, series: str) -> dict[str, Any] | None:
    """The one that says that this rule may stay broken in this series, if there is one."""
    found = (each for each in acknowledged if each["check"] == check and each["series"] in (EVERY_SERIES, series))
    return next(found, None)
