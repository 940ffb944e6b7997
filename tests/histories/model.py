"""What a small exchange holds: a series with an event most evenings, and when each record is published.

Each event has two markets whose lives cross midnight, so that every day ends with open markets. All times are UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import groupby
from typing import Any

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""When every history begins: at noon on a Monday."""
EVE = (START - DAY).date()


@dataclass
class Trade:
    """``at``: its own time; ``published``: from when on the exchange shows it."""

    trade_id: str
    at: datetime
    price: Decimal
    count: int
    published: datetime


@dataclass
class Candle:
    """A minute, by its start. ``bid``: at its end; the ask is 2 cents higher. ``price``: open and close, if traded."""

    start: datetime
    bid: Decimal
    price: tuple[Decimal, Decimal] | None
    volume: int
    published: datetime

    @property
    def end(self) -> datetime:
        return self.start + MINUTE


@dataclass
class Market:
    """``listed``: from when on the lists and the other routes know it. ``settled``: the timestamp of its settlement,
    which is published later. ``spoilt``: what of it can't be read at present: market, times, trade, candle."""

    ticker: str
    event_ticker: str
    opens: datetime
    closes: datetime
    settled: datetime
    result: str
    trades: list[Trade]
    candles: list[Candle] = field(default_factory=list)
    listed: datetime = START
    settlement_published: datetime = START
    spoilt: set[str] = field(default_factory=set)
    is_away: bool = False

    @property
    def name(self) -> str:
        """Its ticker without the series, for people."""
        return self.ticker.partition("-")[2]

    @cached_property
    def minutes(self) -> list[tuple[datetime, str]]:
        """Every minute of its life, and how it is written in a message."""
        life = (self.opens + n * MINUTE for n in range((self.closes - self.opens) // MINUTE))
        return [(minute, f"{minute:%m-%d %H:%M}") for minute in life]


def candles_of(trades: list[Trade], opens: datetime, closes: datetime) -> list[Candle]:
    """A candle for each minute with a trade, and a few with only quotes, as the exchange makes them from its trades."""
    traded = {minute: list(group) for minute, group in groupby(trades, lambda t: t.at.replace(second=0, microsecond=0))}
    quoted = {opens + MINUTE, opens + 31 * MINUTE, closes - 20 * MINUTE}
    bid = Decimal("0.40")
    candles = []
    for minute in sorted({*traded, *quoted}):
        group = traded.get(minute, [])
        bid = group[-1].price - Decimal("0.01") if group else bid + Decimal("0.01")
        price = (group[0].price, group[-1].price) if group else None
        candles.append(Candle(minute, bid, price, sum(t.count for t in group), minute + MINUTE))
    return candles


def event_of(series: str, day: date) -> list[Market]:
    """The markets of the event of this evening: A is open from 23:00 to 01:00, B from 23:30 to 00:20."""
    midnight = datetime.combine(day, time(), UTC) + DAY
    event = f"{series}-{day:%y%b%d}".upper()
    markets = []
    for letter, opens, closes, times in (
        ("A", -60, 60, (-56.2, -32.9, -8.5, -1.32, -0.66, 0.17, 31.0, 44.5, 57.9)),
        ("B", -30, 20, (-24.9, -0.17, 10.4)),
    ):
        ticker = f"{event}-{letter}"
        trades = [
            Trade(f"{ticker}-{n}", at, Decimal(45 + n) / 100, n + 1, at)
            for n, at in enumerate(midnight + minutes * MINUTE for minutes in times)
        ]
        market = Market(
            ticker,
            event,
            midnight + opens * MINUTE,
            midnight + closes * MINUTE,
            midnight + 3 * HOUR,
            "yes" if letter == "A" else "no",
            trades,
        )
        market.candles = candles_of(trades, market.opens, market.closes)
        market.listed, market.settlement_published = midnight - 9 * HOUR, market.settled
        markets.append(market)
    return markets


@dataclass
class Model:
    """The exchange at the time ``now``, which only moves forward. ``cutoff``: where the historical tier ends.

    ``is_terse``: a tier answers with an empty list, rather than with 404 or by leaving it out, for a market that is in
    the other tier. ``page_size``: of every list.
    """

    series: str
    now: datetime = START
    cutoff: datetime = START - 5 * DAY
    markets: list[Market] = field(default_factory=list)
    is_terse: bool = False
    page_size: int = 4
    last_day: date = EVE

    def __post_init__(self) -> None:
        self.markets = event_of(self.series, (START - 10 * DAY).date())
        self.add_events(stride=1)

    def add_events(self, stride: int) -> None:
        """Add the events of the evenings up to tomorrow, every ``stride`` days, and that of tomorrow in any case."""
        tomorrow = self.now.date() + DAY
        while self.last_day < tomorrow:
            left = (tomorrow - self.last_day).days
            self.last_day += min(stride, left) * DAY
            self.markets += event_of(self.series, self.last_day)

    def market(self, ticker: str) -> Market | None:
        return next((m for m in self.markets if m.ticker == ticker and self.knows(m)), None)

    def knows(self, market: Market) -> bool:
        return market.listed <= self.now and not market.is_away

    def is_settled(self, market: Market) -> bool:
        return max(market.settled, market.settlement_published) <= self.now

    def is_archived(self, market: Market) -> bool:
        return self.is_settled(market) and market.settled < self.cutoff

    def status(self, market: Market) -> str:
        if self.is_settled(market):
            return "finalized"
        if self.now < market.opens:
            return "initialized"
        return "active" if self.now < market.closes else "closed"

    def trades(self, market: Market) -> Iterator[Trade]:
        return (t for t in market.trades if max(t.published, t.at) <= self.now)

    def candles(self, market: Market) -> Iterator[Candle]:
        return (c for c in market.candles if max(c.published, c.end) <= self.now)

    def market_json(self, market: Market) -> dict[str, Any]:
        """As both tiers send it; optional fields without a value are left out."""
        found: dict[str, Any] = {
            "ticker": market.ticker,
            "event_ticker": market.event_ticker,
            "market_type": "binary",
            "title": f"Market {market.ticker}",
            "status": self.status(market),
            "result": "",
            "created_time": stamp(market.listed),
            "updated_time": stamp(market.listed),
            "open_time": stamp(market.opens),
            "close_time": stamp(market.closes),
            "latest_expiration_time": stamp(market.closes + 7 * DAY),
            "yes_bid_dollars": "0.4000",
            "yes_ask_dollars": "0.4200",
            "last_price_dollars": "0.4100",
            "volume_fp": count(sum(t.count for t in self.trades(market))),
            "open_interest_fp": "1.00",
        }
        if self.is_settled(market):
            value = "1.0000" if market.result == "yes" else "0.0000"
            found |= {
                "result": market.result,
                "settlement_ts": stamp(market.settled),
                "settlement_value_dollars": value,
                "updated_time": stamp(market.settlement_published),
            }
        if "times" in market.spoilt:
            del found["open_time"], found["close_time"]
        if "market" in market.spoilt:
            found["open_time"] = "soon"
        return found

    def trade_json(self, market: Market, trade: Trade) -> dict[str, Any]:
        found: dict[str, Any] = {
            "trade_id": trade.trade_id,
            "ticker": market.ticker,
            "created_time": stamp(trade.at),
            "yes_price_dollars": dollars(trade.price),
            "no_price_dollars": dollars(1 - trade.price),
            "count_fp": count(trade.count),
            "taker_outcome_side": "yes",
            "taker_book_side": "bid",
            "is_block_trade": False,
        }
        if "trade" in market.spoilt:
            found["count_fp"] = None
        return found

    def candle_json(self, market: Market, candle: Candle, *, is_archived: bool) -> dict[str, Any]:
        """The live tier's field names have suffixes, the historical tier's have none."""
        of_money, of_count = ("", "") if is_archived else ("_dollars", "_fp")
        ask = candle.bid + Decimal("0.02")

        def prices(first: Decimal, last: Decimal) -> dict[str, str]:
            each = {"open": first, "high": max(first, last), "low": min(first, last), "close": last}
            return {name + of_money: dollars(value) for name, value in each.items()}

        found: dict[str, Any] = {
            "end_period_ts": int(candle.end.timestamp()),
            "yes_bid": prices(candle.bid, candle.bid),
            "yes_ask": prices(ask, ask),
            "price": prices(*candle.price) if candle.price else {},
            f"volume{of_count}": count(candle.volume),
            f"open_interest{of_count}": "1.00",
        }
        if "candle" in market.spoilt:
            found["yes_bid"] = None
        return found


def stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def dollars(value: Decimal) -> str:
    return f"{value:.4f}"


def count(value: int) -> str:
    return f"{value}.00"
