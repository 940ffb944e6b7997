-- The trades and contracts of each of these series and UTC day, for the 60 days up to the latest trade.
SELECT m.series_ticker AS series, DATE_FORMAT(t.executed_at_utc, '%Y-%m-%d') AS day, COUNT(*) AS trades,
  CAST(SUM(t.`count`) AS CHAR) AS contracts
FROM kalshi_trade t
JOIN kalshi_market m ON m.market_ticker = t.market_ticker
WHERE m.series_ticker IN :series
  AND t.executed_at_utc > (SELECT MAX(executed_at_utc) FROM kalshi_trade) - INTERVAL 60 DAY
GROUP BY series, day
ORDER BY day, series
