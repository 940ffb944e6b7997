-- The candles of a market are not shifted as a whole against its life, as times in the wrong time zone would be.
SELECT market_ticker, open_time_utc, first_candle_utc, last_candle_utc, close_time_utc
FROM (
  SELECT m.market_ticker, m.open_time_utc, m.close_time_utc,
    (SELECT MIN(c.bucket_start_utc) FROM kalshi_candle_1m c WHERE c.market_ticker = m.market_ticker) AS first_candle_utc,
    (SELECT MAX(c.bucket_start_utc) FROM kalshi_candle_1m c WHERE c.market_ticker = m.market_ticker) AS last_candle_utc
  FROM {batch} AS m
) AS life
WHERE first_candle_utc <= open_time_utc - INTERVAL 30 MINUTE
    AND last_candle_utc <= close_time_utc - INTERVAL TIMESTAMPDIFF(MINUTE, first_candle_utc, open_time_utc) MINUTE
  OR first_candle_utc >= open_time_utc + INTERVAL 30 MINUTE AND last_candle_utc >= close_time_utc
    AND TIMESTAMPDIFF(MINUTE, close_time_utc, last_candle_utc)
      >= TIMESTAMPDIFF(MINUTE, open_time_utc, first_candle_utc) - 2 * :open_minutes
