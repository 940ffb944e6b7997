"""Reads records from the exchange's JSON, and sets a bad one apart from the rest of its page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

import msgspec
from msgspec import Raw, Struct

Record = TypeVar("Record", bound=Struct)


@dataclass(frozen=True)
class Found(Generic[Record]):
    """A record and the exact bytes it was decoded from."""

    record: Record
    raw: bytes


@dataclass(frozen=True)
class Rejected:
    """A record that can't be stored: its bytes and the reason."""

    endpoint: str
    reason: str
    raw: bytes


_TICKER = re.compile(rb'"(?:market_)?ticker"\s*:\s*"([^"\\]{1,190})"|^([^\s"{\[]{1,190})\t')


def ticker_in(raw: bytes) -> str | None:
    """The market's ticker in a record that can't be read, JSON or a line of a load file; None if it shows none."""
    found = _TICKER.search(raw)
    return (found[1] or found[2]).decode("utf-8", "replace") if found else None


def known_time(moment: datetime | None) -> datetime | None:
    """The moment in UTC; None for the exchange's zero time "0001-01-01T00:00:00Z" and years MySQL can't store."""
    try:
        utc = moment.astimezone(UTC) if moment else None
    except OverflowError:
        return None
    return utc if utc and utc.year >= 1000 else None


def read_record(raw: bytes, record_type: type[Record]) -> Record:
    """Decode one record; a field containing "" counts as missing.

    Raises:
        msgspec.ValidationError: a field is missing or has an invalid value.
    """
    fields = msgspec.json.decode(raw, type=dict[str, Raw])
    filled = {name: value for name, value in fields.items() if bytes(value) != b'""'}
    return msgspec.json.decode(msgspec.json.encode(filled), type=record_type)


def sift(
    raws: list[Raw] | None, record_type: type[Record], endpoint: str
) -> tuple[list[Found[Record]], list[Rejected]]:
    """Decode each record separately, so that a bad one doesn't affect the others."""
    found: list[Found[Record]] = []
    rejected: list[Rejected] = []
    for raw in map(bytes, raws or []):
        try:
            found.append(Found(read_record(raw, record_type), raw))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            rejected.append(Rejected(endpoint, str(error), raw))
    return found, rejected
