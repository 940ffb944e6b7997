-- The latest Airflow run of each job, a row per series or other scope: the last attempt at each window counts. A run
-- without a heartbeat for :stale_minutes is dead. last_good_utc: when a run of a failed scope last ended well.
SELECT attempt.job, attempt.scope, attempt.state, attempt.dag_run_id, attempt.error, attempt.inserted, attempt.updated,
  attempt.rejected, attempt.requests, attempt.retries, attempt.started_at_utc, attempt.ended_at_utc,
  IF(attempt.state IN ('failed', 'abandoned'), (
    SELECT g.ended_at_utc FROM kalshi_sync_run g
    WHERE g.job = attempt.job AND g.scope = attempt.scope AND g.state IN ('success', 'warning')
    ORDER BY g.started_at_utc DESC LIMIT 1
  ), NULL) AS last_good_utc
FROM (
  SELECT r.job, r.scope,
    ELT(MAX(FIELD(IF(r.state = 'running' AND r.heartbeat_at_utc < UTC_TIMESTAMP(6) - INTERVAL :stale_minutes MINUTE,
      'abandoned', r.state), 'success', 'warning', 'running', 'abandoned', 'failed')),
      'success', 'warning', 'running', 'abandoned', 'failed') AS state,
    MAX(r.dag_run_id) AS dag_run_id, MAX(JSON_UNQUOTE(JSON_EXTRACT(r.report, '$.error'))) AS error,
    CAST(SUM(r.inserted) AS SIGNED) AS inserted, CAST(SUM(r.updated) AS SIGNED) AS updated,
    CAST(SUM(r.rejected) AS SIGNED) AS rejected, CAST(SUM(r.requests) AS SIGNED) AS requests,
    CAST(SUM(r.retries) AS SIGNED) AS retries, MIN(r.started_at_utc) AS started_at_utc,
    IF(COUNT(r.ended_at_utc) = COUNT(*), MAX(r.ended_at_utc), NULL) AS ended_at_utc
  FROM (SELECT job, MAX(run_id) AS run_id FROM kalshi_sync_run GROUP BY job) newest
  JOIN kalshi_sync_run latest ON latest.run_id = newest.run_id
  JOIN kalshi_sync_run r
    ON r.job = latest.job AND r.dag_run_id <=> latest.dag_run_id
    AND (latest.dag_run_id IS NOT NULL OR r.run_id = latest.run_id)
  LEFT JOIN kalshi_sync_run later
    ON later.dag_run_id = r.dag_run_id AND later.job = r.job AND later.scope = r.scope
    AND later.window_start_utc <=> r.window_start_utc AND later.run_id > r.run_id
  WHERE later.run_id IS NULL
  GROUP BY r.job, r.scope
) attempt
ORDER BY attempt.job, attempt.scope
LIMIT 20000
