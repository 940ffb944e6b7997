-- The quality runs of each series in its latest Airflow run, one for each window, the worst first.
SELECT r.run_id, r.scope AS series, r.state, r.started_at_utc, r.window_start_utc, r.window_end_utc, r.dag_run_id
FROM (
  SELECT MAX(together.run_id) AS run_id
  FROM (
    SELECT MAX(run_id) AS run_id FROM kalshi_sync_run WHERE job = 'quality' AND scope <> '(plan)' GROUP BY scope
  ) newest
  JOIN kalshi_sync_run latest ON latest.run_id = newest.run_id
  JOIN kalshi_sync_run together ON together.job = 'quality' AND together.scope = latest.scope
    AND (together.run_id = latest.run_id OR together.dag_run_id = latest.dag_run_id)
  GROUP BY together.scope, together.window_start_utc, together.window_end_utc
) chosen
JOIN kalshi_sync_run r ON r.run_id = chosen.run_id
ORDER BY FIELD(r.state, 'failed', 'abandoned', 'running', 'warning', 'success'), r.scope, r.window_start_utc
LIMIT 20000
