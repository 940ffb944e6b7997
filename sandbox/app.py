"""The routes, as a Starlette application."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import format_datetime
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import bodies, candlesticks, portfolio, trades
from sandbox.access import READ, READ_BALANCE, TOKENS_PER_REQUEST, Keys, RateLimit
from sandbox.account import Account
from sandbox.faults import Fault, Faults, distort
from sandbox.part import Listed, ListedEvent, PageFrom, Part
from sandbox.queries import BadRequest, Query, cursor_at
from sandbox.weather_part import WeatherPart
from sandbox.wire import stamp
from sandbox.world import World

Handler = Callable[[Request, Query], dict[str, Any]]
MARK = "X-Synthetic-Exchange"
"""A header of every response, with the exchange's name, so that clients know its data is synthetic."""


class NotFound(LookupError):
    """Not found: status 404."""


def _json(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def _error(status: int, code: str, message: str, details: str = "") -> Response:
    error = {"code": code, "message": message}
    return _json({"error": {**error, "details": details} if details else error}, status)


class _Marked:
    """Adds the header ``MARK`` to every response."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app = app
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[MARK] = self._name
            await send(message)

        await self._app(scope, receive, marked)


class Sandbox:
    """One exchange: its world and what it lists beside it, its account and API keys, its rate limit and its faults."""

    def __init__(self, world: World, *others: Part, requests_per_second: float = 20.0) -> None:
        self.world = world
        self.parts: list[Part] = [WeatherPart(world), *others]
        self.account = Account(world)
        self.keys = Keys()
        self.limit = RateLimit(requests_per_second)
        self.faults = Faults()
        self.headers: Counter[str] = Counter()

    def app(self) -> Starlette:
        public: dict[str, Handler] = {
            "/exchange/status": self._status,
            "/account/endpoint_costs": self._costs,
            "/series": self._series_list,
            "/series/{series}": self._series,
            "/events": self._events,
            "/events/multivariate": self._combo_events,
            "/events/{event}": self._event,
            "/markets": self._markets,
            "/markets/trades": self._trades,
            "/markets/candlesticks": self._batch_candles,
            "/markets/{market}": self._market,
            "/series/{series}/markets/{market}/candlesticks": self._candles,
            "/series/{series}/events/{event}/candlesticks": self._event_candles,
            "/historical/cutoff": self._cutoff,
            "/historical/markets": self._historical_markets,
            "/historical/markets/{market}": self._historical_market,
            "/historical/markets/{market}/candlesticks": self._historical_candles,
            "/historical/trades": self._historical_trades,
        }
        private: dict[str, Handler] = {
            "/portfolio/balance": self._of_account(portfolio.balance),
            "/portfolio/positions": self._of_account(portfolio.live_positions),
            "/portfolio/fills": self._of_account(portfolio.live_fills),
            "/portfolio/settlements": self._of_account(portfolio.settlements),
            "/historical/fills": self._of_account(portfolio.historical_fills),
            "/historical/positions": self._of_account(portfolio.historical_positions),
            "/account/limits": self._limits,
        }
        routes = [Route(path, self._endpoint(handler)) for path, handler in public.items()]
        routes += [Route(path, self._endpoint(handler, signed=True)) for path, handler in private.items()]
        control = [
            Route("/faults", self._set_faults, methods=["PUT"]),
            Route("/stats", self._stats),
        ]
        return Starlette(
            routes=[Mount("/trade-api/v2", routes=routes), Mount("/sandbox", routes=control)],
            middleware=[Middleware(_Marked, name=f"sandbox, seed {self.world.seed}")],
        )

    def _endpoint(self, handler: Handler, *, signed: bool = False) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            path = request.url.path
            self.headers.update(request.headers.keys())
            if not self.limit.admits(path):
                return _json({"error": "too many requests"}, 429)
            scopes = (READ, READ_BALANCE) if path.endswith("/portfolio/balance") else (READ,)
            if signed and (refusal := self.keys.refusal(request.method, path, request.headers, scopes)):
                return _error(*refusal)
            struck = self.faults.strike(path, request.url.query)
            if early := await _early(struck):
                return early
            try:
                body = handler(request, Query(request.query_params))
            except BadRequest as error:
                return _error(400, "bad_request", str(error), error.details)
            except NotFound as error:
                return _error(404, "not_found", str(error))
            content = msgspec.json.encode(distort(body, struck, request.query_params.get("cursor")))
            return _damaged(content, struck) or Response(content, media_type="application/json")

        async def dated(request: Request) -> Response:
            response = await answer(request)
            if self.world.clock.is_a_wall_clock:  # one that stands or runs tells nothing of now
                response.headers["Date"] = format_datetime(self.world.clock.now(), usegmt=True)
            return response

        return dated

    def _status(self, request: Request, query: Query) -> dict[str, Any]:
        return {
            "exchange_active": True,
            "trading_active": True,
            "intra_exchange_transfers_active": True,
            "exchange_estimated_resume_time": None,
            "exchange_index_statuses": [],
        }

    def _costs(self, request: Request, query: Query) -> dict[str, Any]:
        return {"default_cost": TOKENS_PER_REQUEST, "endpoint_costs": []}

    def _series_list(self, request: Request, query: Query) -> dict[str, Any]:
        volume = query.flag("include_volume")
        return {"series": [body for part in self.parts for body in part.series(include_volume=volume)]}

    def _series(self, request: Request, query: Query) -> dict[str, Any]:
        ticker, volume = request.path_params["series"], query.flag("include_volume")
        found = (part.one_series(ticker, include_volume=volume) for part in self.parts)
        body = next(filter(None, found), None)
        if body is None:
            raise NotFound(f"series {ticker} not found")
        return {"series": body}

    def _events(self, request: Request, query: Query) -> dict[str, Any]:
        return self._list("events", query, query.limit(200, 1, 200), [part.events(query) for part in self.parts])

    def _combo_events(self, request: Request, query: Query) -> dict[str, Any]:
        lists = [part.combo_events(query) for part in self.parts]
        return self._list("events", query, query.limit(100, 1, 200), lists)

    def _event(self, request: Request, query: Query) -> dict[str, Any]:
        event = self._find_event(request)
        if query.flag("with_nested_markets"):
            return {"event": {**event.body(), "markets": event.markets()}, "markets": []}
        return {"event": event.body(), "markets": event.markets()}

    def _markets(self, request: Request, query: Query) -> dict[str, Any]:
        lists = [part.live_markets(query) for part in self.parts]
        return self._list("markets", query, query.limit(100, 0, 1000), lists)

    def _historical_markets(self, request: Request, query: Query) -> dict[str, Any]:
        lists = [part.historical_markets(query) for part in self.parts]
        return self._list("markets", query, query.limit(100, 0, 1000), lists)

    def _list(self, name: str, query: Query, limit: int, lists: list[PageFrom]) -> dict[str, Any]:
        """A page of the parts' lists, one after the other. The cursor is the list's number and the place in it."""
        first, place = _place(query.cursor(), len(lists))
        some: list[bodies.Body] = []
        for number in range(first, len(lists)):
            found, place = lists[number](place, limit - len(some))
            some += found
            if place:
                return {name: some, "cursor": cursor_at(f"{number}:{place}" if number else place)}
        return {name: some, "cursor": ""}

    def _find_event(self, request: Request) -> ListedEvent:
        """The event in the path, which must belong to the path's series if there is one."""
        event = next(filter(None, (part.event(request.path_params["event"]) for part in self.parts)), None)
        if event is None or request.path_params.get("series", event.series) != event.series:
            raise NotFound("event not found")
        return event

    def _find(self, ticker: str) -> Listed | None:
        return next(filter(None, (part.market(ticker) for part in self.parts)), None)

    def _live(self, request: Request) -> Listed:
        """The market in the path, which must belong to the path's series if there is one."""
        market = self._find(request.path_params["market"])
        if market is None or not market.in_live_tier:
            raise NotFound("market not found")
        if request.path_params.get("series", market.series) != market.series:
            raise NotFound("market not found in that series")
        return market

    def _archived(self, request: Request) -> Listed:
        market = self._find(request.path_params["market"])
        if market is None or not market.in_historical_tier:
            raise NotFound("market not found")
        return market

    def _market(self, request: Request, query: Query) -> dict[str, Any]:
        return {"market": self._live(request).body()}

    def _historical_market(self, request: Request, query: Query) -> dict[str, Any]:
        return {"market": self._archived(request).body()}

    def _cutoff(self, request: Request, query: Query) -> dict[str, Any]:
        cutoff = stamp(self.world.cutoff())
        names = ("market_settled_ts", "trades_created_ts", "orders_updated_ts", "market_positions_last_updated_ts")
        return dict.fromkeys(names, cutoff)

    def _trades(self, request: Request, query: Query) -> dict[str, Any]:
        page, cursor = trades.live_trades(query, self.world, self.parts)
        return {"trades": [bodies.trade(t) for t in page], "cursor": cursor}

    def _historical_trades(self, request: Request, query: Query) -> dict[str, Any]:
        page, cursor = trades.historical_trades(query, self.world, self.parts)
        return {"trades": [bodies.trade(t) for t in page], "cursor": cursor}

    def _candles(self, request: Request, query: Query) -> dict[str, Any]:
        return candlesticks.of_market(query, self._live(request))

    def _batch_candles(self, request: Request, query: Query) -> dict[str, Any]:
        return candlesticks.of_batch(query, self._find)

    def _event_candles(self, request: Request, query: Query) -> dict[str, Any]:
        return candlesticks.of_event(query, self._find_event(request).charts())

    def _historical_candles(self, request: Request, query: Query) -> dict[str, Any]:
        return candlesticks.of_archived_market(query, self._archived(request))

    def _of_account(self, respond: Callable[[Query, World, Account], dict[str, Any]]) -> Handler:
        return lambda request, query: respond(query, self.world, self.account)

    def _limits(self, request: Request, query: Query) -> dict[str, Any]:
        return {
            "usage_tier": "basic",
            "read": {"refill_rate": 200, "bucket_capacity": 400},
            "write": {"refill_rate": 100, "bucket_capacity": 200},
            "grants": [],
        }

    async def _set_faults(self, request: Request) -> Response:
        try:
            self.faults.set(msgspec.json.decode(await request.body(), type=list[Fault]))
        except msgspec.DecodeError as error:
            return _error(400, "bad_request", str(error))
        return _json({})

    async def _stats(self, request: Request) -> Response:
        limit = self.limit
        counts = {"by_second": limit.by_second, "by_path": limit.by_path, "by_header": self.headers}
        return _json({**counts, "refused": limit.refused})


def _place(cursor: str, lists: int) -> tuple[int, str]:
    """The number of the list where a page begins, and the place in it; a bare place is one in the first list."""
    number, colon, place = cursor.partition(":")
    if not colon:
        return 0, cursor
    if number not in map(str, range(1, lists)):
        raise BadRequest("invalid cursor")
    return int(number), place


async def _early(struck: list[Fault]) -> Response | None:
    """The response of a fault that strikes before the request is processed."""
    for fault in struck:
        if fault.kind == "slow":
            await asyncio.sleep(float(fault.value or 1))
        elif fault.kind == "http_400":
            return _error(400, "bad_request", "bad request")
        elif fault.kind == "http_403":
            return _error(403, "forbidden", "the key lacks the scope")
        elif fault.kind == "http_404":
            return _error(404, "not_found", "not found")
        elif fault.kind == "redirect":
            return RedirectResponse(fault.value)
        elif fault.kind == "http_429":
            response = _json({"error": "too many requests"}, 429)
            if fault.value:
                response.headers["Retry-After"] = str(fault.value)
            return response
        elif fault.kind == "http_500":
            return _error(500, "internal_server_error", "internal error")
        elif fault.kind == "http_502":
            return PlainTextResponse("Bad Gateway", 502)
    return None


def _damaged(content: bytes, struck: list[Fault]) -> Response | None:
    kinds = {fault.kind for fault in struck}
    half = content[: len(content) // 2]
    if "truncated_json" in kinds:
        return Response(half, media_type="application/json")
    if "binary" in kinds:
        return Response(bytes(range(256)), media_type="application/json")
    if "html" in kinds:
        return HTMLResponse("<!DOCTYPE html><title>Down for maintenance</title>")
    if "dropped_connection" in kinds:

        async def broken() -> AsyncIterator[bytes]:
            yield half
            raise ConnectionResetError("the fault dropped_connection")

        return StreamingResponse(broken(), headers={"Content-Length": str(len(content))})
    return None
