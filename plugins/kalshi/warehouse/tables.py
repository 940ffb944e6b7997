"""What the writer needs to know about each table: its columns, its key, and how each column is guarded.

The tables are defined, and their columns documented, in ``include/sql/migrations/``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum


class Guard(Enum):
    """How an incoming value may change the stored one."""

    REPLACE = "{new}"
    KEEP_KNOWN = "COALESCE(NULLIF({new}, ''), {old})"
    KEEP_KNOWN_VALUE = "COALESCE({new}, {old})"
    INSERT_ONLY = "{old}"
    EXACT_TIME = (  # a proxy never replaces the exchange's own settlement time
        "IF(s.`settled_at_source` = 'settlement_ts' OR {table}.`settled_at_source` <> 'settlement_ts', {new}, {old})"
    )
    WHEN_CLOSED = "IF({table}.`quantity` = 0, {new}, {old})"


@dataclass(frozen=True)
class Table:
    """A target of the writer. ``columns`` are the ones written, in the order of the rows' values.

    ``version``: the column that tells whether a row is older than the stored one and must not change it. Null
    does not count as older, and must be guarded from erasing the stored version.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    guards: dict[str, Guard] = field(default_factory=dict)
    default_guard: Guard = Guard.REPLACE
    version: str | None = None

    def guarded(self, column: str) -> str:
        """The SQL for the new value of ``column`` when the key already exists; ``s`` is the new row."""
        guard = self.guards.get(column, self.default_guard)
        old = self.qualified(column)
        kept = guard.value.format(old=old, new=f"s.`{column}`", table=f"`{self.name}`")
        return f"IF({self.is_older('s')}, {old}, {kept})" if self.version else kept

    def is_older(self, row: str) -> str:
        """The SQL that tests whether the new ``row`` is older than the stored one."""
        return f"COALESCE({row}.`{self.version}` < {self.qualified(self.version or '')}, FALSE)"

    def qualified(self, column: str) -> str:
        return f"`{self.name}`.`{column}`"


SERIES = Table(
    "kalshi_series",
    key=("series_ticker",),
    columns=(
        "series_ticker",
        "title",
        "category",
        "frequency",
        "tags",
        "settlement_sources",
        "contract_terms_url",
        "fee_type",
        "fee_multiplier",
        "is_placeholder",
        "raw_json",
    ),
)

SERIES_PLACEHOLDER = Table(
    "kalshi_series",
    key=("series_ticker",),
    columns=("series_ticker", "is_placeholder"),
    default_guard=Guard.INSERT_ONLY,
)

EVENT = Table(
    "kalshi_event",
    key=("event_ticker",),
    columns=(
        "event_ticker",
        "series_ticker",
        "title",
        "sub_title",
        "category",
        "strike_date_utc",
        "strike_period",
        "event_date",
        "mutually_exclusive",
        "collateral_return_type",
        "is_placeholder",
        "raw_json",
    ),
)

EVENT_PLACEHOLDER = Table(
    "kalshi_event",
    key=("event_ticker",),
    columns=("event_ticker", "series_ticker", "event_date", "is_placeholder"),
    default_guard=Guard.INSERT_ONLY,
)

MARKET = Table(
    "kalshi_market",
    key=("market_ticker",),
    columns=(
        "market_ticker",
        "event_ticker",
        "series_ticker",
        "title",
        "subtitle",
        "yes_sub_title",
        "no_sub_title",
        "market_type",
        "status",
        "settlement_value",
        "result",
        "settlement_ts_utc",
        "expiration_value",
        "strike_type",
        "floor_strike",
        "cap_strike",
        "functional_strike",
        "custom_strike",
        "open_time_utc",
        "close_time_utc",
        "expiration_time_utc",
        "expected_expiration_time_utc",
        "latest_expiration_time_utc",
        "exchange_created_at_utc",
        "exchange_updated_at_utc",
        "can_close_early",
        "settlement_timer_seconds",
        "last_price",
        "yes_bid",
        "yes_ask",
        "yes_bid_size",
        "yes_ask_size",
        "volume",
        "volume_24h",
        "open_interest",
        "is_placeholder",
        "raw_json",
    ),
    guards={
        "status": Guard.KEEP_KNOWN,
        "result": Guard.KEEP_KNOWN,
        "expiration_value": Guard.KEEP_KNOWN,
        "settlement_ts_utc": Guard.KEEP_KNOWN_VALUE,
        "settlement_value": Guard.KEEP_KNOWN_VALUE,
        "exchange_updated_at_utc": Guard.KEEP_KNOWN_VALUE,
        "open_time_utc": Guard.KEEP_KNOWN_VALUE,
        "close_time_utc": Guard.KEEP_KNOWN_VALUE,
    },
    version="exchange_updated_at_utc",
)

MARKET_PLACEHOLDER = replace(MARKET, guards={}, default_guard=Guard.INSERT_ONLY, version=None)

MARKET_TICKER = replace(
    MARKET_PLACEHOLDER, columns=("market_ticker", "event_ticker", "series_ticker", "is_placeholder")
)

