-- Every settlement belongs to an existing market and event.
SELECT s.market_ticker, s.event_ticker
FROM {batch} AS s
LEFT JOIN kalshi_market m ON m.market_ticker = s.market_ticker
LEFT JOIN kalshi_event e ON e.event_ticker = s.event_ticker
WHERE m.market_ticker IS NULL OR e.event_ticker IS NULL
