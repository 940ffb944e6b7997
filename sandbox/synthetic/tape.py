"""The trades of all markets, newest first.

The exchange's time is cut into blocks of so many trades that making one costs little for each of its trades, however
many markets are open. The latest blocks are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np

from sandbox.part import TradeWindow
from sandbox.synthetic.calendar import DAY, Rows, lives, markets_of
from sandbox.synthetic.dice import Flags, Ints, Words, mixed
from sandbox.synthetic.flow import Flow, flow, sides
from sandbox.synthetic.plan import SECOND, Plan
from sandbox.synthetic.prices import MINUTE, Book, book, traded
from sandbox.synthetic.tickers import Tickers
from sandbox.tape import Trade

TRADES_A_BLOCK = 50_000
KEPT_BLOCKS = 4
A_PIECE = 2_000
"""How many trades of a single market are made at once."""
AT_ONCE = 512
"""How many trades become Python objects at once."""


@dataclass(frozen=True, eq=False)
class Block:
    """Trades, oldest first, one in each place of the arrays."""

    rows: Rows
    created: Ints
    upper: Words
    lower: Words
    price: Ints
    size: Ints
    takes_yes: Flags
    is_block: Flags

    def take(self, places: Ints) -> Block:
        return Block(
            self.rows.take(places),
            *(values[places] for name, values in vars(self).items() if name != "rows"),
        )


class Tape:
    """The trades of a plan's markets. Windows include their start and exclude their end."""

    def __init__(self, plan: Plan, tickers: Tickers) -> None:
        self._plan = plan
        self._tickers = tickers
        share = TRADES_A_BLOCK / max(plan.trades_a_day, 1)
        self._length = int(max(1, min(1, share) * DAY // SECOND)) * SECOND
        self._block = lru_cache(KEPT_BLOCKS)(self._make_block)

    def trades(self, window: TradeWindow) -> Iterator[Trade]:
        """The trades of the window, newest first."""
        pieces = self._of_market(window) if window.ticker else self._of_all(window)
        newest_first = (trade for piece in pieces for trade in self._objects(piece, window))
        for _, at_once in groupby(newest_first, lambda trade: trade.created):
            for trade in sorted(at_once, reverse=True):
                if window.before is None or trade[:2] < window.before:
                    yield trade

    def _of_all(self, window: TradeWindow) -> Iterator[Block]:
        if not self._plan.trades_a_day:
            return
        first = max(window.start, self._plan.since) // self._length
        for number in range((window.end - 1) // self._length, first - 1, -1):
            yield self._block(number)

    def _of_market(self, window: TradeWindow) -> Iterator[Block]:
        place = self._tickers.market_place(window.ticker or "")
        if place is None:
            return
        rows = place.rows()
        flows = flow(self._plan, rows, lives(self._plan, rows))
        [low], [high] = flows.count(window.start - 1), flows.count(window.end - 1)
        for stop in range(int(high), int(low), -A_PIECE):
            number = np.arange(max(int(low), stop - A_PIECE), stop)
            yield self._executed(rows, flows, np.zeros(len(number), np.int64), number)

    def _objects(self, block: Block, window: TradeWindow) -> Iterator[Trade]:
        """The block's trades that lie in the window, newest first."""
        inside = (window.start <= block.created) & (block.created < window.end)
        if window.blocks is not None:
            inside &= block.is_block == window.blocks
        places = np.flatnonzero(inside)[::-1]
        for start in range(0, len(places), AT_ONCE):
            yield from self._some(block.take(places[start : start + AT_ONCE]))

    def _some(self, block: Block) -> Iterator[Trade]:
        rows = (block.rows.series, block.rows.event, block.rows.market)
        places = zip(*(numbers.tolist() for numbers in rows), strict=True)
        return map(
            Trade,
            block.created.tolist(),
            map(_uuid, block.upper.tolist(), block.lower.tolist()),
            (self._tickers.market(*place) for place in places),
            (block.price / 100).tolist(),
            block.size.tolist(),
            block.takes_yes.tolist(),
            block.is_block.tolist(),
        )

    def _make_block(self, number: int) -> Block:
        start = number * self._length
        rows = tradable(self._plan, start, start + self._length)
        flows = flow(self._plan, rows, lives(self._plan, rows))
        low, high = flows.count(start - 1), flows.count(start + self._length - 1)
        busy = np.flatnonzero(high > low)
        rows, flows, low, high = rows.take(busy), flows.take(busy), low[busy], high[busy]
        of = np.repeat(np.arange(len(busy)), high - low)
        trade = np.arange(len(of)) - np.repeat(np.cumsum(high - low) - high, high - low)
        made = self._executed(rows, flows, of, trade)
        return made.take(np.lexsort((made.lower, made.upper, made.created)))

    def _executed(self, rows: Rows, flows: Flow, of: Ints, number: Ints) -> Block:
        """The trades of those numbers; ``of``: in which of the rows each is."""
        books, rows, flows = book(self._plan, rows, flows.lives).take(of), rows.take(of), flows.take(of)
        words, created = flows.words(number), flows.times(number)
        takes_yes, is_block = sides(words)
        price, takes_yes = traded(books.quotes(created // MINUTE), takes_yes)
        return Block(
            rows=rows,
            created=created,
            upper=words,
            lower=mixed(flows.lives.key, 61, number),
            price=price,
            size=flows.sizes(number),
            takes_yes=takes_yes,
            is_block=is_block,
        )


def tradable(plan: Plan, start: int, end: int) -> Rows:
    """The markets that can be open at some time between."""
    lowest = np.maximum((start - plan.life - plan.start) // plan.period, 0)
    events = np.maximum((end - plan.start) // plan.period - lowest + 1, 0)
    series = np.repeat(np.arange(len(events)), events)
    event = lowest[series] + np.arange(len(series)) - np.repeat(np.cumsum(events) - events, events)
    return markets_of(plan, Rows(series, event, np.zeros(len(series), np.int64)))


def last_price(books: Book, flows: Flow, number: Ints) -> Ints:
    """The prices of the trades before those of that number; 0 before the first."""
    latest = np.maximum(number - 1, 0)
    quotes = books.quotes(flows.times(latest) // MINUTE)
    price, _ = traded(quotes, sides(flows.words(latest))[0])
    return np.where(number > 0, price, 0)


def _uuid(upper: int, lower: int) -> str:
    digits = f"{upper:016x}{lower:016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
