-- The fully settled events of a series (*: of all) that don't have exactly one YES. Leaves out events that aren't mutually exclusive,
-- and those with a result other than yes and no.
SELECT s.event_ticker
FROM kalshi_settlement s
JOIN kalshi_event e ON e.event_ticker = s.event_ticker
WHERE (:series = '*' OR s.series_ticker = :series) AND COALESCE(e.mutually_exclusive, TRUE)
GROUP BY s.event_ticker
HAVING SUM(s.result NOT IN ('yes', 'no')) = 0 AND SUM(s.result = 'yes') <> 1
  AND COUNT(*) = (SELECT COUNT(*) FROM kalshi_market m WHERE m.event_ticker = s.event_ticker)
ORDER BY s.event_ticker
LIMIT :most
