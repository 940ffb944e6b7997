-- How many trades of an event are stored.
SELECT COUNT(*) AS trades
FROM kalshi_market m
JOIN kalshi_trade t ON t.market_ticker = m.market_ticker
WHERE m.event_ticker = :event
