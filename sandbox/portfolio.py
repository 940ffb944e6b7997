"""The private lists: fills, positions, settlements and the balance of the account."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sandbox.account import Account, Fill, Holding, Settlement
from sandbox.queries import BadRequest, Query
from sandbox.tape import at, micros
from sandbox.wire import contracts, stamp
from sandbox.world import TIER_OVERLAP, World

Item = TypeVar("Item")
LAST_SUBACCOUNT = 63
STATUSES = ("unsettled", "settled", "all")
COUNTS: dict[str, Callable[[Holding], int]] = {"position": lambda h: h.position, "total_traded": lambda h: h.traded}


def money(micro_dollars: int) -> str:
    """Dollars with six digits."""
    sign, whole = "-" if micro_dollars < 0 else "", abs(micro_dollars)
    return f"{sign}{whole // 1_000_000}.{whole % 1_000_000:06d}"


def live_fills(query: Query, world: World, account: Account) -> dict[str, Any]:
    """The fills since the cutoff, newest first."""
    if len((query.text("ticker") or "").split(",")) > 100:
        raise BadRequest("at most 100 tickers")
    return _fills(query, [f for f in account.fills() if f.created >= micros(world.cutoff())])


def historical_fills(query: Query, world: World, account: Account) -> dict[str, Any]:
    """The older ones; around the cutoff both tiers have a fill."""
    return _fills(query, [f for f in account.fills() if f.created < micros(world.cutoff() + TIER_OVERLAP)])


def _fills(query: Query, fills: list[Fill]) -> dict[str, Any]:
    subaccount, order = _subaccount(query), query.text("order_id")
    tickers = query.text("ticker")
    low, high = query.moment("min_ts"), query.moment("max_ts")

    def matches(fill: Fill) -> bool:
        return (
            subaccount in (None, fill.subaccount)
            and order in (None, fill.order_id)
            and (tickers is None or fill.market.ticker in tickers.split(","))
            and (low is None or fill.created >= micros(low))
            and (high is None or fill.created <= micros(high))
        )

    some, cursor = query.page(_of_shard(query, fills[::-1]), matches, query.limit(100, 1, 1000))
    return {"fills": [_fill(f) for f in some], "cursor": cursor}


def live_positions(query: Query, world: World, account: Account) -> dict[str, Any]:
    """The positions of events that aren't archived; unsettled ones unless asked otherwise."""
    status = query.text("settlement_status") or "unsettled"
    if status not in STATUSES:
        raise BadRequest(f"settlement_status must be one of {', '.join(STATUSES)}")
    now, cutoff = world.clock.now(), world.cutoff()
    live = [h for h in account.holdings() if h.market.event.settles >= cutoff]
    wanted = [h for h in live if status == "all" or (h.market.event.settles <= now) == (status == "settled")]
    return _positions(query, wanted)


def historical_positions(query: Query, world: World, account: Account) -> dict[str, Any]:
    """The positions of archived events."""
    return _positions(query, [h for h in account.holdings() if world.in_historical_tier(h.market)])


def _positions(query: Query, holdings: list[Holding]) -> dict[str, Any]:
    ticker, event = query.text("ticker"), query.text("event_ticker")
    subaccount = _subaccount(query) or 0
    names = [name for name in (query.text("count_filter") or "").split(",") if name]
    if unknown := set(names) - set(COUNTS):
        raise BadRequest(f"invalid count_filter: {', '.join(sorted(unknown))}")
    own = [h for h in _of_shard(query, holdings) if h.subaccount == subaccount]

    def matches(holding: Holding) -> bool:
        return (
            ticker in (None, holding.market.ticker)
            and event in (None, holding.market.event.ticker)
            and (not names or any(COUNTS[name](holding) for name in names))
        )

    some, cursor = query.page(own, matches, query.limit(100, 1, 1000))
    events = dict.fromkeys(h.market.event.ticker for h in some)
    return {
        "market_positions": [_position(h) for h in some],
        "event_positions": [_event_position(e, (h for h in own if h.market.event.ticker == e)) for e in events],
        "cursor": cursor,
    }


