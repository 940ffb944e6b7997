-- The lag of each table since its last successful run: that of the series furthest behind, as in kalshi_freshness.
-- A series without a successful run counts from its first attempt. Tables whose job never ran are skipped.
SELECT
  f.table_name,
  f.latest_successful_run_utc,
  COALESCE(f.lag_minutes, waiting.minutes) AS lag_minutes,
  f.allowed_lag_minutes
FROM kalshi_freshness f
JOIN kalshi_freshness_rule rule ON rule.table_name = f.table_name
JOIN (SELECT DISTINCT job FROM kalshi_sync_run WHERE scope <> '(plan)') ran ON ran.job = rule.job
LEFT JOIN (
  SELECT job, TIMESTAMPDIFF(MINUTE, MIN(first_utc), UTC_TIMESTAMP(6)) AS minutes
  FROM (
    SELECT job, scope, MIN(started_at_utc) AS first_utc
    FROM kalshi_sync_run WHERE scope <> '(plan)'
    GROUP BY job, scope
    HAVING SUM(state IN ('success', 'warning')) = 0 AND MAX(started_at_utc) > UTC_TIMESTAMP(6) - INTERVAL 1 DAY
  ) never_good
  GROUP BY job
) waiting ON waiting.job = rule.job
ORDER BY f.table_name;
