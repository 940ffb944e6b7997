"""What several pages are asked for: series and days."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Annotated

import sqlalchemy as sa

from kalshi.settings import DecisionTime, Settings
from kalshi.ui.parameters import EARLIEST, EMPTY_IS_NONE
from kalshi.ui.warehouse import ask

OptionalDay = Annotated[date | None, EMPTY_IS_NONE]
"""``wrong_days`` says what is wrong with it."""
MOST_DAYS = 3660
MOST_DAYS_BY_DAY = 400
MOST_SERIES = 20_000
MOST_SUGGESTED = 200
"""Series that a field for one suggests."""


def moment(decision: DecisionTime) -> str:
    """When a strategy decides, in words."""
    day = {-1: "the day before", 0: "the day itself"}.get(decision.day, f"day {decision.day:+d}")
    return f"{decision.time:%H:%M} local time on {day}"


def wrong_days(first: date, last: date, by: str) -> str:
    """What is wrong with the days that were asked for, and what to choose; empty if nothing is."""
    for day in (first, last):
        if day < EARLIEST:
            return f"The day {day} is too early: choose {EARLIEST} or a later day."
    if first > last:
        return f"The first day, {first}, comes after the last one, {last}: exchange them."
    most = MOST_DAYS_BY_DAY if by == "day" else MOST_DAYS
    number_of_days = (last - first).days + 1
    if number_of_days > most:
        return f"{number_of_days:,} days by {by} are too many: choose at most {most:,}" + (
            ", or show them by month." if by == "day" else "."
        )
    return ""


def known_series(connection: sa.Connection, settings: Settings, series: str, category: str = "") -> list[str]:
    """The series that are asked for: those of kalshi.toml first."""
    if series:
        return [series]
    stored = [row["series"] for row in ask(connection, "series", category=category, most=MOST_SERIES)]
    configured = [] if category else settings.series_tickers
    return list(dict.fromkeys([*configured, *stored]))


def categories(connection: sa.Connection) -> list[str]:
    """The categories of the series that the warehouse knows."""
    return [row["category"] for row in ask(connection, "categories")]


def end_of_month(first: date) -> date:
    return first.replace(day=monthrange(first.year, first.month)[1])
