-- No table is stale: the last good run of its job is not longer ago than three times what is allowed.
SELECT table_name, job, ended_at_utc, lag_minutes, allowed_lag_minutes
FROM {batch}
WHERE lag_minutes IS NULL OR lag_minutes > 3 * allowed_lag_minutes
