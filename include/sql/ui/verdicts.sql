-- The latest quality run of each series.
SELECT r.scope AS series, r.state, r.started_at_utc, r.window_start_utc, r.window_end_utc, r.dag_run_id, r.report
FROM (
  SELECT MAX(run_id) AS run_id FROM kalshi_sync_run WHERE job = 'quality' AND scope <> '(plan)' GROUP BY scope
) newest
JOIN kalshi_sync_run r ON r.run_id = newest.run_id
ORDER BY r.scope
LIMIT 200
