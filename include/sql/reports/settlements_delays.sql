-- The hours from close to settlement, the longest of each event, for the events of these series that settled in the 90
-- days up to the latest settlement.
SELECT s.series_ticker AS series, s.event_ticker AS event, DATE_FORMAT(MAX(s.settled_at_utc), '%Y-%m-%d') AS day,
  CAST(MAX(TIMESTAMPDIFF(MINUTE, m.close_time_utc, s.settled_at_utc)) / 60 AS DOUBLE) AS hours
FROM kalshi_settlement s
JOIN kalshi_market m ON m.market_ticker = s.market_ticker
WHERE s.series_ticker IN :series AND s.settled_at_source = 'settlement_ts'
  AND s.settled_at_utc > (SELECT MAX(settled_at_utc) FROM kalshi_settlement) - INTERVAL 90 DAY
GROUP BY s.series_ticker, s.event_ticker
ORDER BY day
