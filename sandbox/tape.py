"""The trading life of a market: a quote for each minute and sparse trades, from the seed alone.

Everything is generated per clock hour. A market's schedule gives the number of trades and contracts of each
hour, and every hour has its own dice, so any window can be generated without the hours before it, and volumes
without the trades. Prices are whole cents, counts hundredths of contracts, minutes and microseconds count
from 1970.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import shake_128
from random import Random
from typing import NamedTuple

from sandbox.markets import Market

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3_600_000_000
MINUTE = 60_000_000
FLICKER = (-1,) * 24 + (0,) * 208 + (1,) * 24
"""How a byte of dice moves a quote: rarely, and by a cent."""
BUSIEST = 2.5
"""Average trades per hour over the life of a market that nobody can call."""


class Quote(NamedTuple):
    """The best bid and ask during a minute. 0 and 100 cents mean no bid and no ask."""

    minute: int
    bid: int
    ask: int
    bid_size: int
    ask_size: int


class Trade(NamedTuple):
    """``price`` is that of YES, in cents or parts of a cent; a taker of YES lifts the ask."""

    created: int
    id: str
    ticker: str
    price: float
    size: int
    takes_yes: bool
    is_block: bool


class Snapshot(NamedTuple):
    """A market as its list entry shows it. ``last``: 0 before the first trade."""

    quote: Quote
    last: float
    volume: int
    volume_24h: int


class _Schedule(NamedTuple):
    """The trades and contracts of each hour from ``first`` on, and the hour of the block trade."""

    first: int
    trades: list[int]
    counts: list[int]
    block: int | None


class _Book(NamedTuple):
    """The ingredients of an hour's quotes."""

    level: float
    slope: float
    spread: int
    noise: list[int]

    def quote(self, minute: int) -> Quote:
        level, slope, spread, noises = self
        at = minute % 60
        noise = noises[at]
        bid = int(level + slope * at) + FLICKER[noise]
        if not 0 <= bid <= 99:
            bid = 0 if bid < 0 else 99
        ask = bid + spread
        if ask >= 100:
            return Quote(minute, bid, 100, 77 * noise + 100, 0)
        return Quote(minute, bid, ask, 77 * noise + 100 if bid else 0, 77 * (255 - noise) + 100)


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return round(moment.timestamp() * 1_000_000)


def at(micros: int) -> datetime:
    """The time that many microseconds after 1970 began."""
    return EPOCH + timedelta(microseconds=micros)


