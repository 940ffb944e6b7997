-- No market has ten or more candles before its open or after its close, as a wrong time zone would cause.
SELECT market_ticker, open_time_utc, close_time_utc, candles_before_open, candles_after_close
FROM (
  SELECT m.market_ticker, m.open_time_utc, m.close_time_utc,
    (SELECT COUNT(*) FROM kalshi_candle_1m c WHERE c.market_ticker = m.market_ticker
      AND c.bucket_start_utc <= m.open_time_utc - INTERVAL 1 MINUTE) AS candles_before_open,
    (SELECT COUNT(*) FROM kalshi_candle_1m c WHERE c.market_ticker = m.market_ticker
      AND c.bucket_start_utc >= m.close_time_utc) AS candles_after_close
  FROM {batch} AS m
) AS life
WHERE candles_before_open >= 10 OR candles_after_close >= 10
