"""Typed records of the exchange's JSON, and how a bad record is separated from the rest of its page.

Prices and counts stay the exact decimal **strings** that the exchange sent (dollars, contracts): they
go into DECIMAL columns unrounded, and ``Decimal(record.yes_bid)`` converts one. Times are aware UTC
datetimes. Missing, null and blank all read as None. Unknown fields are ignored here but survive in the
record's ``raw`` bytes; enum-like fields are plain strings, because the exchange adds values before it
documents them. Field names: Kalshi's OpenAPI 3.34.
"""

from kalshi.records.catalog import Event, Market, Series, UncertainUnit
from kalshi.records.cutoff import HistoricalCutoff
from kalshi.records.portfolio import Balance, Fill, PortfolioSettlement, Position
from kalshi.records.reading import Found, Record, Rejected, known_time, read_record, sift, ticker_in
from kalshi.records.trades import Trade

__all__ = [
    "Balance",
    "Event",
    "Fill",
    "Found",
    "HistoricalCutoff",
    "Market",
    "PortfolioSettlement",
    "Position",
    "Record",
    "Rejected",
    "Series",
    "Trade",
    "UncertainUnit",
    "known_time",
    "read_record",
    "sift",
    "ticker_in",
]
