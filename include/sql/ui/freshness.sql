-- The freshness of each table, worst first.
SELECT table_name AS `table`, verdict, latest_data_utc, latest_successful_run_utc, lag_minutes, allowed_lag_minutes
FROM kalshi_freshness
ORDER BY FIELD(verdict, 'fail', 'warn', 'pass'), table_name
