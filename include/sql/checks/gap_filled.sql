-- No gap is left that no run is reading at the moment. Ordinary runs fill gaps; beyond a day, see gap_filled_in_time.
SELECT job, market_ticker, window_start_utc, window_end_utc, reason, attempts, since_utc
FROM {batch}
WHERE age_hours < 24 AND NOT is_being_read