SETTLEMENT = Table(
    "kalshi_settlement",
    key=("market_ticker",),
    columns=(
        "market_ticker",
        "event_ticker",
        "series_ticker",
        "settlement_value",
        "result",
        "settled_at_utc",
        "settled_at_source",
    ),
    guards={
        "settlement_value": Guard.KEEP_KNOWN_VALUE,
        "settled_at_utc": Guard.EXACT_TIME,
        "settled_at_source": Guard.EXACT_TIME,
    },
)

DECISION_TIME = Table(
    "kalshi_decision_time",
    key=("event_ticker", "decision"),
    columns=("event_ticker", "decision", "decided_at_utc"),
)

TRADE = Table(
    "kalshi_trade",
    key=("trade_id",),
    columns=(
        "trade_id",
        "market_ticker",
        "executed_at_utc",
        "yes_price",
        "no_price",
        "count",
        "taker_side",
        "taker_book_side",
        "is_block_trade",
    ),
)

CANDLE_PRICES = (
    "yes_bid_open",
    "yes_bid_high",
    "yes_bid_low",
    "yes_bid_close",
    "yes_ask_open",
    "yes_ask_high",
    "yes_ask_low",
    "yes_ask_close",
    "trade_open",
    "trade_high",
    "trade_low",
    "trade_close",
    "trade_mean",
    "trade_previous",
)
"""The prices of a minute, in the column order of every candle table."""

CANDLE_1M = Table(
    "kalshi_candle_1m",
    key=("market_ticker", "bucket_start_utc", "source"),
    columns=(
        "market_ticker",
        "bucket_start_utc",
        "source",
        "period_minutes",
        *CANDLE_PRICES,
        "trade_min",
        "trade_max",
        "volume",
        "open_interest",
    ),
    # The historical tier doesn't send these two; it must not erase what the live tier sent.
    guards={"trade_min": Guard.KEEP_KNOWN_VALUE, "trade_max": Guard.KEEP_KNOWN_VALUE},
)

CANDLE_1M_DENSE = Table(
    "kalshi_candle_1m_dense",
    key=("market_ticker", "bucket_start_utc"),
    columns=(
        "market_ticker",
        "bucket_start_utc",
        "source",
        "is_synthetic",
        "has_trade",
        *CANDLE_PRICES,
        "volume",
        "open_interest",
    ),
)

RECONCILIATION = Table(
    "kalshi_reconciliation",
    key=("market_ticker",),
    columns=(
        "market_ticker",
        "series_ticker",
        "exchange_volume",
        "trade_volume",
        "block_trade_volume",
        "candle_volume",
        "trades",
        "candles",
        "trades_verdict",
        "candles_verdict",
        "trades_reason",
        "candles_reason",
        "differing_minutes",
        "trades_checksum",
        "candles_checksum",
    ),
)

PRICE_SNAPSHOT = Table(
    "kalshi_price_snapshot",
    key=("market_ticker", "snapshot_at_utc"),
    columns=(
        "market_ticker",
        "snapshot_at_utc",
        "observed_at_utc",
        "status",
        "yes_bid",
        "yes_ask",
        "last_price",
        "yes_bid_size",
        "yes_ask_size",
        "volume",
        "volume_24h",
        "open_interest",
        "is_empty_book",
    ),
    # The first observation is the one that was true at that time.
    default_guard=Guard.INSERT_ONLY,
)

POSITION = Table(
    "kalshi_position",
    key=("market_ticker", "subaccount"),
    columns=(
        "market_ticker",
        "subaccount",
        "opened_at_utc",  # before the quantity: its guard looks at the old one
        "closed_at_utc",
        "quantity",
        "avg_price",
        "current_price",
        "realized_pnl",
        "fees_paid",
    ),
    guards={"opened_at_utc": Guard.WHEN_CLOSED},
)

EXCHANGE_POSITION = Table(
    "kalshi_exchange_position",
    key=("market_ticker", "subaccount"),
    columns=(
        "market_ticker",
        "subaccount",
        "list",
        "quantity",
        "exposure",
        "realized_pnl",
        "fees_paid",
        "total_traded",
        "exchange_updated_at_utc",
    ),
)

FILL = Table(
    "kalshi_fill",
    key=("fill_id",),
    columns=(
        "fill_id",
        "market_ticker",
        "subaccount",
        "order_id",
        "action",
        "side",
        "outcome",
        "quantity",
        "price",
        "yes_price",
        "no_price",
        "total_cost",
        "fee_cost",
        "is_taker",
        "executed_at_utc",
    ),
)

PORTFOLIO_SETTLEMENT = Table(
    "kalshi_portfolio_settlement",
    key=("market_ticker", "settled_at_utc", "subaccount"),
    columns=(
        "market_ticker",
        "settled_at_utc",
        "subaccount",
        "event_ticker",
        "result",
        "value",
        "yes_count",
        "yes_total_cost",
        "no_count",
        "no_total_cost",
        "revenue",
        "fee_cost",
    ),
)

BALANCE = Table(
    "kalshi_balance",
    key=("balance_date", "subaccount"),
    columns=("balance_date", "subaccount", "balance", "portfolio_value", "exchange_updated_at_utc"),
)
