-- Every candle belongs to an existing market.
SELECT c.market_ticker
FROM {batch} AS c
LEFT JOIN kalshi_market m ON m.market_ticker = c.market_ticker
WHERE m.market_ticker IS NULL
