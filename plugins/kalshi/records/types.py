"""The types of the exchange's fields: money, contracts, times, tickers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

Dollars = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?\Z", max_length=40)]
"""Money or a price: a JSON string such as "0.5600". A JSON number is refused: it may be cents of the old API."""
Count = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?\Z", max_length=40)]
"""Contracts: a JSON string such as "948.07"."""
Time = Annotated[datetime, Meta(tz=True)]
Second = Annotated[int, Meta(ge=0, lt=253_402_300_800)]
"""Unix seconds, before the year 10000."""
Ticker = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\s/?#%\x00-\x1f\x7f]+\Z")]
