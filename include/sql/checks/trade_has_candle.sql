-- Every minute with a trade has a candle, in markets with candles in the window; block trades don't count.
SELECT t.trade_id, t.market_ticker, t.executed_at_utc
FROM {batch} AS t
LEFT JOIN kalshi_candle_1m c ON c.market_ticker = t.market_ticker AND c.bucket_start_utc =
  TIMESTAMP(DATE(t.executed_at_utc), MAKETIME(HOUR(t.executed_at_utc), MINUTE(t.executed_at_utc), 0))
WHERE c.market_ticker IS NULL AND NOT t.is_block_trade AND t.executed_at_utc < t.close_time_utc
  AND EXISTS (SELECT 1 FROM kalshi_candle_1m other WHERE other.market_ticker = t.market_ticker
    AND other.bucket_start_utc >= :start AND other.bucket_start_utc < :end)
