-- Events by day, with the number of their markets and of those settled.
SELECT e.event_ticker AS event, e.series_ticker AS series, CAST(e.event_date AS CHAR) AS day,
  COUNT(m.market_ticker) AS markets, COUNT(s.market_ticker) AS settled
FROM kalshi_event e
LEFT JOIN kalshi_market m ON m.event_ticker = e.event_ticker
LEFT JOIN kalshi_settlement s ON s.market_ticker = m.market_ticker
WHERE e.series_ticker IN :series AND e.event_date BETWEEN :first AND :last
GROUP BY e.event_ticker, e.series_ticker, e.event_date
ORDER BY e.event_date DESC, e.series_ticker
LIMIT 5000
