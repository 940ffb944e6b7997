"""Looks up single markets by their tickers, in either tier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kalshi.exchange import Exchange
from kalshi.exchange.pages import Page
from kalshi.records import Market, ticker_in
from kalshi.sync.evidence import Doubt, Reading
from kalshi.sync.pages import Write, write_pages
from kalshi.sync.run import SyncRun

TICKERS_PER_LOOKUP = 100


def markets_of(exchange: Exchange, tickers: Sequence[str]) -> Iterator[Page[Market]]:
    """The markets with these tickers, from the live tier or else the historical one."""
    for start in range(0, len(tickers), TICKERS_PER_LOOKUP):
        batch = tickers[start : start + TICKERS_PER_LOOKUP]
        found: set[str] = set()
        for page in exchange.markets(tickers=",".join(batch)):
            found |= {f.record.ticker for f in page.records}
            yield page
        if missing := [ticker for ticker in batch if ticker not in found]:
            yield from exchange.historical_markets(tickers=",".join(missing))


def look_up(
    exchange: Exchange, run: SyncRun, tickers: Sequence[str], write: Write[Market], reading: Reading
) -> Iterator[Doubt]:
    """Read these markets and write them; what neither tier lists is in doubt."""
    listed: set[str | None] = set()

    def see(page: Page[Market]) -> None:
        listed.update(found.record.ticker for found in page.records)
        listed.update(ticker_in(bad.raw) for bad in page.rejected)

    yield from write_pages(run, markets_of(exchange, tickers), write, reading, on_written=see)
    for ticker in tickers:
        if ticker not in listed:
            yield Doubt(ticker, "neither tier lists the market")
