-- The series with the largest share of events that no quality run has checked first, then those with the fewest quotes.
SELECT e.series_ticker AS series
FROM kalshi_event e
LEFT JOIN (
  SELECT event_ticker, SUM(quoted_minutes) AS quoted, SUM(expected_minutes) AS expected
  FROM kalshi_coverage
  WHERE is_latest = 1 AND series_ticker IN :series AND event_date BETWEEN :first AND :last
  GROUP BY event_ticker
) c ON c.event_ticker = e.event_ticker
WHERE e.series_ticker IN :series AND e.event_date BETWEEN :first AND :last
GROUP BY e.series_ticker
ORDER BY AVG(c.event_ticker IS NULL) DESC, SUM(c.quoted) / SUM(c.expected), e.series_ticker
LIMIT 20000
