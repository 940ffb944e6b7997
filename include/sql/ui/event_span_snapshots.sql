-- The first and last snapshot of each market.
SELECT market_ticker AS market, MIN(snapshot_at_utc) AS first, MAX(snapshot_at_utc) AS last
FROM kalshi_price_snapshot
WHERE market_ticker IN :markets
GROUP BY market_ticker
