"""The trade lists: a tier's public trades, newest first, starting at any trade."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from sandbox.queries import BadRequest, Query, cursor_at
from sandbox.tape import HOUR, MINUTE, Trade, at, micros
from sandbox.world import TIER_OVERLAP, World


def live_trades(query: Query, world: World) -> tuple[list[Trade], str]:
    """A page of the trades since the cutoff, and the next one's cursor."""
    return _page(query, world, world.cutoff(), world.clock.now())


def historical_trades(query: Query, world: World) -> tuple[list[Trade], str]:
    """A page of the older ones; around the cutoff both tiers have a trade."""
    return _page(query, world, world.first_opening(), world.cutoff() + TIER_OVERLAP)


def _page(query: Query, world: World, first: datetime, last: datetime) -> tuple[list[Trade], str]:
    limit = query.limit(100, 0, 1000)
    start, end = max(query.moment("min_ts") or first, first), min(query.moment("max_ts") or last, last)
    before = _place(query.cursor())
    some = list(islice(_newest_first(query, world, micros(start), micros(end) + 1, before), limit + 1))
    return some[:limit], cursor_at(f"{some[limit - 1].created}/{some[limit - 1].id}") if len(some) > limit else ""


def _place(cursor: str) -> tuple[int, str] | None:
    """Time and id of the previous page's last trade."""
    if not cursor:
        return None
    try:
        created, trade_id = cursor.split("/")
        return int(created), trade_id
    except ValueError:
        raise BadRequest("invalid cursor") from None


def _newest_first(query: Query, world: World, start: int, end: int, before: tuple[int, str] | None) -> Iterator[Trade]:
    """Hour by hour, so that a page costs no more than the hours it covers."""
    ticker = query.text("ticker")
    blocks = query.flag("is_block_trade") if query.text("is_block_trade") else None
    market = world.market(ticker) if ticker else None
    if ticker and not market:
        return
    if market:
        start, end = max(start, market.event.minutes.start * MINUTE), min(end, market.event.minutes.stop * MINUTE)
    if before:
        end = min(end, before[0] + 1)
    for hour in range((end - 1) // HOUR * HOUR, start - HOUR, -HOUR):
        trading = [market] if market else world.trading(at(hour))
        window = max(start, hour), min(end, hour + HOUR)
        trades = (trade for m in trading for trade in world.tape.trades(m, *window, blocks=blocks is True))
        for trade in sorted(trades, reverse=True):
            if blocks in (None, trade.is_block) and (before is None or trade[:2] < before):
                yield trade
