-- How many trades of an event are stored, and how many of them are of one of its markets.
SELECT COUNT(*) AS trades, COALESCE(SUM(:market = '' OR m.market_ticker = :market), 0) AS shown
FROM kalshi_market m
JOIN kalshi_trade t ON t.market_ticker = m.market_ticker
WHERE m.event_ticker = :event
