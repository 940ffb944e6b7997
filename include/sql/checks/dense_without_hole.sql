-- From a market's first dense minute in the window to its last none is left out.
SELECT market_ticker, MIN(bucket_start_utc) AS first_utc, MAX(bucket_start_utc) AS last_utc, COUNT(*) AS minutes
FROM {batch}
GROUP BY market_ticker
HAVING COUNT(*) <> TIMESTAMPDIFF(MINUTE, MIN(bucket_start_utc), MAX(bucket_start_utc)) + 1
