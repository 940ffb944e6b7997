-- How many of an event's markets had a known quote at each decision, according to the latest quality run.
SELECT event_ticker AS event, series_ticker AS series, CAST(event_date AS CHAR) AS day, decision,
  COUNT(*) AS markets, CAST(SUM(quote_known) AS SIGNED) AS quoted, CAST(SUM(candle_present) AS SIGNED) AS with_candle,
  CAST(ROUND(AVG(spread), 4) AS CHAR) AS mean_spread
FROM kalshi_decision_coverage_latest
WHERE series_ticker IN :series AND event_date BETWEEN :first AND :last
GROUP BY event_ticker, series_ticker, event_date, decision
ORDER BY event_date, series_ticker, decision
LIMIT 20000
