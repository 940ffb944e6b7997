-- The rows that broke each rule in each of the latest :most Airflow runs of data quality, over all series or (:check,
-- not empty) of one rule by series.
SELECT q.check_name AS `check`, IF(:check = '', '', q.series_ticker) AS series, latest.newest AS run,
  MIN(s.started_at_utc) AS at_utc, CAST(SUM(q.violations) AS SIGNED) AS violations,
  MAX(q.state IN ('failed', 'broken')) AS is_broken
FROM (
  SELECT dag_run_id, MAX(run_id) AS newest, MIN(run_id) AS oldest
  FROM kalshi_sync_run
  WHERE job = 'quality' AND scope <> '(plan)' AND state <> 'running'
  GROUP BY COALESCE(dag_run_id, run_id), dag_run_id
  ORDER BY newest DESC
  LIMIT :most
) latest
JOIN kalshi_sync_run s ON s.run_id BETWEEN latest.oldest AND latest.newest AND s.job = 'quality'
  AND s.dag_run_id <=> latest.dag_run_id
JOIN kalshi_quality_result q ON q.run_id = s.run_id AND (:check = '' OR q.check_name = :check)
GROUP BY q.check_name, IF(:check = '', '', q.series_ticker), latest.newest
ORDER BY q.check_name, series, latest.newest
LIMIT 20000
