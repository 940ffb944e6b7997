-- The windows that a job read in the latest DAG run of each of these scopes.
SELECT DISTINCT r.scope, r.window_start_utc, r.window_end_utc
FROM kalshi_sync_run r
WHERE r.job = :job AND r.scope IN :scopes AND r.window_start_utc IS NOT NULL AND r.window_end_utc > r.window_start_utc
  AND r.dag_run_id = (
    SELECT l.dag_run_id FROM kalshi_sync_run l
    WHERE l.job = r.job AND l.scope = r.scope AND l.window_start_utc IS NOT NULL AND l.dag_run_id IS NOT NULL
    ORDER BY l.run_id DESC LIMIT 1
  )
ORDER BY r.scope, r.window_start_utc, r.window_end_utc
