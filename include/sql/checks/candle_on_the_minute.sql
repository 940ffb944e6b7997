-- Candles start on the minute and last one minute.
SELECT market_ticker, bucket_start_utc, source, period_minutes
FROM {batch}
WHERE SECOND(bucket_start_utc) <> 0 OR MICROSECOND(bucket_start_utc) <> 0 OR period_minutes <> 1
