-- No job is late: its last successful run is no older than the allowed lag. Beyond three times that, see sync_fresh.
SELECT table_name, job, ended_at_utc, lag_minutes, allowed_lag_minutes
FROM {batch}
WHERE lag_minutes > allowed_lag_minutes AND lag_minutes <= 3 * allowed_lag_minutes
