"""The expectations for ``kalshi_market``, and for a market's candles and settlement."""

from kalshi.quality.suites.suite import Suite, over

SUITE = Suite(
    "kalshi_market",
    "market",
    {
        "market_ticker": "varchar key",
        "event_ticker": "varchar",
        "series_ticker": "varchar",
        "status": "varchar null",
        "result": "varchar null",
        "strike_type": "varchar null",
        **dict.fromkeys(
            [
                "floor_strike",
                "cap_strike",
                "settlement_value",
                "last_price",
                "yes_bid",
                "yes_ask",
                "yes_bid_size",
                "yes_ask_size",
                "volume",
                "open_interest",
            ],
            "decimal null",
        ),
        **dict.fromkeys(["open_time_utc", "close_time_utc", "settlement_ts_utc"], "datetime null"),
        "is_placeholder": "tinyint",
        "run_id": "bigint",
    },
    over(
        "markets",
        "market_has_event",
        "market_times_known",
        "market_numbers_in_range",
        "market_not_crossed",
        "market_has_candles",
        "market_opens_with_candles",
        "market_time_zone",
        "market_settlement_there",
    ),
)
