-- The latest attempt for each scope and window of one DAG run of a job.
SELECT r.scope, r.state, r.run_id, r.started_at_utc, r.ended_at_utc, r.report
FROM kalshi_sync_run r
JOIN (
  SELECT MAX(run_id) AS run_id FROM kalshi_sync_run
  WHERE job = :job AND dag_run_id = :dag_run_id
  GROUP BY scope, window_start_utc, window_end_utc
) latest ON latest.run_id = r.run_id
ORDER BY r.scope, r.window_start_utc
