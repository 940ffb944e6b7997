"""A catalog of a few rows, with the prices and trades of its markets, for tests of single pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Planted:
    """A warehouse to plant rows in. Every row is of run 1."""

    engine: sa.Engine

    def rows(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        with self.engine.begin() as connection:
            for row in rows:
                known = {"run_id": 1, **row}
                names, values = ", ".join(f"`{name}`" for name in known), ", ".join(f":{name}" for name in known)
                connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), known)

    def series(self, ticker: str, **columns: Any) -> None:
        self.rows("kalshi_series", [{"series_ticker": ticker, "title": f"All of {ticker}", **columns}])

    def event(self, ticker: str, **columns: Any) -> None:
        series = ticker.partition("-")[0]
        self.rows(
            "kalshi_event", [{"event_ticker": ticker, "series_ticker": series, "mutually_exclusive": 1} | columns]
        )

    def market(self, ticker: str, **columns: Any) -> None:
        event, _, _ = ticker.rpartition("-")
        known = {"market_ticker": ticker, "event_ticker": event, "series_ticker": ticker.partition("-")[0]}
        self.rows("kalshi_market", [known | {"status": "active"} | columns])

    def candles(self, market: str, since: datetime, quotes: Iterable[tuple[str, str]], **columns: Any) -> None:
        """A candle of each minute from ``since`` on, closing with these bids and asks."""
        self.rows(
            "kalshi_candle_1m",
            (
                {
                    "market_ticker": market,
                    "bucket_start_utc": since + number * MINUTE,
                    "source": "api_event",
                    "period_minutes": 1,
                    "yes_bid_close": bid,
                    "yes_ask_close": ask,
                    "volume": 1,
                }
                | columns
                for number, (bid, ask) in enumerate(quotes)
            ),
        )

    def snapshots(self, market: str, since: datetime, quotes: Iterable[tuple[str, str]]) -> None:
        """A snapshot of each minute from ``since`` on."""
        self.rows(
            "kalshi_price_snapshot",
            (
                {
                    "market_ticker": market,
                    "snapshot_at_utc": since + number * MINUTE,
                    "observed_at_utc": since + number * MINUTE,
                    "yes_bid": bid,
                    "yes_ask": ask,
                    "is_empty_book": False,
                }
                for number, (bid, ask) in enumerate(quotes)
            ),
        )

    def trades(self, market: str, since: datetime, *trades: tuple[str, str, str], **columns: Any) -> None:
        """A trade of each minute from ``since`` on: price of YES, contracts, the side that the taker bought."""
        self.rows(
            "kalshi_trade",
            (
                {
                    "trade_id": f"{market}-{since:%d%H%M}-{number}",
                    "market_ticker": market,
                    "executed_at_utc": since + number * MINUTE,
                    "yes_price": price,
                    "count": contracts,
                    "taker_side": side,
                }
                | columns
                for number, (price, contracts, side) in enumerate(trades)
            ),
        )
