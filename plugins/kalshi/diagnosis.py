"""What a check found: of the exchange, of the warehouse, of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

SKEW_SECONDS = 5
"""Signatures carry the time; the exchange tolerates a skew of seconds."""


@dataclass(frozen=True)
class Diagnosis:
    """The result of one check. ``state``: ok, warn or fail; ``words``: what was found and, unless ok, what to do.

    ``is_synthetic``: the warehouse's data is synthetic.
    """

    check: str
    state: str
    words: str
    is_synthetic: bool = False


def clock(check: str, reading: datetime, now: datetime | None = None) -> Diagnosis:
    """Compare a clock's ``reading`` with ``now`` (this machine's clock, unless given); a naive time is UTC."""
    now = now or datetime.now(UTC)
    skew = (reading if reading.tzinfo else reading.replace(tzinfo=UTC)) - now
    seconds = abs(skew.total_seconds())
    if seconds > SKEW_SECONDS:
        ahead = "ahead of" if skew.total_seconds() > 0 else "behind"
        return Diagnosis(check, "fail", f"{seconds:,.0f} s {ahead} this machine's: sync both by NTP.")
    return Diagnosis(check, "ok", f"within {SKEW_SECONDS} s of this machine's")
