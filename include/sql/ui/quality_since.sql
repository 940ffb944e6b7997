-- When each of these rules was first broken in each of these series, and since when it has been without a pass between.
-- Runs from :oldest on are the latest: there, a pass of another window doesn't mend the broken one.
SELECT r.check_name AS `check`, r.series_ticker AS series, MIN(r.updated_at_utc) AS first_seen_utc,
  MIN(IF(r.run_id > COALESCE(passed.run_id, 0), r.updated_at_utc, NULL)) AS since_utc
FROM kalshi_quality_result r
LEFT JOIN (
  SELECT series_ticker, check_name, MAX(run_id) AS run_id
  FROM kalshi_quality_result
  WHERE series_ticker IN :series AND check_name IN :checks AND state = 'passed' AND run_id < :oldest
  GROUP BY series_ticker, check_name
) passed ON passed.series_ticker = r.series_ticker AND passed.check_name = r.check_name
WHERE r.series_ticker IN :series AND r.check_name IN :checks AND r.state IN ('failed', 'broken')
GROUP BY r.check_name, r.series_ticker
ORDER BY r.check_name, r.series_ticker
LIMIT 20000
