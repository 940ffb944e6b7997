-- Every price snapshot belongs to an existing market.
SELECT p.market_ticker
FROM {batch} AS p
LEFT JOIN kalshi_market m ON m.market_ticker = p.market_ticker
WHERE m.market_ticker IS NULL
