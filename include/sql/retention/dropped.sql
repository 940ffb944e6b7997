-- The months of the tables :tables that were dropped on purpose, or that a living run is dropping, and lie, at least in
-- part, between :start and :end, with the rows of all times that they were.
SELECT d.table_name, d.month, SUM(d.row_count), MAX(d.dropped_at_utc), MIN(d.state = 'dropped')
FROM kalshi_dropped_month d LEFT JOIN kalshi_sync_run r ON r.run_id = d.run_id
WHERE d.table_name IN :tables AND d.month < :end AND d.month + INTERVAL 1 MONTH > :start
  AND (d.state <> 'exporting' OR r.state = 'running'
    AND r.heartbeat_at_utc > CURRENT_TIMESTAMP(6) - INTERVAL :stale_minutes MINUTE)
GROUP BY d.table_name, d.month
ORDER BY d.month, d.table_name
