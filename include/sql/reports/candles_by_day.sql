-- The candles, and the markets with candles, of each of these series and event day, for the 60 event days up to the
-- latest with candles.
SELECT e.series_ticker AS series, DATE_FORMAT(e.event_date, '%Y-%m-%d') AS day, COUNT(*) AS candles,
  COUNT(DISTINCT c.market_ticker) AS markets
FROM kalshi_event e
JOIN kalshi_market m ON m.event_ticker = e.event_ticker
JOIN kalshi_candle_1m c ON c.market_ticker = m.market_ticker
WHERE e.series_ticker IN :series AND e.event_date > (
  SELECT MAX(e.event_date)
  FROM kalshi_event e
  JOIN kalshi_market m ON m.event_ticker = e.event_ticker
  WHERE e.series_ticker IN :series
    AND EXISTS (SELECT 1 FROM kalshi_candle_1m c WHERE c.market_ticker = m.market_ticker)
) - INTERVAL 60 DAY
GROUP BY series, day
ORDER BY day, series
