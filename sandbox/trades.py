"""The trade lists: a tier's public trades, newest first, starting at any trade."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from heapq import merge
from itertools import islice

from sandbox.part import Part, TradeWindow
from sandbox.queries import BadRequest, Query, cursor_at
from sandbox.tape import Trade, micros
from sandbox.world import TIER_OVERLAP, World


def live_trades(query: Query, world: World, parts: Sequence[Part]) -> tuple[list[Trade], str]:
    """A page of the trades since the cutoff, and the next one's cursor."""
    return _page(query, parts, world.cutoff(), world.clock.now())


def historical_trades(query: Query, world: World, parts: Sequence[Part]) -> tuple[list[Trade], str]:
    """A page of the older ones; around the cutoff both tiers have a trade."""
    first = min(part.first_opening() for part in parts)
    return _page(query, parts, first, world.cutoff() + TIER_OVERLAP)


def _page(query: Query, parts: Sequence[Part], first: datetime, last: datetime) -> tuple[list[Trade], str]:
    limit = query.limit(100, 0, 1000)
    start, end = max(query.moment("min_ts") or first, first), min(query.moment("max_ts") or last, last)
    before = _place(query.cursor())
    window = TradeWindow(
        start=micros(start),
        end=min(micros(end), before[0] if before else micros(end)) + 1,
        before=before,
        ticker=query.text("ticker"),
        blocks=query.flag("is_block_trade") if query.text("is_block_trade") else None,
    )
    newest_first = merge(*(part.trades(window) for part in parts), reverse=True)
    some = list(islice(newest_first, limit + 1))
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
