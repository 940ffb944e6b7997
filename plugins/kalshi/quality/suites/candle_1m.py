"""The expectations for ``kalshi_candle_1m``."""

from kalshi.quality.suites.suite import Suite, over

QUOTES = [f"yes_{side}_{name}" for side in ("bid", "ask") for name in ("open", "high", "low", "close")]
TRADES = [f"trade_{name}" for name in ("open", "high", "low", "close", "mean", "previous", "min", "max")]

SUITE = Suite(
    "kalshi_candle_1m",
    "candle",
    {
        "market_ticker": "varchar key",
        "bucket_start_utc": "datetime key",
        "source": "varchar key",
        "period_minutes": "smallint",
        **dict.fromkeys([*QUOTES, *TRADES, "volume", "open_interest"], "decimal null"),
        "run_id": "bigint",
    },
    (
        *over(
            "candles",
            "candle_prices_in_range",
            "candle_prices_ordered",
            "candle_quotes_there",
            "candle_not_crossed",
            "candle_uncrossed_all_minute",
            "candle_spread_fillable",
            "candle_trades_complete",
            "candle_numbers_not_negative",
            "candle_on_the_minute",
            "candle_in_market_life",
            "candle_source_known",
            "candle_sources_agree",
        ),
        *over("candle_tickers", "candle_has_market"),
    ),
)
