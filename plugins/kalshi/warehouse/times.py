"""Times on their way to the database, which keeps them in UTC without saying so."""

from __future__ import annotations

from datetime import UTC, datetime


def naive_utc(moment: datetime) -> datetime:
    """A moment as a DATETIME in UTC. One without a time zone is taken for UTC already."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
