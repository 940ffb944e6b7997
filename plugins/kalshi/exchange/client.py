"""The endpoints, by name. Every list endpoint returns a stream of pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Generic
from urllib.parse import quote

from msgspec import Raw, Struct, defstruct

from kalshi.exchange.budget import RequestBudget
from kalshi.exchange.config import ExchangeConfig
from kalshi.exchange.errors import ExchangeError, RequestRefused
from kalshi.exchange.pages import Page, paginate
from kalshi.exchange.transport import Admit, Identity, Traffic, Transport
from kalshi.records import (
    Balance,
    Event,
    Fill,
    HistoricalCutoff,
    Market,
    PortfolioSettlement,
    Position,
    Record,
    Rejected,
    Series,
    Trade,
    sift,
)
from kalshi.records.candles import ArchivedCandle, LiveCandle, MarketCandles, read_candles

READ, READ_BALANCE = "read", "read::portfolio_balance"
"""Scopes of a key: everything, or only the balance (Kalshi docs, "API keys")."""


class _SeriesAnswer(Struct):
    series: Raw


class _AllSeriesAnswer(Struct):
    series: list[Raw] | None


class _Anything(Struct):
    """An answer that is only asked for to see whether there is one."""


class Bucket(Struct):
    """The account's token bucket; it refills at ``refill_rate`` tokens per second, and most requests cost 10."""

    refill_rate: int
    bucket_capacity: int


class AccountLimits(Struct):
    """The rate limits of the key's account."""

    usage_tier: str
    read: Bucket


class _MarketCandlesAnswer(Struct):
    candlesticks: Raw


class _NamedCandles(Struct):
    market_ticker: str
    candlesticks: Raw


class _BatchCandlesAnswer(Struct):
    markets: list[_NamedCandles]


class _EventCandlesAnswer(Struct):
    market_tickers: list[str]
    market_candlesticks: list[Raw]
    adjusted_end_ts: int


@dataclass(frozen=True)
class Listing(Generic[Record]):
    """A list of the exchange: its path, what its records are, the field that holds them, and the largest page that the
    exchange sends (Kalshi OpenAPI 3.34)."""

    path: str
    record: type[Record]
    selector: str
    limit: int = 1000

    @cached_property
    def answer(self) -> type[Struct]:
        """What one page decodes to."""
        return defstruct("Answer", [(self.selector, list[Raw] | None), ("cursor", str | None, None)])


EVENTS = Listing("/events", Event, "events", limit=200)
MARKETS = Listing("/markets", Market, "markets")
HISTORICAL_MARKETS = Listing("/historical/markets", Market, "markets")
TRADES = Listing("/markets/trades", Trade, "trades")
HISTORICAL_TRADES = Listing("/historical/trades", Trade, "trades")
FILLS = Listing("/portfolio/fills", Fill, "fills")
HISTORICAL_FILLS = Listing("/historical/fills", Fill, "fills")
POSITIONS = Listing("/portfolio/positions", Position, "market_positions")
HISTORICAL_POSITIONS = Listing("/historical/positions", Position, "market_positions")
SETTLEMENTS = Listing("/portfolio/settlements", PortfolioSettlement, "settlements")


def _own(pages: Iterator[Page[Fill]], subaccount: int) -> Iterator[Page[Fill]]:
    """The pages, with the fills that name another subaccount rejected. One that names none is that of the list."""
    for page in pages:
        foreign = {f.raw: f.record.subaccount for f in page.records if f.record.subaccount not in (None, subaccount)}
        rejected = [
            Rejected(
                page.endpoint,
                f"subaccount_number is {other} in the list of subaccount {subaccount}, so it isn't that subaccount's "
                "fill",
                raw,
            )
            for raw, other in foreign.items()
        ]
        own = [f for f in page.records if f.raw not in foreign]
        yield replace(page, records=own, rejected=page.rejected + rejected)


