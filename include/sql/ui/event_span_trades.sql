-- The first and last trade of each market.
SELECT market_ticker AS market, MIN(executed_at_utc) AS first, MAX(executed_at_utc) AS last
FROM kalshi_trade
WHERE market_ticker IN :markets
GROUP BY market_ticker
