-- No gap is older than a day: by then every job has had a scheduled run that could fill it.
SELECT job, market_ticker, window_start_utc, window_end_utc, reason, attempts, since_utc
FROM {batch}
WHERE age_hours >= 24
