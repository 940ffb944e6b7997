-- Markets have an open and a close time, in that order.
SELECT market_ticker, open_time_utc, close_time_utc
FROM {batch}
WHERE open_time_utc IS NULL OR close_time_utc IS NULL OR open_time_utc >= close_time_utc
