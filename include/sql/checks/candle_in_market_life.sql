-- Candles lie within their market's life, from the minute of its open to its close.
SELECT market_ticker, bucket_start_utc, source, open_time_utc, close_time_utc
FROM {batch}
WHERE bucket_start_utc + INTERVAL 1 MINUTE <= open_time_utc OR bucket_start_utc >= close_time_utc
