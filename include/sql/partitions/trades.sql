-- The trades in the window, with their market's open and close.
SELECT STRAIGHT_JOIN t.*, m.open_time_utc, m.close_time_utc
FROM kalshi_trade t
JOIN kalshi_market m ON m.market_ticker = t.market_ticker
WHERE t.market_ticker IN :markets AND t.executed_at_utc >= :start AND t.executed_at_utc < :end
