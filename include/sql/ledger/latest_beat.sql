-- When a run last told that it lives, or ended: as far as this server knows.
SELECT MAX(GREATEST(heartbeat_at_utc, COALESCE(ended_at_utc, heartbeat_at_utc)))
FROM (SELECT heartbeat_at_utc, ended_at_utc FROM kalshi_sync_run ORDER BY run_id DESC LIMIT 200) latest
