-- What is known to be missing of an event: gaps of its markets, and those of its whole series while it was open.
SELECT job, market_ticker AS market, window_start_utc, window_end_utc, reason, since_utc, accepted_reason
FROM kalshi_gap
WHERE scope IN (:series, '*') AND market_ticker IN :markets AND window_start_utc < :closes AND window_end_utc > :opens
ORDER BY job, window_start_utc, market_ticker
LIMIT 500
