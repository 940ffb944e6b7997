"""What the exchange's answers say of series, events and markets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from sandbox import bodies
from sandbox.bodies import Body, EventFacts, SeriesFacts, Shown, Terms
from sandbox.synthetic.calendar import STATUSES, Place, Rows, lives
from sandbox.synthetic.dice import draw
from sandbox.synthetic.flow import flow
from sandbox.synthetic.kinds import GRIDS
from sandbox.synthetic.outcomes import legs
from sandbox.synthetic.plan import SECOND, Plan, Series
from sandbox.synthetic.prices import MINUTE, book
from sandbox.synthetic.tape import last_price
from sandbox.synthetic.tickers import LEVEL, LOWEST, WIDTH, Tickers
from sandbox.tape import at
from sandbox.wire import stamp_of

Leg = dict[str, str]

SOURCES = [{"name": "Sandbox", "url": "https://example.com/results"}]
RULES = "This market is synthetic: the sandbox made it up."
COLLECTION = "-R"
"""How the ticker of a combo's collection goes on after that of its series."""
DAY = 86_400 * SECOND
DETERMINED, FINALIZED = STATUSES.index("determined"), STATUSES.index("finalized")


class State(NamedTuple):
    """A market at one moment. Prices in cents; ``level``: a random number for its strike."""

    status: int
    updated: int
    close: int
    ends: int
    settled: int
    bid: float
    ask: float
    bid_size: int
    ask_size: int
    last: float
    volume: int
    volume_24h: int
    value: float
    level: float


class Facts:
    """The bodies of a plan's series, events and markets."""

    def __init__(self, plan: Plan, tickers: Tickers) -> None:
        self._plan = plan
        self._tickers = tickers
        self._terms = lru_cache(2048)(self._make_terms)

    def series(self, of: Series, *, include_volume: bool) -> Body:
        body = bodies.series(
            SeriesFacts(
                ticker=of.ticker,
                title=_title(of),
                categories=of.kind.categories,
                tags=of.kind.tags,
                frequency=of.kind.frequency,
                terms=of.kind.name.upper(),
                sources=SOURCES,
                shard=of.kind.shard,
            )
        )
        return {**body, "volume_fp": "1000000.00"} if include_volume else body

    def event(self, place: Place) -> Body:
        of, ticker = self._plan.series[place.series], self._tickers.event(place.series, place.event)
        return bodies.event(
            EventFacts(
                ticker=ticker,
                series=of.ticker,
                title=f"{_title(of)}: what happens in {ticker}?",
                sub_title=f"Number {place.event}",
                category=of.kind.categories[0],
                sources=SOURCES,
                mutually_exclusive=of.kind.outcome == "winner",
                strike_date=at(self._opens(place) + int(self._plan.life[place.series]))
                if of.kind.when == "time"
                else None,
                product_metadata={"competition": of.kind.name},
                shard=of.kind.shard,
            )
        )

    def markets(self, rows: Rows, now: int) -> list[Body]:
        """The markets in ``rows`` at that time."""
        combos = self._combos(rows)
        pairs = zip(rows.places(), _states(self._plan, rows, now), strict=True)
        return [self._market(place, state, combos.get(place, [])) for place, state in pairs]

    def _market(self, place: Place, state: State, its_legs: list[Leg]) -> Body:
        of, ticker = self._plan.series[place.series], self._tickers.market(*place)
        yes, strike_type, more = self._strike(of, place, ticker, state.level, its_legs)
        if state.close != state.ends:
            more["close_time"] = stamp_of(state.close)
        if state.status >= DETERMINED:
            more |= _result(of, state.value, state.settled if state.status == FINALIZED else None)
        shown = Shown(
            ticker=ticker,
            title=f"{_title(of)}: {yes}?",
            yes=yes,
            rules=f"If {yes} happens in {place.event}, then the market resolves to Yes.",
            strike_type=strike_type,
            status=STATUSES[state.status],
            updated=at(state.updated),
            bid=state.bid,
            ask=state.ask,
            bid_size=state.bid_size,
            ask_size=state.ask_size,
            last=state.last,
            volume=state.volume,
            volume_24h=state.volume_24h,
            more=more,
        )
        return bodies.market(self._terms(place.series, place.event), shown)

    def _opens(self, place: Place) -> int:
        return int(self._plan.start[place.series] + place.event * self._plan.period[place.series])

    def _make_terms(self, series: int, event: int) -> Body:
        plan, place, kind = self._plan, Place(series, event), self._plan.series[series].kind
        opens = self._opens(place)
        ends = at(opens + int(plan.life[series]))
        return bodies.terms(
            Terms(
                event=self._tickers.event(series, event),
                created=at(opens - int(plan.lead[series])),
                opens=at(opens),
                closes=ends,
                expected=ends + timedelta(seconds=kind.lag),
                expires=ends + timedelta(days=7),
                rules=RULES,
                early_close="This market closes early if the event occurs." if kind.stopping else None,
                grid={kind.grid: GRIDS[kind.grid]},
                market_type="scalar" if kind.outcome == "scalar" else "binary",
                settlement_timer_seconds=kind.lag // 4,
                shard=kind.shard,
            )
        )

    def _strike(
        self, of: Series, place: Place, ticker: str, level: float, its_legs: list[Leg]
    ) -> tuple[str, str, dict[str, Any]]:
        """What YES means, the type of strike, and its fields."""
        suffix, kind = ticker.rpartition("-")[2], of.kind
        if kind.suffix == "brackets":
            return _bracket(place.market, int(self._plan.markets[of.number]) - 1)
        if kind.suffix == "levels":
            return f"Above {LEVEL * place.market:.2f}%", kind.strike_type, {"floor_strike": LEVEL * place.market}
        if kind.suffix == "up":
            name = "floor_strike" if kind.strike_type.startswith("greater") else "cap_strike"
            return "Price up in time", kind.strike_type, {name: round(50_000 + 10_000 * level, 2)}
        if kind.is_combo:
            text = ",".join(f"{leg['side']} {leg['market_ticker']}" for leg in its_legs)
            fields = {"mve_collection_ticker": of.ticker + COLLECTION, "mve_selected_legs": its_legs}
            return text, kind.strike_type, fields
        if kind.strike_type == "functional":
            return f"Score of {suffix}", kind.strike_type, {"functional_strike": "x / 100"}
        return f"Choice {suffix}", kind.strike_type, {"custom_strike": {kind.name: suffix}}

    def _combos(self, rows: Rows) -> dict[Place, list[Leg]]:
        """The legs of those markets that are combos."""
        combos = rows.take(np.flatnonzero(self._plan.is_combo[rows.series]))
        if not len(combos):
            return {}
        columns = [
            [self._leg(place, is_yes) for place, is_yes in zip(leg.places(), yes.tolist(), strict=True)]
            for leg, yes in legs(self._plan, combos)
        ]
        return {place: list(its_legs) for place, *its_legs in zip(combos.places(), *columns, strict=True)}

    def _leg(self, place: Place, is_yes: bool) -> Leg:
        return {
            "event_ticker": self._tickers.event(place.series, place.event),
            "market_ticker": self._tickers.market(*place),
            "side": "yes" if is_yes else "no",
        }


