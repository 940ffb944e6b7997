-- Each event's minutes open, with a candle and with a known quote, according to the latest quality run of each day.
SELECT event_ticker AS event, series_ticker AS series, CAST(event_date AS CHAR) AS day,
  COUNT(DISTINCT market_ticker) AS markets, CAST(SUM(expected_minutes) AS SIGNED) AS expected,
  CAST(SUM(present_minutes) AS SIGNED) AS present, CAST(SUM(quoted_minutes) AS SIGNED) AS quoted,
  MAX(longest_gap_minutes) AS longest_gap
FROM kalshi_coverage_latest
WHERE series_ticker IN :series AND event_date BETWEEN :first AND :last
GROUP BY event_ticker, series_ticker, event_date
ORDER BY event_date, series_ticker
LIMIT 5000
