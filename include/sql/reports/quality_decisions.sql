-- The latest known coverage of quotes at each decision, for the events of the last :days days that the run checked.
SELECT series_ticker AS series, CAST(event_date AS CHAR) AS day, decision, event_ticker AS event,
  COUNT(*) AS markets, CAST(SUM(quote_known) AS SIGNED) AS quoted,
  CAST(SUM(candle_present) AS SIGNED) AS with_candle, CAST(ROUND(AVG(spread), 4) AS CHAR) AS mean_spread
FROM kalshi_decision_coverage_latest
WHERE series_ticker IN :series AND event_date > (
  SELECT MAX(event_date) FROM kalshi_decision_coverage WHERE run_id IN :runs
) - INTERVAL :days DAY
GROUP BY series_ticker, event_date, decision, event_ticker
ORDER BY event_date, series_ticker, decision