def settlements(query: Query, world: World, account: Account) -> dict[str, Any]:
    """The settlements since the cutoff, newest first."""
    ticker, event, subaccount = query.text("ticker"), query.text("event_ticker"), _subaccount(query)
    low, high = query.moment("min_ts"), query.moment("max_ts")
    cutoff = world.cutoff()
    settled = [h for h in account.holdings() if h.settlement and h.market.event.settles >= cutoff]

    def matches(holding: Holding) -> bool:
        when = holding.market.event.settles
        return (
            ticker in (None, holding.market.ticker)
            and event in (None, holding.market.event.ticker)
            and subaccount in (None, holding.subaccount)
            and (low is None or when >= low)
            and (high is None or when <= high)
        )

    newest = sorted(settled, key=lambda h: h.market.event.settles, reverse=True)
    some, cursor = query.page(newest, matches, query.limit(100, 1, 1000))
    return {"settlements": [_settlement(h, h.settlement) for h in some if h.settlement], "cursor": cursor}


def balance(query: Query, world: World, account: Account) -> dict[str, Any]:
    """Cash, and what the open positions would bring at the bid."""
    subaccount, now = _subaccount(query) or 0, micros(world.clock.now())
    own = [h for h in _of_shard(query, account.holdings()) if h.subaccount == subaccount]
    cash = account.cash(own, subaccount) if not query.number("exchange_index") else 0
    value = sum(h.value(world.tape.snapshot(h.market, now).quote) for h in own if h.lots)
    return {
        "balance": cash // 10_000,
        "balance_dollars": money(cash),
        "portfolio_value": value // 10_000,
        "updated_ts": max((h.updated for h in own), default=0) // 1_000_000,
        "balance_breakdown": [{"exchange_index": 0, "balance": money(cash)}],
    }


def _subaccount(query: Query) -> int | None:
    number = query.number("subaccount")
    if number is not None and not 0 <= number <= LAST_SUBACCOUNT:
        raise BadRequest(f"subaccount must be between 0 and {LAST_SUBACCOUNT}")
    return number


def _of_shard(query: Query, items: list[Item]) -> list[Item]:
    """All items on shard 0, the only one; none on others."""
    return [] if query.number("exchange_index") else items


def _fill(fill: Fill) -> dict[str, Any]:
    outcome = "yes" if fill.takes_yes else "no"
    return {
        "action": fill.action,
        "book_side": "bid" if fill.takes_yes else "ask",
        "count_fp": contracts(fill.size),
        "created_time": stamp(at(fill.created)),
        "exchange_index": 0,
        "fee_cost": money(fill.fee),
        "fill_id": fill.id,
        "is_taker": fill.is_taker,
        "market_ticker": fill.market.ticker,
        "no_price_dollars": f"{(100 - fill.price) / 100:.4f}",
        "order_id": fill.order_id,
        "outcome_side": outcome,
        "side": fill.side,
        "subaccount_number": fill.subaccount,
        "ticker": fill.market.ticker,
        "trade_id": fill.id,
        "ts": fill.created // 1_000_000,
        "yes_price_dollars": f"{fill.price / 100:.4f}",
    }


def _position(holding: Holding) -> dict[str, Any]:
    return {
        "exchange_index": 0,
        "fees_paid_dollars": money(holding.fees),
        "last_updated_ts": stamp(at(holding.updated)),
        "market_exposure_dollars": money(holding.exposure),
        "position_fp": contracts(holding.position),
        "realized_pnl_dollars": money(holding.realized),
        "ticker": holding.market.ticker,
        "total_traded_dollars": money(holding.traded),
    }


def _event_position(event: str, holdings: Iterable[Holding]) -> dict[str, Any]:
    own = list(holdings)
    return {
        "event_exposure_dollars": money(sum(h.exposure for h in own)),
        "event_ticker": event,
        "fees_paid_dollars": money(sum(h.fees for h in own)),
        "realized_pnl_dollars": money(sum(h.realized for h in own)),
        "total_cost_dollars": money(sum(h.traded for h in own)),
        "total_cost_shares_fp": contracts(sum(h.shares for h in own)),
    }


def _settlement(holding: Holding, paid: Settlement) -> dict[str, Any]:
    return {
        "event_ticker": holding.market.event.ticker,
        "exchange_index": 0,
        "fee_cost": money(holding.fees),
        "market_result": paid.result,
        "no_count_fp": contracts(paid.no_count),
        "no_total_cost_dollars": money(paid.no_cost),
        "revenue": paid.revenue,
        "settled_time": stamp(at(paid.settled)),
        "ticker": holding.market.ticker,
        "value": paid.value,
        "yes_count_fp": contracts(paid.yes_count),
        "yes_total_cost_dollars": money(paid.yes_cost),
    }
