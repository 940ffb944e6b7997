-- The events of these markets.
SELECT market_ticker AS market, event_ticker AS event FROM kalshi_market WHERE market_ticker IN :markets LIMIT 2000
