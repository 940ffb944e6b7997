-- The first and last minute of each market in kalshi_candle_1m.
SELECT market_ticker AS market, MIN(bucket_start_utc) AS first, MAX(bucket_start_utc) AS last
FROM kalshi_candle_1m
WHERE market_ticker IN :markets
GROUP BY market_ticker
