"""How the exchange writes times, prices and counts."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """RFC 3339 with only as many digits as needed, as the exchange writes it."""
    text = moment.astimezone(UTC).isoformat().replace("+00:00", "")
    return (text.rstrip("0") if "." in text else text) + "Z"


def dollars(cents: float) -> str:
    """A price: four decimals, because some markets trade in parts of a cent."""
    return f"{cents / 100:.4f}"


def contracts(hundredths: int) -> str:
    return f"{hundredths / 100:.2f}"


def open_interest(volume: int) -> str:
    """The open interest after that volume."""
    return contracts(volume * 3 // 5)
