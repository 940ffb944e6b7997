"""How the exchange writes times, prices and counts."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def stamp(moment: datetime) -> str:
    """RFC 3339 with only as many digits as needed, as the exchange writes it."""
    text = moment.astimezone(UTC).isoformat().replace("+00:00", "")
    return (text.rstrip("0") if "." in text else text) + "Z"


def stamp_of(micros: int) -> str:
    """The same of a time in microseconds since 1970; quicker, because trades often share a second."""
    second, part = divmod(micros, 1_000_000)
    return f"{_second(second)}.{part:06d}".rstrip("0") + "Z" if part else f"{_second(second)}Z"


@lru_cache(4096)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def dollars(cents: float) -> str:
    """A price: four decimals, because some markets trade in parts of a cent."""
    return f"{cents / 100:.4f}"


def contracts(hundredths: int) -> str:
    return f"{hundredths / 100:.2f}"


def open_interest(volume: int) -> str:
    """The open interest after that volume."""
    return contracts(volume * 3 // 5)
