-- No table is stale: the last successful run of its job is no older than three times the allowed lag.
SELECT table_name, job, ended_at_utc, lag_minutes, allowed_lag_minutes
FROM {batch}
WHERE lag_minutes IS NULL OR lag_minutes > 3 * allowed_lag_minutes
