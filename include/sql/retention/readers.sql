-- The living runs that read, or fill a gap, before :before, with their number, job and scope. A reconciliation reads
-- markets of any age.
SELECT r.run_id, r.job, r.scope FROM kalshi_sync_run r
WHERE r.state = 'running' AND r.heartbeat_at_utc > CURRENT_TIMESTAMP(6) - INTERVAL :stale_minutes MINUTE
  AND (r.job = 'reconciliation' OR r.job IN ('candles', 'trades') AND (
    r.window_start_utc IS NULL OR r.window_start_utc < :before
    OR EXISTS (SELECT 1 FROM kalshi_gap g WHERE g.run_id = r.run_id AND g.window_start_utc < :before)))
ORDER BY r.run_id