class Exchange:
    """Kalshi's market data and, with a key, the user's portfolio, as typed records.

    Args:
        config: address, key, rate limit and retries.
        budget: a bucket shared with other workers; defaults to one for this process alone.
        admit: is shown who sent each successful response, and raises to refuse it.
    """

    def __init__(self, config: ExchangeConfig, budget: RequestBudget | None = None, admit: Admit | None = None) -> None:
        self.key_id = config.key_id
        self._transport = Transport(config, budget, admit)

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *exc: object) -> None:
        self._transport.close()

    @property
    def traffic(self) -> Traffic:
        """Requests, retries and waiting so far."""
        return self._transport.traffic

    def now(self) -> datetime:
        """The exchange's time, from the Date header of its last response, whatever its status.

        Without one so far, it asks ``GET /exchange/status``.
        """
        if self._transport.clock_offset is None:
            self._transport.greet("/exchange/status")
        return datetime.now(UTC) + (self._transport.clock_offset or timedelta(0))

    def identity(self) -> Identity:
        """Who answers; ``GET /exchange/status`` where no answer came yet."""
        while (known := self._transport.identity) is None:
            self._transport.greet("/exchange/status")
        return known

    def historical_cutoff(self) -> HistoricalCutoff:
        """``GET /historical/cutoff``."""
        return self._transport.get("/historical/cutoff", HistoricalCutoff)

    def series(self, series_ticker: str) -> Page[Series]:
        """``GET /series/{series_ticker}``. Raises RequestRefused (404) for an unknown series."""
        path = f"/series/{quote(series_ticker, safe='')}"
        return Page(path, 1, *sift([self._transport.get(path, _SeriesAnswer).series], Series, path), None)

    def all_series(self) -> Page[Series]:
        """``GET /series``: every series of the exchange in one answer, some 18 MB (September 2026)."""
        path = "/series"
        return Page(path, 1, *sift(self._transport.get(path, _AllSeriesAnswer).series or [], Series, path), None)

    def events(self, *, max_pages: int | None = None, **filters: Any) -> Iterator[Page[Event]]:
        """``GET /events``; filters: series_ticker, tickers (comma list), status, min_close_ts (unix s)."""
        return self._pages(EVENTS, filters, max_pages=max_pages)

    def markets(self, *, max_pages: int | None = None, **filters: Any) -> Iterator[Page[Market]]:
        """``GET /markets``: the live tier. Filters as the exchange names them (series_ticker, status, …)."""
        return self._pages(MARKETS, filters, max_pages=max_pages)

    def historical_markets(
        self, *, start: str | None = None, max_pages: int | None = None, **filters: Any
    ) -> Iterator[Page[Market]]:
        """``GET /historical/markets``; one of series_ticker, event_ticker, tickers. ``start``: a page's cursor."""
        return self._pages(HISTORICAL_MARKETS, filters, start, max_pages)

    def trades(self, **filters: Any) -> Iterator[Page[Trade]]:
        """``GET /markets/trades``: the live tier, newest first. Filters: ticker (one), min_ts, max_ts (unix s)."""
        return self._pages(TRADES, filters)

    def historical_trades(self, **filters: Any) -> Iterator[Page[Trade]]:
        """``GET /historical/trades``: trades before the cutoff, with the filters of :meth:`trades`."""
        return self._pages(HISTORICAL_TRADES, filters)

    def fills(self, subaccount: int, **filters: Any) -> Iterator[Page[Fill]]:
        """``GET /portfolio/fills``: the user's executions, newest first. Filters: min_ts, max_ts (unix s), ticker."""
        return _own(self._pages(FILLS, {**filters, "subaccount": subaccount}), subaccount)

    def historical_fills(self, subaccount: int, *, start: str | None = None, **filters: Any) -> Iterator[Page[Fill]]:
        """``GET /historical/fills``: fills before the cutoff. ``start``: a page's cursor."""
        return _own(self._pages(HISTORICAL_FILLS, {**filters, "subaccount": subaccount}, start), subaccount)

    def positions(self, subaccount: int, settlement_status: str, **filters: Any) -> Iterator[Page[Position]]:
        """``GET /portfolio/positions``; status: unsettled, settled (not archived yet) or all. Filter: ticker (one)."""
        return self._pages(POSITIONS, {**filters, "subaccount": subaccount, "settlement_status": settlement_status})

    def historical_positions(self, subaccount: int, **filters: Any) -> Iterator[Page[Position]]:
        """``GET /historical/positions``: positions in archived events. Filter: ticker (one)."""
        return self._pages(HISTORICAL_POSITIONS, {**filters, "subaccount": subaccount})

    def portfolio_settlements(self, subaccount: int, **filters: Any) -> Iterator[Page[PortfolioSettlement]]:
        """``GET /portfolio/settlements``: settlements that aren't archived yet. Filters: min_ts, max_ts (unix s)."""
        return self._pages(SETTLEMENTS, {**filters, "subaccount": subaccount})

    def account_limits(self) -> AccountLimits:
        """``GET /account/limits``. Raises RequestRefused (401) without a valid key."""
        return self._transport.get("/account/limits", AccountLimits)

    def scope(self) -> str | None:
        """What the key may read, found by trying: the scope ``read``, only the balance, or None for neither.

        Raises:
            RequestRefused: the key itself isn't accepted (401).
        """
        for path, scope in (("/portfolio/positions", READ), ("/portfolio/balance", READ_BALANCE)):
            try:
                self._transport.get(path, _Anything)
            except RequestRefused as error:
                if error.status != 403:
                    raise
            else:
                return scope
        return None

    def balance(self, subaccount: int) -> Balance:
        """``GET /portfolio/balance``."""
        return self._transport.get("/portfolio/balance", Balance, subaccount=subaccount)

    def candles(self, market_tickers: Sequence[str], start: int, end: int) -> list[MarketCandles]:
        """``GET /markets/candlesticks``: minutes of up to 100 live markets, ending within [start, end], unix s.

        At most 10,000 minutes in all. Archived and unknown markets are missing from the response.
        """
        path = "/markets/candlesticks"
        tickers = ",".join(market_tickers)
        answer = self._transport.get(
            path, _BatchCandlesAnswer, market_tickers=tickers, start_ts=start, end_ts=end, period_interval=1
        )
        return [read_candles(m.candlesticks, LiveCandle, path, m.market_ticker) for m in answer.markets]

    def event_candles(self, series_ticker: str, event_ticker: str, start: int, end: int) -> Iterator[MarketCandles]:
        """``GET /series/{s}/events/{e}/candlesticks``: minutes of all live markets of an event.

        The exchange truncates a long response and reports where (``adjusted_end_ts``); this continues from there.

        Raises:
            ExchangeError: a response was truncated without any progress.
        """
        path = f"/series/{quote(series_ticker, safe='')}/events/{quote(event_ticker, safe='')}/candlesticks"
        seen_until = start - 1
        while True:
            answer = self._transport.get(path, _EventCandlesAnswer, start_ts=start, end_ts=end, period_interval=1)
            for ticker, raw in zip(answer.market_tickers, answer.market_candlesticks, strict=True):
                found = read_candles(raw, LiveCandle, path, ticker)
                # Each response begins with the last candle of the previous one.
                yield replace(found, candles=[c for c in found.candles if c.end_ts > seen_until])
            if answer.adjusted_end_ts >= end:
                return
            if answer.adjusted_end_ts <= start:
                raise ExchangeError(
                    f"GET {path} was truncated at {answer.adjusted_end_ts}, no later than its start {start}, so the "
                    f"minutes up to {end} can't be read. Run the task again; if it persists, report it to Kalshi."
                )
            start = seen_until = answer.adjusted_end_ts

    def historical_candles(self, market_ticker: str, start: int, end: int) -> MarketCandles | None:
        """``GET /historical/markets/{m}/candlesticks``: minutes of an archived market; None for a live one (404).

        At most 5,000 minutes.
        """
        path = f"/historical/markets/{quote(market_ticker, safe='')}/candlesticks"
        try:
            answer = self._transport.get(path, _MarketCandlesAnswer, start_ts=start, end_ts=end, period_interval=1)
        except RequestRefused as error:
            if error.status == 404:
                return None
            raise
        return read_candles(answer.candlesticks, ArchivedCandle, path, market_ticker)

    def _pages(
        self,
        listing: Listing[Record],
        filters: dict[str, Any],
        start: str | None = None,
        max_pages: int | None = None,
    ) -> Iterator[Page[Record]]:
        def fetch(cursor: str | None, number: int) -> Page[Record]:
            query = {**filters, "limit": listing.limit, "cursor": cursor}
            answer: Any = self._transport.get(listing.path, listing.answer, **query)
            found, rejected = sift(getattr(answer, listing.selector), listing.record, listing.path)
            return Page(listing.path, number, found, rejected, answer.cursor)

        return paginate(fetch, start=start, max_pages=max_pages)
