-- Each event's minutes, or those of each month's events: with a candle and with a known quote, according to the latest
-- quality run of each day.
SELECT series, IF(:by = 'month', '', event) AS event,
  CAST(IF(:by = 'month', event_date - INTERVAL DAY(event_date) - 1 DAY, event_date) AS CHAR) AS day,
  COUNT(*) AS checked, CAST(SUM(checked_minutes) AS SIGNED) AS checked_minutes,
  CAST(SUM(present) AS SIGNED) AS present, CAST(SUM(quoted) AS SIGNED) AS quoted, MAX(longest_gap) AS longest_gap
FROM (
  SELECT series_ticker AS series, event_ticker AS event, event_date, SUM(expected_minutes) AS checked_minutes,
    SUM(present_minutes) AS present, SUM(quoted_minutes) AS quoted, MAX(longest_gap_minutes) AS longest_gap
  FROM kalshi_coverage
  WHERE is_latest = 1 AND series_ticker IN :series AND event_date BETWEEN :first AND :last
  GROUP BY series_ticker, event_date, event_ticker
) checked
GROUP BY 1, 2, 3
ORDER BY 3, 1, 2
LIMIT 20000
