-- The latest event day that a quality run has checked, else the latest of all.
SELECT COALESCE(
  (SELECT MAX(event_date) FROM kalshi_coverage WHERE series_ticker IN :series),
  (SELECT MAX(event_date) FROM kalshi_event WHERE series_ticker IN :series)
) AS day
