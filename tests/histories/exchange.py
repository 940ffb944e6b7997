"""Answers the real client's requests in this process, from the model; and the faults of the way between them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter

from kalshi.exchange import Exchange, ExchangeConfig, RetryPolicy
from tests.histories.model import MINUTE, Candle, Market, Model, Trade, stamp

BASE_URL = "https://small.exchange.test/trade-api/v2"
ATTEMPTS = 2
STATUSES = {
    "unopened": {"initialized"},
    "open": {"active"},
    "paused": {"inactive"},
    "closed": {"closed", "determined"},
    "settled": {"finalized"},
}
Item = TypeVar("Item")


class Refused(Exception):
    """The exchange's answer isn't 200."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


@dataclass
class Trouble:
    """What goes wrong on the way during one run: ``times`` requests after the first ``after`` fail as ``how`` says.

    ``how``: 503; lost (no answer); cut (an unreadable body); doubled (lists show a record twice, at the ends of their
    pages, because others were added while they were read).
    """

    after: int = 0
    times: int = 0
    how: str = "503"


@dataclass
class SmallExchange(BaseAdapter):
    """A transport adapter for requests. ``shown``: when a list of markets first named each, readable or not."""

    model: Model
    trouble: Trouble = field(default_factory=Trouble)
    seen: int = 0
    shown: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        routes: dict[str, Callable[..., Any]] = {
            r"/exchange/status": self._status,
            r"/historical/cutoff": self._cutoff,
            r"/series": self._all_series,
            r"/series/([^/]+)": self._series,
            r"/events": self._events,
            r"/markets": self._markets,
            r"/markets/([^/]+)": self._market,
            r"/historical/markets": self._historical_markets,
            r"/historical/markets/([^/]+)": self._historical_market,
            r"/markets/trades": self._trades,
            r"/historical/trades": self._historical_trades,
            r"/markets/candlesticks": self._batch_candles,
            r"/historical/markets/([^/]+)/candlesticks": self._historical_candles,
            r"/series/([^/]+)/markets/([^/]+)/candlesticks": self._market_candles,
            r"/series/([^/]+)/events/([^/]+)/candlesticks": self._event_candles,
        }
        # The routes without a ticker first: /markets/trades isn't the market "trades".
        self._routes = [(re.compile(path), routes[path]) for path in sorted(routes, key=lambda path: "(" in path)]

    def client(self) -> Exchange:
        """A client of the project, which gives up after two attempts and never waits."""
        exchange = Exchange(ExchangeConfig(BASE_URL, requests_per_second=1e9, retry=RetryPolicy(ATTEMPTS, 0, 0)))
        session = exchange._transport._session
        session.mount("https://", self)
        session.trust_env = False  # looking for a proxy takes longer than the answer
        return exchange

    def close(self) -> None:
        """Nothing is open."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.seen += 1
        trouble = self.trouble
        is_hit = trouble.after < self.seen <= trouble.after + trouble.times
        if is_hit and trouble.how == "lost":
            raise requests.ConnectionError("no answer")
        if is_hit and trouble.how == "503":
            return self._response(request, 503, b"busy")
        address = urlsplit(request.url or "")
        path = address.path.removeprefix("/trade-api/v2")
        query = dict(parse_qsl(address.query))
        try:
            body = json.dumps(self._answer(path, query)).encode()
        except Refused as refusal:
            words = {"error": {"code": "refused", "message": str(refusal)}}
            return self._response(request, refusal.status, json.dumps(words).encode())
        return self._response(request, 200, body[: len(body) // 2] if is_hit and trouble.how == "cut" else body)

    def _response(self, request: requests.PreparedRequest, status: int, body: bytes) -> requests.Response:
        response = requests.Response()
        response.status_code, response.request, response.url = status, request, request.url or ""
        response._content = body
        response.headers["Date"] = format_datetime(self.model.now.replace(microsecond=0), usegmt=True)
        return response

    def _answer(self, path: str, query: dict[str, str]) -> Any:
        for pattern, route in self._routes:
            if found := pattern.fullmatch(path):
                return route(query, *found.groups())
        raise Refused(404, f"no such path: {path}")

    def _page(self, name: str, items: Sequence[Any], query: dict[str, str]) -> dict[str, Any]:
        """One page of a list. The cursor is a position; where records were added meanwhile, some come twice."""
        first = int(query.get("cursor") or 0)
        size = min(self.model.page_size, int(query.get("limit") or 100))
        following = first + size if first + size < len(items) else None
        start = max(0, first - 1) if self.trouble.how == "doubled" else first
        return {name: list(items[start : first + size]), "cursor": str(following) if following else ""}

    def _status(self, query: dict[str, str]) -> Any:
        return {"exchange_active": True, "trading_active": True}

    def _cutoff(self, query: dict[str, str]) -> Any:
        cutoff = stamp(self.model.cutoff)
        return {"market_settled_ts": cutoff, "trades_created_ts": cutoff, "orders_updated_ts": cutoff}

    def _series(self, query: dict[str, str], ticker: str) -> Any:
        if ticker != self.model.series:
            raise Refused(404, "no such series")
        return {"series": {"ticker": ticker, "title": "A small series", "category": "Climate", "frequency": "daily"}}

    def _all_series(self, query: dict[str, str]) -> Any:
        return {"series": [self._series({}, self.model.series)["series"]]}

    def _events(self, query: dict[str, str]) -> Any:
        _only(query, "series_ticker", "tickers", "min_close_ts")
        since, tickers = _moment(query, "min_close_ts"), query.get("tickers")
        known = [m for m in self.model.markets if self.model.knows(m) and (not since or m.closes >= since)]
        events = sorted({m.event_ticker for m in known if not tickers or m.event_ticker in tickers.split(",")})
        series = self.model.series
        found = [{"event_ticker": e, "series_ticker": series, "title": e, "mutually_exclusive": True} for e in events]
        return self._page("events", found, query)

    def _listed(self, query: dict[str, str], *, archived: bool) -> list[Market]:
        """The markets of a tier that these filters let through, the latest first."""
        tickers = query["tickers"].split(",") if query.get("tickers") else None
        found = [
            m
            for m in self.model.markets
            if self.model.knows(m)
            and self.model.is_archived(m) == archived
            and (tickers is None or m.ticker in tickers)
            and query.get("event_ticker") in (None, m.event_ticker)
            and query.get("series_ticker") in (None, self.model.series)
        ]
        return sorted(found, key=lambda m: (m.opens, m.ticker), reverse=True)

    def _show(self, markets: Sequence[Market], query: dict[str, str]) -> Any:
        page = self._page("markets", markets, query)
        for market in page["markets"]:
            self.shown.setdefault(market.ticker, self.model.now)
        return page | {"markets": [self.model.market_json(m) for m in page["markets"]]}

    def _markets(self, query: dict[str, str]) -> Any:
        ranges = {"created": "listed", "close": "closes", "settled": "settled"}
        bounds = [f"{side}_{what}_ts" for what in ranges for side in ("min", "max")]
        _only(query, "series_ticker", "event_ticker", "tickers", "status", "mve_filter", *bounds)
        wanted = (
            STATUSES.get(query["status"]) if query.get("status") else {s for each in STATUSES.values() for s in each}
        )
        if wanted is None:
            raise Refused(400, f"no such status: {query['status']}")
        found = [m for m in self._listed(query, archived=False) if self.model.status(m) in wanted]
        for what, attribute in ranges.items():
            first, last = _moment(query, f"min_{what}_ts"), _moment(query, f"max_{what}_ts")
            if what == "settled" and (first or last):
                found = [m for m in found if self.model.is_settled(m)]
            found = [m for m in found if not first or getattr(m, attribute) >= first]
            found = [m for m in found if not last or getattr(m, attribute) <= last]
        return self._show(found, query)

    def _historical_markets(self, query: dict[str, str]) -> Any:
        _only(query, "series_ticker", "event_ticker", "tickers", "mve_filter")
        return self._show(self._listed(query, archived=True), query)

    def _market(self, query: dict[str, str], ticker: str, *, archived: bool = False) -> Any:
        found = self._show(self._listed({"tickers": ticker}, archived=archived), {})["markets"]
        if not found:
            raise Refused(404, "no such market")
        return {"market": found[0]}

    def _historical_market(self, query: dict[str, str], ticker: str) -> Any:
        return self._market(query, ticker, archived=True)

    def _trades(self, query: dict[str, str], *, archived: bool = False) -> Any:
        """Trades go to the historical tier by their own time. A market that has none in a tier is empty there."""
        _only(query, "ticker", "min_ts", "max_ts", "is_block_trade")
        first, last = _moment(query, "min_ts"), _moment(query, "max_ts")
        if ticker := query.get("ticker"):
            market = self.model.market(ticker)
            has_left = market is not None and archived and not self.model.is_archived(market)
            if market is None or (has_left and not self.model.is_terse and market.opens >= self.model.cutoff):
                raise Refused(404, "no such market")
            markets = [market]
        else:
            # The tape is a log: it shows the trades of markets that no other route knows yet, or for now.
            markets = self.model.markets
        found: list[tuple[Market, Trade]] = [
            (market, trade)
            for market in markets
            for trade in self.model.trades(market)
            if (trade.at < self.model.cutoff) == archived
            and (not first or trade.at >= first)
            and (not last or trade.at <= last)
        ]
        found.sort(key=lambda pair: pair[1].at, reverse=True)
        return self._page("trades", [self.model.trade_json(*pair) for pair in found], query)

    def _historical_trades(self, query: dict[str, str]) -> Any:
        return self._trades(query, archived=True)

    def _candles(self, market: Market, query: dict[str, str], *, archived: bool = False) -> list[dict[str, Any]]:
        first, last = _moment(query, "start_ts"), _moment(query, "end_ts")
        if not first or not last or query.get("period_interval") != "1":
            raise Refused(400, "start_ts, end_ts and period_interval=1 are required")
        inside: Iterable[Candle] = (c for c in self.model.candles(market) if first <= c.end <= last)
        return [self.model.candle_json(market, c, is_archived=archived) for c in inside]

    def _batch_candles(self, query: dict[str, str]) -> Any:
        tickers = query["market_tickers"].split(",")
        first, last = _moment(query, "start_ts"), _moment(query, "end_ts")
        if len(tickers) > 100 or (first and last and len(tickers) * ((last - first) / MINUTE) > 10_000):
            raise Refused(400, "more than 100 markets or 10000 candles")
        found = []
        for market in filter(None, map(self.model.market, tickers)):
            if not self.model.is_archived(market):
                found.append({"market_ticker": market.ticker, "candlesticks": self._candles(market, query)})
            elif self.model.is_terse:
                found.append({"market_ticker": market.ticker, "candlesticks": []})
        return {"markets": found}

    def _market_candles(self, query: dict[str, str], _: str, ticker: str) -> Any:
        market = self.model.market(ticker)
        if market is None or self.model.is_archived(market):
            raise Refused(404, "no such market")
        return {"ticker": ticker, "candlesticks": self._candles(market, query)}

    def _event_candles(self, query: dict[str, str], _: str, event: str) -> Any:
        live = self._listed({"event_ticker": event}, archived=False)
        return {
            "market_tickers": [m.ticker for m in live],
            "market_candlesticks": [self._candles(m, query) for m in live],
            "adjusted_end_ts": int(query["end_ts"]),
        }

    def _historical_candles(self, query: dict[str, str], ticker: str) -> Any:
        market = self.model.market(ticker)
        if market is None or (not self.model.is_archived(market) and not self.model.is_terse):
            raise Refused(404, "no such market")
        is_here = self.model.is_archived(market)
        return {"ticker": ticker, "candlesticks": self._candles(market, query, archived=True) if is_here else []}


def _only(query: dict[str, str], *known: str) -> None:
    """Refuse a filter that this exchange doesn't have, so that no job relies on one without anybody noticing."""
    if unknown := set(query) - {*known, "limit", "cursor"}:
        raise Refused(400, f"unknown parameters: {', '.join(sorted(unknown))}")


def _moment(query: dict[str, str], name: str) -> datetime | None:
    return datetime.fromtimestamp(int(query[name]), UTC) if query.get(name) else None
