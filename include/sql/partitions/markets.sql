-- The markets that are open at any time in the window.
SELECT * FROM kalshi_market WHERE market_ticker IN :markets
