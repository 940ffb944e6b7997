"""Public trades."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from kalshi.records.types import Count, Dollars, Ticker, Time


class Trade(Struct, frozen=True, kw_only=True):
    """One public trade. ``taker_side`` is the outcome that the taker bought, ``yes`` or ``no``."""

    trade_id: Annotated[str, Meta(min_length=1, max_length=64)]
    ticker: Ticker
    executed: Time = field(name="created_time")
    yes_price: Dollars = field(name="yes_price_dollars")
    no_price: Dollars | None = field(name="no_price_dollars", default=None)
    count: Count = field(name="count_fp")
    taker_outcome_side: str | None = None
    old_taker_side: str | None = field(name="taker_side", default=None)
    taker_book_side: str | None = None
    is_block_trade: bool = False

    @property
    def taker_side(self) -> str | None:
        return self.taker_outcome_side or self.old_taker_side