def _states(plan: Plan, rows: Rows, now: int) -> Iterator[State]:
    of = lives(plan, rows)
    flows, books = flow(plan, rows, of), book(plan, rows, of)
    traded = flows.count(now)
    volume = flows.volume(traded)
    quotes = books.quotes(np.full(len(rows), now // MINUTE))
    columns = {
        "status": of.status(now),
        "updated": of.updated(now),
        "close": of.close(now),
        "ends": of.ends,
        "settled": of.settled,
        "bid": quotes.bid / 100,
        "ask": quotes.ask / 100,
        "bid_size": quotes.bid_size,
        "ask_size": quotes.ask_size,
        "last": last_price(books, flows, traded) / 100,
        "volume": volume,
        "volume_24h": volume - flows.volume(flows.count(now - DAY)),
        "value": books.last,
        "level": draw(of.key, 71),
    }
    return map(State, *(columns[name].tolist() for name in State._fields))


def _title(of: Series) -> str:
    return f"Synthetic {of.kind.name} {of.number}"


def _bracket(market: int, last: int) -> tuple[str, str, dict[str, Any]]:
    floor = LOWEST + WIDTH * (market - 1)
    if market == 0:
        return f"Below {LOWEST}", "less", {"cap_strike": LOWEST}
    if market == last:
        return f"{floor} or above", "greater_or_equal", {"floor_strike": floor}
    return f"{floor} to {floor + WIDTH - 0.01}", "between", {"floor_strike": floor, "cap_strike": floor + WIDTH - 0.01}


def _result(of: Series, value: float, settled: int | None) -> dict[str, str]:
    """The result once it is determined; ``settled``: since when it is final."""
    result = "scalar" if of.kind.outcome == "scalar" else ("yes" if value else "no")
    found = {"result": result, "expiration_value": f"{value:.2f}" if result == "scalar" else result.title()}
    if settled is not None:
        found |= {"settlement_ts": stamp_of(settled), "settlement_value_dollars": f"{value:.4f}"}
    return found
