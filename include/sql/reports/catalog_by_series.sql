-- What the warehouse holds of each of these series. The days missing lie between the first and the last event of a daily
-- one.
SELECT s.series_ticker, m.markets, m.open, m.settled, m.earliest_close_time_utc, m.latest_close_time_utc, e.events,
  CASE s.frequency WHEN 'daily' THEN e.missing_days END AS missing_days
FROM kalshi_series s
LEFT JOIN (
  SELECT series_ticker, COUNT(*) AS markets, CAST(SUM(status = 'active') AS SIGNED) AS open, COUNT(result) AS settled,
    MIN(close_time_utc) AS earliest_close_time_utc, MAX(close_time_utc) AS latest_close_time_utc
  FROM kalshi_market
  GROUP BY series_ticker
) m ON m.series_ticker = s.series_ticker
LEFT JOIN (
  SELECT series_ticker, COUNT(*) AS events,
    DATEDIFF(MAX(event_date), MIN(event_date)) + 1 - COUNT(DISTINCT event_date) AS missing_days
  FROM kalshi_event
  GROUP BY series_ticker
) e ON e.series_ticker = s.series_ticker
WHERE s.series_ticker IN :series
