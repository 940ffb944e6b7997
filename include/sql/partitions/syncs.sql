-- The latest successful run of each job that ever read this series, with its lag and the allowed lag.
SELECT rule.table_name, rule.job, rule.allowed_lag_minutes, good.ended_at_utc,
  TIMESTAMPDIFF(MINUTE, good.ended_at_utc, :now) AS lag_minutes
FROM kalshi_freshness_rule rule
JOIN (
  SELECT job, MAX(CASE WHEN state IN ('success', 'warning') THEN ended_at_utc END) AS ended_at_utc
  FROM kalshi_sync_run WHERE scope = :series OR scope = '*' GROUP BY job
) good ON good.job = rule.job
WHERE rule.job <> 'quality'
