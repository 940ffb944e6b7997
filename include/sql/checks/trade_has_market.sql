-- Every trade belongs to an existing market.
SELECT t.market_ticker
FROM {batch} AS t
LEFT JOIN kalshi_market m ON m.market_ticker = t.market_ticker
WHERE m.market_ticker IS NULL
