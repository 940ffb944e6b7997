"""Converts times for the database, whose DATETIME columns hold UTC without a time zone."""

from __future__ import annotations

from datetime import UTC, datetime


def naive_utc(moment: datetime) -> datetime:
    """A moment as a DATETIME in UTC. One without a time zone is assumed to be UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
