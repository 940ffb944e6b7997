-- The freshness of each table, worst first. job: the one that fills it; it never ran if there is no run of it.
SELECT f.table_name AS `table`, rule.job, f.verdict, f.latest_data_utc, f.latest_successful_run_utc, f.lag_minutes,
  f.allowed_lag_minutes
FROM kalshi_freshness f
JOIN kalshi_freshness_rule rule ON rule.table_name = f.table_name
ORDER BY FIELD(f.verdict, 'fail', 'warn', 'pass'), f.table_name
LIMIT 100