class Tape:
    """The quotes and trades of every market. Windows include ``start`` and exclude ``end``."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._schedule = lru_cache(4096)(self._make_schedule)
        self._book = lru_cache(1024)(self._make_book)
        self._final = lru_cache(100_000)(self._snapshot)

    def quotes(self, market: Market, start: int, end: int) -> Iterator[Quote]:
        """The quote of each minute of the window in which the market is open."""
        open_minutes = market.event.minutes
        start, end = max(start, open_minutes.start), min(end, open_minutes.stop)
        for hour in range(start // 60, -(-end // 60)):
            minutes = range(max(start, hour * 60), min(end, hour * 60 + 60))
            if market.event.book == "empty":
                yield from (Quote(minute, 0, 100, 0, 0) for minute in minutes)
            else:
                yield from map(self._book(market, hour).quote, minutes)

    def trades(self, market: Market, start: int, end: int, *, blocks: bool = False) -> Iterator[Trade]:
        """The window's trades, newest first; ``blocks``: only the block trades. Times in microseconds."""
        schedule = self._schedule(market)
        last = min((end - 1) // HOUR, schedule.first + len(schedule.trades) - 1)
        for hour in range(last, max(start // HOUR, schedule.first) - 1, -1):
            if schedule.trades[hour - schedule.first] and (hour == schedule.block or not blocks):
                for trade in self._hour(market, hour):
                    if start <= trade.created < end and (trade.is_block or not blocks):
                        yield trade

    def snapshot(self, market: Market, now: int) -> Snapshot:
        """The market at a given time; after its close, as it was at the close."""
        quiet_since = market.event.minutes.stop * MINUTE + 24 * HOUR
        return self._final(market, quiet_since) if now >= quiet_since else self._snapshot(market, now)

    def volume(self, market: Market, end: int) -> int:
        """The contracts traded before ``end``."""
        schedule = self._schedule(market)
        hours = max(0, end // HOUR - schedule.first)
        return sum(schedule.counts[:hours]) + sum(t.size for t in self.trades(market, end // HOUR * HOUR, end))

    def _snapshot(self, market: Market, now: int) -> Snapshot:
        minute = min(now // MINUTE, market.event.minutes.stop - 1)
        if minute < market.event.minutes.start:
            return Snapshot(Quote(minute, 0, 100, 0, 0), 0, 0, 0)
        [quote] = self.quotes(market, minute, minute + 1)
        last = next(self.trades(market, 0, now + 1), None)
        volume = self.volume(market, now + 1)
        return Snapshot(quote, last.price if last else 0, volume, volume - self.volume(market, now + 1 - 24 * HOUR))

    def _bytes(self, number: int, market: Market, hour: int) -> bytes:
        return shake_128(f"{self._seed}/{market.ticker}/{hour}".encode()).digest(number)

    def _make_schedule(self, market: Market) -> _Schedule:
        event = market.event
        first, hours = event.minutes.start // 60, len(event.minutes) // 60
        if event.book != "lively":
            return _Schedule(first, [], [], None)
        interest, size, block, *dice = self._bytes(3 + 2 * hours, market, 0)
        fair = market.chance(event.opens + (event.closes - event.opens) / 2)
        rate = 0.03 + BUSIEST * interest / 256 * 8 * fair * (1 - fair)
        trades = [int(rate * share + die / 256) for share, die in zip(_ramp(hours), dice[:hours], strict=True)]
        counts = [n and 100 * n + n * size * die // 40 for n, die in zip(trades, dice[hours:], strict=True)]
        has_block = block < 26 and any(trades)
        return _Schedule(first, trades, counts, first + counts.index(max(counts)) if has_block else None)

    def _make_book(self, market: Market, hour: int) -> _Book:
        spread, *noise = self._bytes(61, market, hour)
        spread = 1 + spread % 4
        begin, end = 100 * market.chance(at(hour * HOUR)), 100 * market.chance(at(hour * HOUR + HOUR))
        return _Book(begin - spread / 2, (end - begin) / 60, spread, noise)

    def _hour(self, market: Market, hour: int) -> Iterator[Trade]:
        """The trades of an hour, newest first: each draw is the latest of the remaining ones."""
        schedule, book = self._schedule(market), self._book(market, hour)
        dice = Random(f"{self._seed}/{market.ticker}/{hour}")
        within, total = float(HOUR), schedule.counts[hour - schedule.first]
        for left in range(schedule.trades[hour - schedule.first], 0, -1):
            is_block = hour == schedule.block and within == HOUR
            within *= dice.random() ** (1 / left)
            created = hour * HOUR + int(within)
            share = 0.8 if is_block else 1 - dice.random() ** (1 / left)
            traded = total if left == 1 else 100 + int(share * (total // 100 - left)) * 100
            total -= traded
            quote = book.quote(created // MINUTE)
            takes_yes = not quote.bid or (quote.ask < 100 and dice.random() < 0.5)
            price = quote.ask if takes_yes else quote.bid
            yield Trade(created, _uuid(dice), market.ticker, price, traded, takes_yes, is_block)


def _uuid(dice: Random) -> str:
    digits = f"{dice.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@lru_cache
def _ramp(hours: int) -> list[float]:
    """Each hour's share of the trading: 1 on average, rising towards the end."""
    return [0.25 + 2.25 * ((hour + 0.5) / hours) ** 2 for hour in range(hours)]
