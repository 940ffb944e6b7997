-- No minute is missing between a market's first and last dense minute in the window.
SELECT market_ticker, MIN(bucket_start_utc) AS first_utc, MAX(bucket_start_utc) AS last_utc, COUNT(*) AS minutes
FROM {batch}
GROUP BY market_ticker
HAVING COUNT(*) <> TIMESTAMPDIFF(MINUTE, MIN(bucket_start_utc), MAX(bucket_start_utc)) + 1
