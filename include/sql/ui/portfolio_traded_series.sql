-- The series that were ever traded.
SELECT DISTINCT m.series_ticker AS series
FROM kalshi_traded_market t
JOIN kalshi_market m ON m.market_ticker = t.market_ticker
ORDER BY series
LIMIT 1000
