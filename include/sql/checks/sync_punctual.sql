-- No job is late: its last good run is not longer ago than what is allowed. Three times that is sync_fresh's.
SELECT table_name, job, ended_at_utc, lag_minutes, allowed_lag_minutes
FROM {batch}
WHERE lag_minutes > allowed_lag_minutes AND lag_minutes <= 3 * allowed_lag_minutes
