-- A minute with volume has all four trade prices; a minute without volume has none.
SELECT market_ticker, bucket_start_utc, source, volume, trade_open, trade_high, trade_low, trade_close
FROM {batch}
WHERE volume IS NULL
  OR volume > 0 AND (trade_open IS NULL OR trade_high IS NULL OR trade_low IS NULL OR trade_close IS NULL)
  OR volume = 0 AND COALESCE(trade_open, trade_high, trade_low, trade_close) IS NOT NULL
