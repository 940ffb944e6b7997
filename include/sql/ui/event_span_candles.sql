-- The first and last candle with quotes of each market in kalshi_candle_1m; candles built from trades have none.
SELECT market_ticker AS market, MIN(bucket_start_utc) AS first, MAX(bucket_start_utc) AS last
FROM kalshi_candle_1m
WHERE market_ticker IN :markets AND source = 'api_event'
GROUP BY market_ticker
