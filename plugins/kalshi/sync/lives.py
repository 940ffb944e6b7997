"""The markets that a reading is about: those that may have been open in its window."""

from __future__ import annotations

from collections.abc import Iterator

from kalshi.sync.evidence import Reading
from kalshi.sync.run import SyncRun
from kalshi.warehouse.catalog import MarketLife, lives_of_markets
from kalshi.warehouse.server import in_transaction

MARKETS_PER_PAGE = 20_000


def lives_in(run: SyncRun, reading: Reading, after_event: str = "") -> Iterator[MarketLife]:
    """The markets that a reading wants, by event and ticker; of the events behind ``after_event``.

    They come page by page: of the whole exchange, a million markets may have been open in a day.
    """
    window, after = reading.window, (after_event, "")
    market = "" if reading.is_whole else reading.market
    while page := in_transaction(
        run.engine,
        lives_of_markets,
        window.scope,
        window.start,
        reading.until,
        market=market,
        after=after,
        most=MARKETS_PER_PAGE,
    ):
        yield from (life for life in page if life.event_ticker > after_event)
        after = (page[-1].event_ticker, page[-1].ticker)
        if len(page) < MARKETS_PER_PAGE:
            return
